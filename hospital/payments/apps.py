"""Django's handle on payments."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "hospital.payments"
    label = "payments"
