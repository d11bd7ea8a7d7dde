"""Django's handle on the onboarding area."""

from django.apps import AppConfig


class OnboardingConfig(AppConfig):
    name = "hospital.onboarding"
    label = "onboarding"
