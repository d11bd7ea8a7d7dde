"""Django's handle on the registration area."""

from django.apps import AppConfig


class RegistrationConfig(AppConfig):
    name = "hospital.registration"
    label = "registration"
