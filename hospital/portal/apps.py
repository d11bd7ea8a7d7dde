"""Django's handle on the portal."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "hospital.portal"
    label = "portal"
