"""Django's handle on interop."""

from django.apps import AppConfig


class InteropConfig(AppConfig):
    name = "hospital.interop"
    label = "interop"
