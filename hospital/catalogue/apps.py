"""Django's handle on the catalogue area."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "hospital.catalogue"
    label = "catalogue"
