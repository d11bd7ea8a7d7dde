"""`./manage.py reset_password USERNAME`: a temporary password, from the server itself.

For the administrator nobody else can help. As with the button on a person's page, every log-in of
the account ends, the owner must choose another password at once, and the act is audited.
"""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from hospital.identity import actions, queries
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM


class Command(BaseCommand):
    help = "Give an account a temporary password and print it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *, username: str, **options: object) -> None:
        account = queries.staff_account(username=username)
        if account is None:
            raise CommandError("no such account; give its user name")
        password = actions.temporary_password()
        actions.reset_password(account_id=account.pk, password=password, by=SYSTEM, at=clock.now())
        self.stdout.write(f"temporary password: {password}")
        self.stdout.write("it must be changed at the next log-in; every log-in has ended")
