"""The workbook on the page: taken out, handed in, previewed, carried out."""

import tempfile
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import quote

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import audit, clock
from hospital.kernel.errors import Invalid
from hospital.onboarding import actions, queries
from hospital.onboarding.permissions import EDIT_MASTER, VIEW_MASTER
from hospital.onboarding.tables import Sheet
from hospital.onboarding.views.frame import tabs
from hospital.onboarding.writing import write_workbook

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NAMED_AT_MOST: Final = 30


@staff_page(VIEW_MASTER)
@require_safe
def start(request: StaffRequest) -> HttpResponse:
    """Taking the workbook out and handing it in; what was handed in lately."""
    return _start(request, request.GET.get("sheet", ""), errors=())


@staff_page(VIEW_MASTER)
@require_safe
def export(request: StaffRequest) -> HttpResponse:
    """The saved master data as a workbook that can be handed in again: all sheets, or one."""
    slug = request.GET.get("sheet", "")
    sheets = (queries.sheet_of(slug),) if slug else queries.PAGES
    at = clock.now()
    rows = queries.saved_rows(sheets, on=clock.hospital_day(at))
    audit.record(
        act="onboarding.export_workbook",
        subject=None,
        by=request.actor,
        at=at,
        after={"rows": {title: len(held) for title, held in rows.items()}},
    )
    name = f"{sheets[0].title if slug else '基础数据'}-{clock.local(at):%Y%m%d-%H%M}.xlsx"
    return _workbook(name, sheets, rows)


@staff_page(VIEW_MASTER)
@require_safe
def empty(request: StaffRequest) -> HttpResponse:
    """The empty workbook with its explanations and an example a sheet."""
    return _workbook("基础数据-空白.xlsx", queries.PAGES, None)


@staff_page(EDIT_MASTER)
@require_POST
def upload(request: StaffRequest) -> HttpResponse:
    """Check a workbook and keep it until it is carried out or given up."""
    slug, file = request.POST.get("sheet", ""), request.FILES.get("file")
    if file is None:
        return _start(request, slug, errors=["请选择一个 .xlsx 文件。"])
    try:
        kept = actions.keep_workbook(
            file_name=Path(file.name or "").name,
            content=file.read(actions.MOST_BYTES + 1),
            sheet=slug,
            by=request.actor,
            at=clock.now(),
        )
    except Invalid as refusal:
        return _start(request, slug, errors=refusal.errors["file"])
    return redirect("onboarding-preview", kept.pk)


@staff_page(EDIT_MASTER)
@require_safe
def preview(request: StaffRequest, upload_id: int) -> HttpResponse:
    """What importing a kept workbook would do (or did), or every reason why it cannot be."""
    return _preview(request, upload_id)


@staff_page(EDIT_MASTER)
@require_POST
def carry_out(request: StaffRequest, upload_id: int) -> HttpResponse:
    """Import a kept workbook, or show why it would now do something else."""
    upload = actions.carry_out(
        upload_id=upload_id,
        preview=request.POST.get("preview", ""),
        by=request.actor,
        at=clock.now(),
    )
    if upload.done_at is None:
        return _preview(request, upload_id, is_outdated=True)
    messages.success(request, "导入完成。")
    return redirect("onboarding-preview", upload_id)


@staff_page(EDIT_MASTER)
@require_POST
def drop(request: StaffRequest, upload_id: int) -> HttpResponse:
    """Give a kept workbook up."""
    actions.drop_workbook(upload_id=upload_id)
    messages.info(request, "已放弃，没有导入任何数据。")
    return redirect("onboarding-workbook")


def _start(request: StaffRequest, slug: str, *, errors: Sequence[str]) -> HttpResponse:
    sheet = queries.sheet_of(slug) if slug else None
    may_edit = identity.may(request.user, EDIT_MASTER)
    context = {
        "tabs": tabs("workbook"),
        "sheet": sheet,
        "sheets": queries.PAGES,
        "errors": errors,
        "uploads": queries.uploads() if may_edit else (),
        "may_edit": may_edit,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return render(request, "onboarding/staff/workbook.html", context, status=status)


def _preview(request: StaffRequest, upload_id: int, *, is_outdated: bool = False) -> HttpResponse:
    found = queries.upload(upload_id=upload_id)
    report = found.report
    context = {
        "tabs": tabs("workbook"),
        "upload": found,
        "sheet": queries.sheet_of(found.sheet) if found.sheet else None,
        "problems": report["problems"],
        "tallies": report["tallies"],
        "sheets": [
            {**sheet, "more": max(0, len(sheet["created"]) - _NAMED_AT_MOST)}
            for sheet in report["sheets"]
        ],
        "named": f":{_NAMED_AT_MOST}",
        "changes": report["changes"],
        "can_carry_out": found.done_at is None and not report["problems"] and report["changes"],
        "is_outdated": is_outdated,
    }
    status = HTTPStatus.CONFLICT if is_outdated else HTTPStatus.OK
    return render(request, "onboarding/staff/preview.html", context, status=status)


def _workbook(
    name: str, sheets: Sequence[Sheet], rows: Mapping[str, Sequence[Mapping[str, object]]] | None
) -> HttpResponse:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "workbook.xlsx"
        write_workbook(path, rows=rows, sheets=sheets)
        content = path.read_bytes()
    response = HttpResponse(content, content_type=_XLSX)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response["Cache-Control"] = "no-store"
    return response
