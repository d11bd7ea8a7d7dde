"""Django's handle on the messaging area; a wrong template file stops the start."""

from django.apps import AppConfig
from django.conf import settings


class MessagingConfig(AppConfig):
    name = "hospital.messaging"
    label = "messaging"

    def ready(self) -> None:
        from hospital.messaging import approved

        approved.read(settings.WECHAT_TEMPLATES)
