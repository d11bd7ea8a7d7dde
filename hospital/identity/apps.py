"""Django's handle on the identity area."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "hospital.identity"
    label = "identity"
