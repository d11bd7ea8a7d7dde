"""Django's handle on the identity area; it says which accounts are one person's."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "hospital.identity"
    label = "identity"

    def ready(self) -> None:
        from hospital.identity.queries import is_one_person
        from hospital.kernel.four_eyes import tell_persons_apart

        tell_persons_apart(is_one_person)
