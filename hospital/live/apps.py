"""Django's handle on the live channel."""

from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "hospital.live"
    label = "live"
