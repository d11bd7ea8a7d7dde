"""Django's handle on the window."""

from django.apps import AppConfig


class WindowConfig(AppConfig):
    name = "hospital.window"
    label = "window"
