"""Django's handle on the kernel."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class KernelConfig(AppConfig):
    name = "hospital.kernel"
    label = "kernel"

    def ready(self) -> None:
        """Read what every area calls its audited acts, and who may do what: also processes that
        load no addresses (worker, commands) must know every permission there is."""
        autodiscover_modules("acts", "permissions")
