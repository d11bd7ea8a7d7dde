"""./manage.py note_backup: the backup script says that it is done, or that it failed.

note_backup --size 1234567 --place /backup/2026-11-23.dump
note_backup --failed "pg_dump: no space left on device"
note_backup --restore-test --place test-machine
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import Invalid
from hospital.monitoring import actions
from hospital.monitoring.states import BackupKind


class Command(BaseCommand):
    help = "Keep for the monitoring page what the backup script has just done."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--restore-test", action="store_true", help="a backup was restored")
        parser.add_argument("--size", type=int, help="of the backup, in bytes")
        parser.add_argument("--place", default="", help="where it lies; no secrets")
        parser.add_argument("--failed", default=None, metavar="WHY", help="it did not work")

    def handle(
        self,
        *_: Any,
        restore_test: bool,
        size: int | None,
        place: str,
        failed: str | None,
        **options: object,
    ) -> None:
        kind = BackupKind.RESTORE_TEST if restore_test else BackupKind.BACKUP
        try:
            run = actions.note_backup(
                kind=kind,
                is_good=failed is None,
                size_bytes=size,
                note=place if failed is None else failed,
                by=SYSTEM,
                at=clock.now(),
            )
        except Invalid as refusal:
            raise CommandError(str(refusal.errors)) from refusal
        self.stdout.write(f"noted: {run.kind}, {'done' if run.is_good else 'failed'}")
