"""Reads of master data for its pages: lists that are searched, one row, and its history.

A row's address is what names it in its sheet, parted by "~"; its history is what the audit trail
says of it, and the number of its steps is its version.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any, Final

from django.db.models import Q, QuerySet

from hospital.catalogue import queries as catalogue
from hospital.identity import queries as identity
from hospital.kernel import pinyin
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound
from hospital.kernel.models import AuditEntry
from hospital.kernel.upserts import MasterRow
from hospital.onboarding.models import WorkbookUpload
from hospital.onboarding.sheets import SHEETS
from hospital.onboarding.sheets.catalogue import PRICE_ITEMS
from hospital.onboarding.tables import Sheet
from hospital.onboarding.words import FieldChange, Names, moved, plain_value, text_of
from hospital.ui.wording import full_day_text, yuan_text

PAGES: Final = tuple(sheet for sheet in SHEETS if sheet.slug)
NOT_YET, OVER = "未生效", "已失效"
STATES: Final = {"": "全部", "active": "启用", "off": "停用"}
_PART: Final = "~"
_BETWEEN: Final = "\0"  # nobody types it, so nothing is found across two cells
_UPLOADS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class ListedRow:
    """A saved row in a list: its address, the listed cells in words, and whether it is in use.

    `period` says that it is switched on and yet not in use: "未生效" or "已失效", "" else.
    """

    address: str
    cells: tuple[str, ...]
    initials: str
    is_active: bool
    period: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a row: which version it made, who made it when (UTC), and what changed."""

    version: int
    at: dt.datetime
    by: str
    is_first: bool
    fields: tuple[FieldChange, ...]


def sheet_of(slug: str) -> Sheet:
    """The sheet of an address. Raises NotFound."""
    for sheet in PAGES:
        if sheet.slug == slug:
            return sheet
    raise NotFound("没有这类基础数据。")


def address_of(sheet: Sheet, values: Mapping[str, object]) -> str:
    """What names a row in the address of its page."""
    return _PART.join(str(plain_value(values[name]) or "") for name in sheet.key)


def row_of(sheet: Sheet, address: str, *, on: dt.date) -> MasterRow:
    """The saved row of an address as it is on a day. Raises NotFound."""
    found = find(sheet, address, on=on)
    if found is None:
        raise NotFound(f"没有找到这一条{sheet.noun}。")
    return found


def find(sheet: Sheet, address: str, *, on: dt.date) -> MasterRow | None:
    """The saved row of an address, None when there is none."""
    wanted = address.casefold()
    for row in sheet.saved(on):
        if address_of(sheet, row.values).casefold() == wanted:
            return row
    return None


def label_of(sheet: Sheet, row: MasterRow) -> str:
    """How people recognise a row: its name, or what names it."""
    if sheet.name_field:
        return str(row.values[sheet.name_field])
    names = Names(sheet, SHEETS)
    columns = [column for column in sheet.columns if column.field in sheet.key]
    shown = [
        names.of(column.heading, text_of(column, row.values[column.field])) for column in columns
    ]
    return " ".join(part for part in shown if part)


def listed(
    sheet: Sheet, *, text: str = "", state: str = "", sort: str = "", on: dt.date
) -> list[ListedRow]:
    """The rows of a list: found by code, name, pinyin or initials, of one state, sorted.

    `sort` is a listed field, with "-" before it for the other way round; "" is by code.
    """
    names = Names(sheet, SHEETS)
    found = [row for row in sheet.saved(on) if _is_in(sheet, row, state, on)]
    wanted = pinyin.fold(text)
    entries = [(row, _listed(sheet, row, names, on)) for row in found]
    if wanted:
        letters = cache(pinyin.initials)  # thousands of rows name the same few departments
        entries = [pair for pair in entries if _fits(sheet, *pair, wanted, letters)]
    field = sort.removeprefix("-")
    if field in sheet.listed:
        entries.sort(key=_order(sheet, field), reverse=sort.startswith("-"))
    return [entry for _, entry in entries]


def latest_entry(sheet: Sheet, row: MasterRow) -> int:
    """The id of the newest audit entry about a row: what a form remembers of the row it shows."""
    return max((entry.pk for entry in entries_of(sheet, row)), default=0)


def entries_of(sheet: Sheet, row: MasterRow, *, after: int = 0) -> list[AuditEntry]:
    """The audited changes of a row, oldest first; `after` an id that was seen."""
    found = AuditEntry.objects.filter(
        Q(**{f"after__{name}": value for name, value in row.part.items()}),
        subject_type=row.subject,
        subject_id=row.id,
        act__in=sheet.acts,
        pk__gt=after,
    )
    return list(found.order_by("pk"))


def waits(sheet: Sheet, row: MasterRow) -> str:
    """What was typed into a row and waits for another person, as a sentence; "" for nothing."""
    change = catalogue.waiting_price(code=str(row.values["code"])) if sheet is PRICE_ITEMS else None
    if change is None:
        return ""
    day, new = full_day_text(change.valid_from), yuan_text(change.price_fen)
    is_new = change.before_fen is None
    until = "还不能收费" if is_new else f"仍收 {yuan_text(change.before_fen or 0)}"
    return f"单价 {new}（{day}起）等财务批准后生效，批准以前{until}。"


def steps_of(sheet: Sheet, row: MasterRow) -> list[Step]:
    """The history of a row, newest first."""
    entries = entries_of(sheet, row)
    staff = staff_words(entry.by for entry in entries)
    names = Names(sheet, SHEETS)
    acts = groupby(entries, key=lambda entry: (entry.at, entry.by))
    steps = [
        _step(sheet, version, list(group), staff, names)
        for version, (_, group) in enumerate(acts, start=1)
    ]
    return steps[::-1]


def staff_words(actors: Iterable[str]) -> dict[str, str]:
    """Actors of the audit trail in words: a member of staff by name, the system as itself."""
    texts = set(actors)
    others = {
        text: text if Actor.parse(text).kind == "staff" else "系统（命令行导入）" for text in texts
    }
    return others | identity.staff_names(actors=texts)


@dataclass(frozen=True, slots=True)
class UploadRow:
    """A workbook handed in: what it would do or did, as JSON for the page; times in UTC."""

    id: int
    file_name: str
    sheet: str
    by: str
    uploaded_at: dt.datetime
    done_at: dt.datetime | None
    report: Mapping[str, Any]
    preview: str


def uploads() -> list[UploadRow]:
    """The workbooks handed in lately, the latest first."""
    return _uploads(WorkbookUpload.objects.order_by("-pk")[:_UPLOADS_SHOWN])


def upload(*, upload_id: int) -> UploadRow:
    """One workbook handed in. Raises NotFound."""
    found = _uploads(WorkbookUpload.objects.filter(pk=upload_id))
    if not found:
        raise NotFound("没有找到这份工作簿，可能已经放弃或过期。")
    return found[0]


def saved_rows(sheets: Iterable[Sheet], *, on: dt.date) -> dict[str, list[Mapping[str, object]]]:
    """Every saved row by sheet, as the writer of a workbook takes it."""
    return {sheet.title: [row.values for row in sheet.saved(on)] for sheet in sheets}


def _uploads(found: QuerySet[WorkbookUpload]) -> list[UploadRow]:
    rows = list(found.defer("content"))
    staff = staff_words(row.uploaded_by for row in rows)
    return [
        UploadRow(
            id=row.pk,
            file_name=row.file_name,
            sheet=row.sheet,
            by=staff[row.uploaded_by],
            uploaded_at=row.uploaded_at,
            done_at=row.done_at,
            report=row.report,
            preview=row.preview,
        )
        for row in rows
    ]


def _step(
    sheet: Sheet,
    version: int,
    entries: Sequence[AuditEntry],
    staff: Mapping[str, str],
    names: Names,
) -> Step:
    columns = (*sheet.columns, *sheet.also_told)
    return Step(
        version=version,
        at=entries[0].at,
        by=staff[entries[0].by],
        is_first=version == 1,
        fields=tuple(names.change(one.in_words) for one in moved(columns, entries)),
    )


def _is_in(sheet: Sheet, row: MasterRow, state: str, on: dt.date) -> bool:
    """Whether a row counts to a state; one that is over counts as switched off."""
    if state not in STATES or not state:
        return True
    is_used = bool(row.values.get("is_active", True)) and period_of(sheet, row, on=on) != OVER
    return is_used is (state == "active")


def period_of(sheet: Sheet, row: MasterRow, *, on: dt.date) -> str:
    """Whether a row is in force on a day: "未生效", "已失效", or "" when it is."""
    if sheet.column("valid_to") is None:
        return ""  # what only begins, such as a price, is followed by another
    begins, ends = row.values.get("valid_from"), row.values.get("valid_to")
    if isinstance(ends, dt.date) and ends <= on:
        return OVER
    return NOT_YET if isinstance(begins, dt.date) and begins > on else ""


def _listed(sheet: Sheet, row: MasterRow, names: Names, on: dt.date) -> ListedRow:
    columns = [column for column in sheet.columns if column.field in sheet.listed]
    columns.sort(key=lambda column: sheet.listed.index(column.field))
    return ListedRow(
        address=address_of(sheet, row.values),
        cells=tuple(
            names.of(column.heading, text_of(column, row.values.get(column.field)))
            for column in columns
        ),
        initials=_initials(sheet, row),
        is_active=bool(row.values.get("is_active", True)),
        period=period_of(sheet, row, on=on),
    )


def _initials(sheet: Sheet, row: MasterRow) -> str:
    if row.initials or not sheet.name_field:
        return row.initials
    return pinyin.initials(str(row.values[sheet.name_field]))


def _fits(
    sheet: Sheet, row: MasterRow, entry: ListedRow, wanted: str, letters: Callable[[str], str]
) -> bool:
    """Whether a row is meant: its code or the initials begin so, or its words have it inside."""
    spelt = row.pinyin
    if not spelt and sheet.name_field:
        spelt = pinyin.pinyin(str(row.values[sheet.name_field]))
    return (
        entry.initials.startswith(wanted)
        or spelt.replace(" ", "").startswith(wanted)
        or wanted in pinyin.fold(_BETWEEN.join(entry.cells))
        or (not sheet.name_field and any(wanted in letters(cell) for cell in entry.cells))
    )


def _order(
    sheet: Sheet, field: str
) -> Callable[[tuple[MasterRow, ListedRow]], tuple[bool, str | float]]:
    place = sheet.listed.index(field)

    def key(pair: tuple[MasterRow, ListedRow]) -> tuple[bool, str | float]:
        value, shown = pair[0].values.get(field), pair[1].cells[place]
        if isinstance(value, int):
            return False, value
        return not shown, pinyin.pinyin(shown)

    return key
