"""Saving one row of master data as typed into its form: the same parsing, checks and action as a
workbook with that single row, and nobody's change is overwritten unseen."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, Refusal, Stale
from hospital.kernel.models import AuditEntry
from hospital.onboarding import checking, needs, parsing, queries
from hospital.onboarding.locking import one_at_a_time
from hospital.onboarding.needs import Need
from hospital.onboarding.sheets import SHEETS
from hospital.onboarding.tables import Book, Problem, Row, Sheet
from hospital.onboarding.words import Moved, cells_of, moved, plain_value, text_of


class ChangedMeanwhile(Stale):
    """Somebody saved the row while this form was open; details: cells, taken, kept, by.

    `cells` are the form with the other's changes where this person had changed nothing; `taken`
    are the fields that came from the other, `kept` those both changed.
    """

    code = "CHANGED_MEANWHILE"
    default_message = "这条数据刚刚被别人修改过，请核对后再保存。"

    def __init__(
        self,
        *,
        cells: Mapping[str, str],
        taken: Sequence[Moved],
        kept: Sequence[Moved],
        entries: Sequence[AuditEntry],
    ) -> None:
        self.cells, self.taken, self.kept = dict(cells), list(taken), list(kept)
        self.entries = list(entries)
        super().__init__()


class StillNeeded(Refusal):
    """What is to be switched off or to end is still in use; details: needs."""

    code = "STILL_NEEDED"
    default_message = "还在使用，不能这样改。请先处理列出的内容。"

    def __init__(self, found: Sequence[Need]) -> None:
        self.needs = list(found)
        super().__init__()


@dataclass(frozen=True)
class SavedRecord:
    """A row after saving: its address, whether anything changed, and what to think of."""

    address: str
    changed: bool
    warnings: tuple[Need, ...]


@transaction.atomic
def save_record(
    *,
    sheet: Sheet,
    cells: Mapping[str, str],
    address: str | None,
    seen: int,
    by: Actor,
    at: dt.datetime,
) -> SavedRecord:
    """Save what was typed into the form of a row (`address`), or of a new one (None).

    `seen` is the row's latest audit entry when the form was shown. Raises Invalid by field,
    ChangedMeanwhile, StillNeeded, NotFound.
    """
    one_at_a_time()
    today = hospital_day(at)
    saved = queries.row_of(sheet, address, on=today) if address is not None else None
    typed = dict(cells)
    if saved is not None:
        # A row keeps what names it: another code would be another row.
        typed |= {name: text for name, text in cells_of(sheet, saved).items() if name in sheet.key}
    row = _checked(sheet, typed, today)
    if saved is None:
        _refuse_second(sheet, row, today)
    else:
        _refuse_overtaken(row, typed, queries.entries_of(sheet, saved, after=seen))
    values = {column.field: row.values[column.field] for column in sheet.columns}
    changed = sheet.save(**values, by=by, at=at)
    asked = needs.needs_of_change(sheet, saved, row.values, at=at) if saved is not None else []
    found = [need for _, need in asked]
    if any(need.blocks for need in found):
        raise StillNeeded([need for need in found if need.blocks])
    return SavedRecord(queries.address_of(sheet, row.values), changed, tuple(found))


def switch_off(*, sheet: Sheet, address: str, off: bool, by: Actor, at: dt.datetime) -> SavedRecord:
    """Switch a row off, or on again, leaving the rest of it. Raises like `save_record`."""
    row = queries.row_of(sheet, address, on=hospital_day(at))
    column = sheet.column("is_active")
    if column is None:
        raise Refusal(f"{sheet.noun}不能停用。")
    return save_record(
        sheet=sheet,
        cells={**cells_of(sheet, row), "is_active": text_of(column, not off)},
        address=address,
        seen=queries.latest_entry(sheet, row),
        by=by,
        at=at,
    )


def _checked(sheet: Sheet, cells: Mapping[str, str], today: dt.date) -> Row:
    """The form as a row of a workbook with nothing else in it. Raises Invalid."""
    row, problems = parsing.parse_cells(cells, sheet, number=1)
    book = Book(today, {sheet.title: [row]})
    problems += checking.check(book, sheets=SHEETS)
    if problems:
        raise Invalid(_by_field(sheet, problems))
    return row


def _by_field(sheet: Sheet, problems: Sequence[Problem]) -> dict[str, list[str]]:
    fields = {column.heading: column.field for column in sheet.columns}
    errors: dict[str, list[str]] = {}
    for problem in problems:
        sentences = errors.setdefault(fields.get(problem.column, ""), [])
        sentence = f"{problem.reason.rstrip('。')}。"
        if sentence not in sentences:
            sentences.append(sentence)
    return errors


def _refuse_second(sheet: Sheet, row: Row, today: dt.date) -> None:
    there = queries.find(sheet, queries.address_of(sheet, row.values), on=today)
    if there is not None:
        name = queries.label_of(sheet, there)
        raise Invalid({sheet.key[0]: [f"已经有了：{name}。请返回列表修改那一条，或换一个编码。"]})


def _refuse_overtaken(row: Row, typed: Mapping[str, str], entries: Sequence[AuditEntry]) -> None:
    """Whose word counts, field by field: untouched fields follow the other's change."""
    cells, taken, kept = dict(typed), [], []
    others = moved(row.sheet.columns, entries)
    for other in others:
        name = other.column.field
        mine = plain_value(row.values[name])
        if _same(mine, other.after):
            continue
        if _same(mine, other.before):
            cells[name] = other.column.kind.describe(other.after)
            taken.append(other)
        else:
            kept.append(other)
    if others:
        raise ChangedMeanwhile(cells=cells, taken=taken, kept=kept, entries=entries)


def _same(one: object, other: object) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return sorted(map(str, one)) == sorted(map(str, other))
    return one == other
