"""Django's handle on the organisation area."""

from django.apps import AppConfig


class OrganisationConfig(AppConfig):
    name = "hospital.organisation"
    label = "organisation"
