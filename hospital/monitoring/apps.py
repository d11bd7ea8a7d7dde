"""Django's handle on monitoring."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "hospital.monitoring"
    label = "monitoring"
