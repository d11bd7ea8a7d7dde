"""`./manage.py second_factor USERNAME`: bind a new phone to an account from the server itself.

For the first administrator of a hospital whose staff reach us from outside, and for the last one
who lost phone and recovery codes. Whoever may run this owns the server; the act is audited.
"""

from __future__ import annotations

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hospital.identity import actions, queries
from hospital.identity import one_time_codes as codes
from hospital.identity.states import ADMINISTRATORS
from hospital.kernel import clock


class Command(BaseCommand):
    help = "Bind a new phone to an account and print the key its authenticator app needs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?", default="")
        parser.add_argument(
            "--demo", action="store_true", help="all administrators of a demo that have none yet"
        )

    def handle(self, *, username: str, demo: bool, **options: object) -> None:
        if demo:
            self._demo()
            return
        account = queries.staff_account(username=username)
        if account is None:
            raise CommandError("no such account; give its user name")
        secret = codes.new_secret()
        actions.give_second_factor(account=account, secret=secret, at=clock.now())
        self.stdout.write(f"key to type: {secret}")
        address = codes.address_for_app(
            secret, username=account.username, hospital=settings.HOSPITAL_NAME
        )
        self.stdout.write(f"or as an address: {address}")
        self.stdout.write("the earlier phone and recovery codes are void, every log-in has ended")

    def _demo(self) -> None:
        if not settings.DEMO_CODES:
            raise CommandError("--demo needs DEMO_CODES, which a live hospital refuses")
        for role in ADMINISTRATORS:
            for account in queries.holders_of_role(role=role, on=clock.today()):
                if queries.second_factor(account=account) is None:
                    actions.give_second_factor(
                        account=account, secret=codes.new_secret(), at=clock.now()
                    )
