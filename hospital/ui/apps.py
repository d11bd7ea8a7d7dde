"""Registers the page kit with Django: templates, static files and the `ui` tag library."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    """The page kit."""

    name = "hospital.ui"
    label = "ui"
    verbose_name = "页面组件"
