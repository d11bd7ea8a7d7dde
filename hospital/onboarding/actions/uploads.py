"""A workbook handed in on the page: checked at once, kept, and carried out exactly as previewed."""

import datetime as dt
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Final

from django.db import transaction

from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound
from hospital.kernel.fingerprints import fingerprint
from hospital.onboarding import queries
from hospital.onboarding.actions.importing import import_base
from hospital.onboarding.models import WorkbookUpload
from hospital.onboarding.saving import Outcome

MOST_BYTES: Final = 10_000_000
_KEPT_FOR: Final = dt.timedelta(days=7)


@transaction.atomic
def keep_workbook(
    *, file_name: str, content: bytes, sheet: str, by: Actor, at: dt.datetime
) -> WorkbookUpload:
    """Check an uploaded workbook and keep it with its preview; nothing is imported yet.

    `sheet` is the slug of the only sheet to read, "" for all. Workbooks nobody carried out within
    a week are forgotten here. Raises Invalid for a file that is no candidate at all, NotFound.
    """
    if len(content) > MOST_BYTES:
        raise Invalid({"file": [f"文件太大：最多 {MOST_BYTES // 1_000_000} MB。"]})
    only = _only(sheet)
    WorkbookUpload.objects.filter(uploaded_at__lt=at - _KEPT_FOR, done_at=None).delete()
    outcome = _import(content, file_name, only=only, by=by, at=at, dry_run=True)
    return WorkbookUpload.objects.create(
        file_name=file_name[:200],
        sheet=sheet,
        content=content,
        uploaded_by=str(by),
        uploaded_at=at,
        checked_at=at,
        report=_report(outcome),
        preview=_digest(outcome),
    )


@transaction.atomic
def carry_out(*, upload_id: int, preview: str, by: Actor, at: dt.datetime) -> WorkbookUpload:
    """Import a kept workbook, all or nothing, if that still does what `preview` showed.

    Carried out already, it stays as it is. Raises NotFound; otherwise the row says what happened:
    with `done_at` empty, its report has new problems or a new preview.
    """
    upload = WorkbookUpload.objects.select_for_update().filter(pk=upload_id).first()
    if upload is None:
        raise NotFound("没有找到这份工作簿，可能已经放弃或过期。")
    if upload.done_at is not None:
        return upload
    with transaction.atomic():
        # One run both shows and does it: between two, somebody could change what is imported.
        outcome = _import(
            bytes(upload.content), upload.file_name, only=_only(upload.sheet), by=by, at=at
        )
        is_as_shown = not outcome.problems and _digest(outcome) == preview
        if not is_as_shown:
            transaction.set_rollback(True)
    upload.report, upload.preview, upload.checked_at = _report(outcome), _digest(outcome), at
    if is_as_shown:
        upload.done_at, upload.done_by, upload.content = at, str(by), b""
        audit.record(
            act="onboarding.import_workbook",
            subject=upload,
            by=by,
            at=at,
            after={"file": upload.file_name, "changes": len(outcome.changes)},
        )
    upload.save()
    return upload


@transaction.atomic
def drop_workbook(*, upload_id: int) -> None:
    """Forget a kept workbook that was not carried out. Raises NotFound when there is none."""
    dropped, _ = WorkbookUpload.objects.filter(pk=upload_id, done_at=None).delete()
    if not dropped:
        raise NotFound("没有找到这份工作簿，可能已经放弃、导入或过期。")


def _only(slug: str) -> frozenset[str]:
    if slug:
        return frozenset([queries.sheet_of(slug).title])
    return frozenset(sheet.title for sheet in queries.PAGES)


def _import(
    content: bytes,
    file_name: str,
    *,
    only: frozenset[str],
    by: Actor,
    at: dt.datetime,
    dry_run: bool = False,
) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "workbook.xlsx"
        path.write_bytes(content)
        outcome = import_base(path=path, by=by, at=at, dry_run=dry_run, only=only, name=file_name)
    outcome.tallies = [tally for tally in outcome.tallies if tally.rows]
    return outcome


def _report(outcome: Outcome) -> dict[str, object]:
    """The outcome as JSON for the page, changes grouped by their sheet."""
    sheets: dict[str, dict[str, list[dict[str, object]]]] = {}
    for change in outcome.changes:
        group = sheets.setdefault(change.sheet, {"created": [], "changed": [], "off": []})
        kind = "created" if change.created else "off" if change.switched_off else "changed"
        group[kind].append(asdict(change))
    return {
        "problems": [asdict(problem) for problem in outcome.problems],
        "tallies": [{**asdict(tally), "unchanged": tally.unchanged} for tally in outcome.tallies],
        "sheets": [{"title": title, **group} for title, group in sheets.items()],
        "changes": len(outcome.changes),
    }


def _digest(outcome: Outcome) -> str:
    changes = [asdict(change) for change in outcome.changes]
    return fingerprint(changes)
