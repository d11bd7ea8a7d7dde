"""Wires the areas together once Django is ready: the table of reactions."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "hospital.config"
    label = "config"

    def ready(self) -> None:
        from hospital.kernel import events
        from hospital.reactions import REACTIONS

        events.install(REACTIONS)
