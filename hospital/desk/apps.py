"""Django's handle on the desk."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "hospital.desk"
    label = "desk"
