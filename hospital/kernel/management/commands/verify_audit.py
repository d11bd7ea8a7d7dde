"""./manage.py verify_audit: is every row of the audit trail as it was written, and still there?

Exits with an error and the list of what is wrong. With --anchors it also looks for the entries and
seals our logs tell of ("audit entry", "audit sealed"), which a person with the database cannot
rewrite: so a row is missed that was removed before it was sealed, or whose seals went with it.
"""

import json
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from hospital.kernel import audit, clock


class Command(BaseCommand):
    help = "Check the audit trail: marks, seals, and that nothing is missing or was put in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--anchors", type=Path, help="log lines kept elsewhere; what they name must exist"
        )

    def handle(self, *, anchors: Path | None, **options: object) -> None:
        at = clock.now()
        found = audit.verify(at=at, anchors=_read(anchors) if anchors else None)
        audit.keep(found, at=at)
        self.stdout.write(
            f"{found.entries} entries, {found.seals} seals, {found.unsealed} not sealed yet; "
            f"sealed through {found.through_id} {found.digest}"
        )
        if not found.is_sound:
            wrong = [str(finding) for finding in found.findings]
            more = found.faults - len(wrong)
            wrong += [f"… and {more} more"] if more else []
            raise CommandError("the audit trail is not sound:\n" + "\n".join(wrong))
        self.stdout.write("the audit trail is sound")


def _read(path: Path) -> audit.Anchors:
    """The seals and entries named in log lines; other lines are passed over."""
    seals: dict[str, int] = {}
    entries: set[int] = set()
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if '"audit sealed"' in line:
                fields = json.loads(line)
                seals[fields["digest"]] = fields["through"]
            elif '"audit entry"' in line:
                entries.add(json.loads(line)["entry"])
    return audit.Anchors(seals, entries)
