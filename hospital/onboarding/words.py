"""Saved and audited values in the words of the workbook, and changes field by field."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hospital.kernel.models import AuditEntry
from hospital.kernel.upserts import MasterRow, plain
from hospital.onboarding.tables import Column, Sheet

_SECRET: Final = "******"  # noqa: S105  what stands in the place of a secret


@dataclass(frozen=True)
class FieldChange:
    """One heading and its value before and after, in the words of the workbook."""

    heading: str
    before: str
    after: str


@dataclass(frozen=True)
class Moved:
    """One field's plain values before and after some audited acts."""

    column: Column
    before: object
    after: object

    @property
    def in_words(self) -> FieldChange:
        if self.column.secret:
            return FieldChange(self.column.heading, _SECRET, _SECRET)
        words = self.column.kind.describe
        return FieldChange(self.column.heading, words(self.before), words(self.after))


def moved(columns: Iterable[Column], entries: Sequence[AuditEntry]) -> list[Moved]:
    """What the entries of one row, oldest first, changed all in all, column by column."""
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    for entry in entries:
        before = {**entry.before, **before}
        after |= entry.after
    found = []
    for column in columns:
        name = column.field
        if name in after and before.get(name) != after[name]:
            found.append(Moved(column, before.get(name), after[name]))
    return found


def text_of(column: Column, value: object) -> str:
    """A value as somebody would type it into the form or the sheet; "" for none."""
    if value is None:
        return ""
    return column.kind.describe(plain_value(value))


def plain_value(value: object) -> object:
    """A value as the audit trail keeps it."""
    return [plain(part) for part in value] if isinstance(value, list | tuple) else plain(value)


def cells_of(sheet: Sheet, row: MasterRow) -> dict[str, str]:
    """A saved row as the cells of its sheet, by field."""
    return {column.field: text_of(column, row.values.get(column.field)) for column in sheet.columns}


class Names:
    """Codes of other sheets with the names they stand for, read once for a page."""

    def __init__(self, sheet: Sheet, sheets: Sequence[Sheet]) -> None:
        known = {other.title: other for other in sheets}
        self.by_field: dict[str, Mapping[str, str]] = {
            column.field: known[column.refers_to].names()
            for column in sheet.columns
            if column.refers_to
        }
        self._fields = {column.heading: column.field for column in sheet.columns}

    def of(self, heading: str, text: str) -> str:
        """The names for a code, or for several parted by 、; other columns keep their text."""
        names = self.by_field.get(self._fields.get(heading, ""))
        if names is None or not text:
            return text
        return "、".join(names.get(code) or code for code in text.split("、"))

    def change(self, change: FieldChange) -> FieldChange:
        return replace(
            change,
            before=self.of(change.heading, change.before),
            after=self.of(change.heading, change.after),
        )
