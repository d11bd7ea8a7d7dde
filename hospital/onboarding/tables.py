"""What a sheet is: its columns, what names a row, which action saves it; and what import says.

A new area adds a Sheet to `sheets/`; nothing else needs to know it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from hospital.kernel.upserts import MasterRow
from hospital.onboarding.kinds import Cell, Kind


@dataclass(frozen=True)
class Column:
    """One column: the heading people see, the parameter of the action, the kind of its cells.

    `refers_to` is the title of the sheet whose codes (or unique names) the cells hold. A workbook
    may lack a column that `may_lack`; saved rows then keep what they have.
    """

    heading: str
    field: str
    kind: Kind
    required: bool = False
    default: object = None
    note: str = ""
    example: str = ""
    width: int = 14
    refers_to: str = ""
    secret: bool = False
    may_lack: bool = False


@dataclass(frozen=True)
class Problem:
    """Why the workbook cannot be imported: where, what stands there, the reason in Chinese."""

    sheet: str
    row: int | None
    column: str
    value: str
    reason: str


@dataclass
class Row:
    """One line of a sheet: typed values by field, and the cells as they stood."""

    sheet: "Sheet"
    number: int
    values: dict[str, Any] = field(default_factory=dict)
    cells: dict[str, Cell] = field(default_factory=dict)

    def has(self, *fields: str) -> bool:
        """Whether all these fields were readable and are not empty."""
        return all(self.values.get(name) is not None for name in fields)

    def problem(self, field_name: str, reason: str) -> Problem:
        """A problem at one of this row's cells; a secret is not repeated."""
        column = self.sheet.column(field_name)
        if column is None:
            return Problem(self.sheet.title, self.number, "", "", reason)
        shown = "******" if column.secret else show_cell(self.cells.get(column.field))
        return Problem(self.sheet.title, self.number, column.heading, shown, reason)

    @property
    def label(self) -> str:
        """How people recognise the row: what names it, and its name."""
        parts = [*self.sheet.key, self.sheet.name_field]
        shown = [show_cell(self.cells.get(part)) for part in parts if part]
        return " ".join(part for part in shown if part)


@dataclass
class Book:
    """All readable rows of a workbook, by sheet, and the hospital day they are checked on."""

    today: date
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def of(self, title: str) -> list[Row]:
        return self.rows.get(title, [])

    def by_code(self, title: str) -> dict[str, Row]:
        """The rows of a sheet by the value that names them."""
        rows = self.of(title)
        return {row.values[row.sheet.key[0]]: row for row in rows if row.has(row.sheet.key[0])}


Check = Callable[[Book], Iterable[Problem]]


def _nothing_saved(_: date) -> Sequence[MasterRow]:
    return ()


@dataclass(frozen=True)
class Sheet:
    """One noun of the workbook.

    `save` is the action, called with the fields plus by= and at=; it returns whether anything
    changed and raises Refusal. `names` gives code → name of what is already saved. `parent` is
    the field that refers to the row above in a tree, `parents` the saved tree (code → code).
    `park` frees what a row occupies, for rows that trade places with each other.

    For the pages: `slug` is the sheet's address ("" for none), `saved` gives the saved rows as
    they are on a day, `listed` the fields a list shows, `acts` the audited acts that tell the
    history of a row, `also_told` what else they change than the columns. `elsewhere` says where
    the rows are looked after when not in these pages.
    """

    title: str
    note: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    save: Callable[..., bool]
    name_field: str = ""
    names: Callable[[], Mapping[str, str]] = dict
    parent: str = ""
    parents: Callable[[], Mapping[str, str]] = dict
    park: Callable[..., bool] | None = None
    checks: tuple[Check, ...] = ()
    required: bool = True
    slug: str = ""
    saved: Callable[[date], Sequence[MasterRow]] = _nothing_saved
    listed: tuple[str, ...] = ()
    acts: tuple[str, ...] = ()
    elsewhere: str = ""
    also_told: tuple[Column, ...] = ()
    page_title: str = ""

    @property
    def noun(self) -> str:
        """What the pages call a row: the sheet's title, unless that is only a part of them."""
        return self.page_title or self.title

    @property
    def can_switch_off(self) -> bool:
        return self.column("is_active") is not None

    def column(self, field_name: str) -> Column | None:
        return next((column for column in self.columns if column.field == field_name), None)


def show_cell(value: Cell) -> str:
    """A cell for a problem list: one short line."""
    text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= 30 else f"{text[:29]}…"
