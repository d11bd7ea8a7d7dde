"""Importing a workbook: all or nothing, every problem told, the same again changes nothing."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from django.db import transaction

from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.upserts import MasterRow
from hospital.onboarding import checking, needs, parsing, queries, reading, saving
from hospital.onboarding.locking import one_at_a_time
from hospital.onboarding.saving import Outcome, Progress
from hospital.onboarding.sheets import SHEETS
from hospital.onboarding.tables import Book, Problem, Sheet

SavedRows = Mapping[str, MasterRow]


def _silent(done: int, total: int, title: str) -> None:
    """No progress is shown."""


def import_base(
    *,
    path: Path,
    by: Actor,
    at: dt.datetime,
    dry_run: bool = False,
    progress: Progress = _silent,
    sheets: Sequence[Sheet] = SHEETS,
    only: Collection[str] | None = None,
    name: str = "",
) -> Outcome:
    """Import a workbook in one transaction; `at` is in UTC and decides what "today" is.

    `only` are the titles of the sheets a page may import, none of which need be there; `name` is
    what the file was called where it came from.

    Returns what changed, or the problems, in which case nothing was saved. A dry run saves
    nothing either, but goes all the way, so what it tells is what an import would do.
    """
    try:
        raw_sheets = reading.read(path)
    except reading.NotAWorkbook as unreadable:
        return Outcome(problems=[Problem("", None, "", name or path.name, str(unreadable))])
    book, problems = parsing.parse(raw_sheets, sheets=sheets, today=hospital_day(at), only=only)
    with transaction.atomic():
        one_at_a_time()
        problems += checking.check(book, sheets=sheets)
        if problems:
            return Outcome(problems=_in_order(problems, sheets))
        _keep_what_is_lacking(book, sheets)
        before = {sheet.title: _by_address(sheet, book) for sheet in queries.PAGES}
        outcome = saving.save(book, sheets=sheets, by=by, at=at, progress=progress)
        outcome.problems += _still_needed(book, outcome, before, at)
        if outcome.problems or dry_run:
            transaction.set_rollback(True)
    return outcome


def _by_address(sheet: Sheet, book: Book) -> SavedRows:
    """The saved rows of a sheet by what names them, if the book has any rows of it."""
    rows = sheet.saved(book.today) if book.of(sheet.title) else ()
    return {queries.address_of(sheet, row.values): row for row in rows}


def _keep_what_is_lacking(book: Book, sheets: Sequence[Sheet]) -> None:
    """Give rows of columns the workbook does not have what is saved of them, in place."""
    for sheet in sheets:
        lacking = [column for column in sheet.columns if column.may_lack]
        rows = [
            row
            for row in book.of(sheet.title)
            if any(column.field not in row.values for column in lacking)
        ]
        if not rows:
            continue
        saved = _by_address(sheet, book)
        for row in rows:
            known = saved.get(queries.address_of(sheet, row.values))
            for column in lacking:
                value = known.values[column.field] if known else column.default
                row.values.setdefault(column.field, value)


def _still_needed(
    book: Book, outcome: Outcome, before: Mapping[str, SavedRows], at: dt.datetime
) -> list[Problem]:
    """What is taken away although something needs it, judged when all rows are saved: a
    department may go together with its templates."""
    found: list[Problem] = []
    for sheet in queries.PAGES:
        changed = {change.row for change in outcome.changes_of(sheet) if not change.created}
        for row in book.of(sheet.title):
            # What is only planned, such as a fee from next year on, is not among the saved rows.
            saved = before[sheet.title].get(queries.address_of(sheet, row.values))
            if row.number not in changed or saved is None:
                continue
            for field, need in needs.needs_of_change(sheet, saved, row.values, at=at):
                if need.blocks:
                    found.append(row.problem(field, f"还在使用：{need.text}"))
    return found


def _in_order(problems: Sequence[Problem], sheets: Sequence[Sheet]) -> list[Problem]:
    """As somebody mends them: sheet by sheet, line by line, from left to right."""
    sheet_places = {sheet.title: place for place, sheet in enumerate(sheets)}
    columns = {
        (sheet.title, column.heading): place
        for sheet in sheets
        for place, column in enumerate(sheet.columns)
    }

    def place(problem: Problem) -> tuple[int, int, int]:
        return (
            sheet_places.get(problem.sheet, -1),
            problem.row or 0,
            columns.get((problem.sheet, problem.column), -1),
        )

    return sorted(set(problems), key=place)
