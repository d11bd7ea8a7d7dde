"""./manage.py run_job NAME…: runs periodic jobs now, in this process, one after the other.

For the moment after an import, when nobody wants to wait for the night.
"""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from procrastinate.contrib.django import app


class Command(BaseCommand):
    help = "Run periodic jobs now (names as in docs/generated/jobs.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="+", metavar="NAME")

    def handle(self, *, names: list[str], **options: object) -> None:
        periodic = {entry.task.name for entry in app.periodic_registry.periodic_tasks.values()}
        if unknown := set(names) - periodic:
            raise CommandError(
                f"no periodic job {', '.join(sorted(unknown))}; there are: "
                f"{', '.join(sorted(periodic))}"
            )
        for name in names:
            app.tasks[name].func()
            self.stdout.write(f"{name}: done")
