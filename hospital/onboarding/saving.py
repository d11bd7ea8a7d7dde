"""Saving checked rows through the actions of their areas, and telling what that changed.

What changed is read back from the audit trail, so the report is the history itself and works
for every area alike.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, Refusal
from hospital.kernel.models import AuditEntry
from hospital.onboarding.checking import top_down
from hospital.onboarding.tables import Book, Problem, Row, Sheet
from hospital.onboarding.words import FieldChange as FieldChange
from hospital.onboarding.words import moved

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Change:
    """A row that was created or changed; `switched_off` when it was in use until now."""

    sheet: str
    row: int
    label: str
    created: bool
    fields: tuple[FieldChange, ...]
    switched_off: bool = False


@dataclass(frozen=True)
class Tally:
    """How many rows of a sheet were read, created and changed."""

    sheet: str
    rows: int
    created: int
    changed: int

    @property
    def unchanged(self) -> int:
        return self.rows - self.created - self.changed


@dataclass
class Outcome:
    """What saving a workbook did; with problems, nothing of it may stay."""

    tallies: list[Tally] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def changes_of(self, sheet: Sheet) -> list[Change]:
        return [change for change in self.changes if change.sheet == sheet.title]


@dataclass
class _Trail:
    """The audit entries written for each row while it was saved."""

    by: Actor
    at: dt.datetime
    last_id: int
    entries: dict[int, list[AuditEntry]] = field(default_factory=dict)

    def follow(self, row: Row) -> None:
        mine = AuditEntry.objects.filter(pk__gt=self.last_id, by=str(self.by), at=self.at)
        for entry in mine.order_by("pk"):
            self.entries.setdefault(row.number, []).append(entry)
            self.last_id = entry.pk


def save(
    book: Book, *, sheets: Sequence[Sheet], by: Actor, at: dt.datetime, progress: Progress
) -> Outcome:
    """Save all rows, sheet by sheet, inside the caller's transaction.

    Stops after the first sheet with a refusal, because later ones refer to it.
    """
    outcome = Outcome()
    total, done = sum(len(book.of(sheet.title)) for sheet in sheets), 0
    latest = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first()
    last_id = latest or 0
    for sheet in sheets:
        rows = book.of(sheet.title)
        trail = _Trail(by, at, last_id)

        def tell(saved: int, *, start: int = done, title: str = sheet.title) -> None:
            progress(start + saved, total, title)

        outcome.problems += _save_sheet(top_down(rows, sheet), sheet, trail, tell)
        if outcome.problems:
            break
        changes = [
            _change(row, trail.entries[row.number]) for row in rows if row.number in trail.entries
        ]
        created = sum(change.created for change in changes)
        outcome.changes += changes
        outcome.tallies.append(Tally(sheet.title, len(rows), created, len(changes) - created))
        done, last_id = done + len(rows), trail.last_id
    return outcome


def _save_sheet(
    rows: Sequence[Row], sheet: Sheet, trail: _Trail, tell: Callable[[int], None]
) -> list[Problem]:
    """Save the rows of a sheet; those refused try again after the others made room.

    When the rest only block each other (two doctors trading rooms), they are parked first.
    """
    waiting, parked, saved = list(rows), sheet.park is None, 0
    while waiting:
        refused: list[tuple[Row, Refusal]] = []
        for row in waiting:
            try:
                _save_row(row, sheet.save, trail)
            except Refusal as refusal:
                refused.append((row, refusal))
            else:
                saved += 1
                tell(saved)
        if len(refused) == len(waiting):
            if parked:
                return [problem for pair in refused for problem in _problems(*pair)]
            _park(waiting, sheet, trail)
            parked = True
        waiting = [row for row, _ in refused]
    return []


def _save_row(row: Row, action: Callable[..., bool], trail: _Trail, **instead: object) -> None:
    values = {column.field: row.values[column.field] for column in row.sheet.columns} | instead
    if action(**values, by=trail.by, at=trail.at):
        trail.follow(row)


def _park(rows: Iterable[Row], sheet: Sheet, trail: _Trail) -> None:
    assert sheet.park is not None
    for row in rows:
        # Refused even when switched off: the reason is told by the next try.
        with suppress(Refusal):
            _save_row(row, sheet.park, trail, is_active=False)


def _problems(row: Row, refusal: Refusal) -> list[Problem]:
    if not isinstance(refusal, Invalid):
        return [row.problem("", refusal.message)]
    return [
        row.problem(field_name, sentence.rstrip("。"))
        for field_name, sentences in refusal.errors.items()
        for sentence in sentences
    ]


def _change(row: Row, entries: Sequence[AuditEntry]) -> Change:
    found = moved(row.sheet.columns, entries)
    return Change(
        row.sheet.title,
        row.number,
        row.label,
        entries[0].before == {},
        tuple(one.in_words for one in found),
        any(one.column.field == "is_active" and one.before and not one.after for one in found),
    )
