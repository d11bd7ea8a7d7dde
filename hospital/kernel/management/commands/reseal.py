"""./manage.py reseal: bring every sealed value under the first key of FIELD_KEYS.

Runs beside everything else, may be stopped and started again. With --check it only counts, and
fails while a value is under another key: then the old one must not be removed yet.
"""

import time
from argparse import ArgumentParser
from typing import Final

from django.core.management.base import BaseCommand, CommandError

from hospital.kernel import resealing, sealed
from hospital.kernel.resealing import SealedColumn

_PASSES: Final = 20
_PAUSE_SECONDS: Final = 0.5
_TOLD_EVERY: Final = 10_000


class Command(BaseCommand):
    help = "Seal all sealed columns under the current key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="count only, change nothing")

    def handle(self, *, check: bool, **options: object) -> None:
        current = sealed.current_key_id()
        left = {}
        for column in resealing.sealed_columns():
            done = 0 if check else self._reseal(column)
            by_key = resealing.values_by_key(column)
            counts = ", ".join(f"{key} {count}" for key, count in sorted(by_key.items()))
            self.stdout.write(f"{column}: {done} resealed; now {counts or 'no values'}")
            if others := {key: count for key, count in by_key.items() if key != current}:
                left[str(column)] = others
        if left:
            lines = "\n".join(f"{column}: {others}" for column, others in left.items())
            raise CommandError(f"values not under {current} yet:\n{lines}")
        self.stdout.write(f"everything is sealed under {current}; no other key is needed")

    def _reseal(self, column: SealedColumn) -> int:
        """Pass after pass, because a pass leaves out rows that others hold just then."""
        total = told = 0
        for _ in range(_PASSES):
            unreadable = 0
            for batch in resealing.reseal(column):
                total += batch.resealed
                unreadable += len(batch.unreadable)
                if total - told >= _TOLD_EVERY:
                    told = total
                    self.stdout.write(f"{column}: {total} so far")
            by_key = resealing.values_by_key(column)
            others = sum(by_key.values()) - by_key.get(sealed.current_key_id(), 0)
            if others <= unreadable:
                break
            time.sleep(_PAUSE_SECONDS)
        return total
