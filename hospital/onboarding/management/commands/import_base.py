"""./manage.py import_base FILE.xlsx [--dry-run]: load or update the hospital's base data.

Exit code 0 when it was imported (or would be), 1 with problems; then nothing was changed.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.onboarding import report
from hospital.onboarding.actions import import_base
from hospital.onboarding.saving import Outcome


class Command(BaseCommand):
    help = "Import the hospital's base data from its workbook (导入基础数据工作簿)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the filled-in .xlsx")
        parser.add_argument(
            "--dry-run", action="store_true", help="check and tell what would change; save nothing"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        bar = report.ProgressBar(sys.stderr)
        dry_run: bool = options["dry_run"]
        try:
            outcome = import_base(
                path=options["file"],
                by=SYSTEM,
                at=clock.now(),
                dry_run=dry_run,
                progress=bar,
            )
        finally:
            bar.close()
        if outcome.problems:
            self._write(report.problem_lines(outcome.problems))
            raise CommandError(f"共 {len(outcome.problems)} 个问题，没有导入任何数据。")
        self._tell(outcome, dry_run=dry_run)

    def _tell(self, outcome: Outcome, *, dry_run: bool) -> None:
        self._write(report.change_lines(outcome.changes))
        if outcome.changes:
            self.stdout.write("")
        self._write(report.tally_lines(outcome))
        if not outcome.changes:
            self.stdout.write("无变化。")
        elif dry_run:
            self.stdout.write("试运行：以上变化没有保存。")
        else:
            self.stdout.write("导入完成。")

    def _write(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.stdout.write(line)
