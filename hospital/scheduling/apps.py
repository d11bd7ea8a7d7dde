"""Django's handle on the scheduling area."""

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    name = "hospital.scheduling"
    label = "scheduling"
