"""Importing a workbook: all or nothing, every problem told, the same again changes nothing."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from django.db import connection, transaction

from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.onboarding import checking, parsing, reading, saving
from hospital.onboarding.saving import Outcome, Progress
from hospital.onboarding.sheets import SHEETS
from hospital.onboarding.tables import Problem, Sheet

_IMPORT_LOCK = 0xBA5E


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
) -> Outcome:
    """Import a workbook in one transaction; `at` is in UTC and decides what "today" is.

    Returns what changed, or the problems, in which case nothing was saved. A dry run saves
    nothing either, but goes all the way, so what it tells is what an import would do.
    """
    try:
        raw_sheets = reading.read(path)
    except reading.NotAWorkbook as unreadable:
        return Outcome(problems=[Problem("", None, "", path.name, str(unreadable))])
    book, problems = parsing.parse(raw_sheets, sheets=sheets, today=hospital_day(at))
    with transaction.atomic():
        # Two imports at once would compare with rows the other is changing.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_IMPORT_LOCK])
        problems += checking.check(book, sheets=sheets)
        if problems:
            return Outcome(problems=_in_order(problems, sheets))
        outcome = saving.save(book, sheets=sheets, by=by, at=at, progress=progress)
        if outcome.problems or dry_run:
            transaction.set_rollback(True)
    return outcome


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
