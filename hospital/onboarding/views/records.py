"""Master data one kind at a time: the list, the form of a row, its history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import clock, pinyin
from hospital.kernel.errors import Invalid
from hospital.kernel.upserts import MasterRow
from hospital.onboarding import actions, forms, queries
from hospital.onboarding.actions.records import SavedRecord
from hospital.onboarding.kinds import Integer, Yuan
from hospital.onboarding.needs import Need
from hospital.onboarding.permissions import EDIT_MASTER, VIEW_MASTER
from hospital.onboarding.queries import ListedRow
from hospital.onboarding.sheets import SHEETS
from hospital.onboarding.tables import Sheet
from hospital.onboarding.views.frame import tabs
from hospital.onboarding.words import Names, cells_of
from hospital.ui.typed import typed_id
from hospital.ui.wording import moment_text

_ROWS_A_PAGE = 50
_OPTIONS_AT_MOST = 12


@dataclass
class Filled:
    """A form as it is shown: its cells, the entry it knows of, and what is to be said about it."""

    cells: Mapping[str, str]
    seen: int = 0
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    needs: Sequence[Need] = ()
    warning: str = ""
    waits: str = ""

    @property
    def is_refused(self) -> bool:
        return bool(self.errors or self.notes or self.needs or self.warning)


@staff_page(VIEW_MASTER)
@require_safe
def start(request: StaffRequest) -> HttpResponse:
    """The first kind of master data."""
    return redirect("onboarding-rows", queries.PAGES[1].slug)


@staff_page(VIEW_MASTER)
@require_safe
def rows(request: StaffRequest, slug: str) -> HttpResponse:
    """The rows of one kind: searched as one types, filtered, sorted, page by page."""
    sheet = queries.sheet_of(slug)
    text = request.GET.get("q", "").strip()[:40]
    state = request.GET.get("state", "")
    state = state if state in queries.STATES and sheet.can_switch_off else ""
    sort = request.GET.get("sort", "")[:40]
    found = queries.listed(sheet, text=text, state=state, sort=sort, on=clock.today())
    page = Paginator(found, _ROWS_A_PAGE).get_page(request.GET.get("page"))
    here = reverse("onboarding-rows", args=[slug])
    kept = {"q": text, "state": state}
    context = {
        "sheet": sheet,
        "tabs": tabs(slug),
        "here": here,
        "text": text,
        "state": state,
        "states": queries.STATES.items() if sheet.can_switch_off else (),
        "sort": sort,
        "headings": _headings(sheet, sort, here, kept),
        "page": page,
        "lines": [_line(sheet, row) for row in page.object_list],
        "page_url": f"{here}?{urlencode({**kept, 'sort': sort})}&page=",
        "may_edit": identity.may(request.user, EDIT_MASTER),
        "is_narrowed": bool(text or state),
    }
    part = "#rows" if request.htmx and not request.htmx.boosted else ""
    return render(request, f"onboarding/staff/rows.html{part}", context)


@staff_page(VIEW_MASTER)
@require_safe
def options(request: StaffRequest, slug: str) -> HttpResponse:
    """Rows of one kind to choose from in another form, found by what was typed there."""
    sheet = queries.sheet_of(slug)
    text = next((str(value) for name, value in request.GET.items() if name.endswith("_text")), "")
    wanted = pinyin.fold(text[:40])
    found = queries.listed(sheet, text=wanted, state="active", on=clock.today())
    context = {
        "options": [
            {"value": row.cells[0], "label": row.cells[1], "hint": row.cells[0]}
            for row in found[:_OPTIONS_AT_MOST]
        ]
    }
    return render(request, "ui/components/options.html", context)


@staff_page(EDIT_MASTER)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: StaffRequest, slug: str) -> HttpResponse:
    """The form of a new row."""
    sheet = queries.sheet_of(slug)
    if request.method != "POST":
        return form_page(request, sheet, None, Filled(forms.blank(sheet)))
    return _save(request, sheet, None)


@staff_page(VIEW_MASTER)
@require_safe
def edit(request: StaffRequest, slug: str, address: str) -> HttpResponse:
    """The form of a row; whoever may only look gets it without buttons."""
    sheet = queries.sheet_of(slug)
    row = queries.row_of(sheet, address, on=clock.today())
    return form_page(request, sheet, row, as_saved(sheet, row))


@staff_page(EDIT_MASTER)
@require_POST
def save(request: StaffRequest, slug: str, address: str) -> HttpResponse:
    """Save the form of a row, or show it again with what was typed and why not."""
    sheet = queries.sheet_of(slug)
    return _save(request, sheet, queries.row_of(sheet, address, on=clock.today()))


@staff_page(EDIT_MASTER)
@require_POST
def off(request: StaffRequest, slug: str, address: str) -> HttpResponse:
    """Switch a row off, or say what still needs it."""
    return _switch(request, slug, address, off=True)


@staff_page(EDIT_MASTER)
@require_POST
def on(request: StaffRequest, slug: str, address: str) -> HttpResponse:
    """Switch a row on again."""
    return _switch(request, slug, address, off=False)


@staff_page(VIEW_MASTER)
@require_safe
def history(request: StaffRequest, slug: str, address: str) -> HttpResponse:
    """Every version of a row: who changed what, when, from what to what."""
    sheet = queries.sheet_of(slug)
    row = queries.row_of(sheet, address, on=clock.today())
    context = {
        "sheet": sheet,
        "tabs": tabs(slug),
        "label": queries.label_of(sheet, row),
        "row_url": reverse("onboarding-row", args=[slug, address]),
        "steps": queries.steps_of(sheet, row),
    }
    return render(request, "onboarding/staff/history.html", context)


def _switch(request: StaffRequest, slug: str, address: str, *, off: bool) -> HttpResponse:
    sheet = queries.sheet_of(slug)
    row = queries.row_of(sheet, address, on=clock.today())
    try:
        saved = actions.switch_off(
            sheet=sheet, address=address, off=off, by=request.actor, at=clock.now()
        )
    except actions.StillNeeded as refusal:
        return form_page(request, sheet, row, replace(as_saved(sheet, row), needs=refusal.needs))
    except Invalid as refusal:
        return form_page(request, sheet, row, replace(as_saved(sheet, row), errors=refusal.errors))
    _tell(request, saved, "已停用。" if off else "已重新启用。")
    return redirect("onboarding-row", slug, address)


def as_saved(sheet: Sheet, row: MasterRow) -> Filled:
    """The form of a row nobody has typed into yet."""
    seen = queries.latest_entry(sheet, row)
    return Filled(cells_of(sheet, row), seen=seen, waits=queries.waits(sheet, row))


def _save(request: StaffRequest, sheet: Sheet, row: MasterRow | None) -> HttpResponse:
    cells = forms.cells(sheet, request.POST)
    if row is not None:
        # What names the row stands in the form to be read and is not sent.
        cells |= {name: text for name, text in cells_of(sheet, row).items() if name in sheet.key}
    filled = Filled(cells, seen=typed_id(request.POST.get("seen", "")) or 0)
    try:
        saved = actions.save_record(
            sheet=sheet,
            cells=cells,
            address=queries.address_of(sheet, row.values) if row else None,
            seen=filled.seen,
            by=request.actor,
            at=clock.now(),
        )
    except Invalid as refusal:
        return form_page(request, sheet, row, replace(filled, errors=refusal.errors))
    except actions.StillNeeded as refusal:
        return form_page(request, sheet, row, replace(filled, needs=refusal.needs))
    except actions.ChangedMeanwhile as refusal:
        return form_page(request, sheet, row, _overtaken(sheet, refusal))
    _tell(request, saved, "已保存。" if saved.changed else "没有变化。")
    if queries.find(sheet, saved.address, on=clock.today()) is None:
        # A role ended on the day it begins was never held; a fee of next year is not there yet.
        return redirect("onboarding-rows", sheet.slug)
    return redirect("onboarding-row", sheet.slug, saved.address)


def _overtaken(sheet: Sheet, refusal: actions.ChangedMeanwhile) -> Filled:
    """The form with both persons' changes; where they differ, the other's stands beside it."""
    who = queries.staff_words(entry.by for entry in refusal.entries)
    latest = refusal.entries[-1]
    names = Names(sheet, SHEETS)
    notes: dict[str, list[str]] = {}
    for other in refusal.kept:
        change = names.change(other.in_words)
        notes[other.column.field] = [f"对方改成了“{change.after or '空'}”，这里保留了您填的内容"]
    for other in refusal.taken:
        change = names.change(other.in_words)
        notes[other.column.field] = [f"已换成对方的修改：原来是“{change.before or '空'}”"]
    warning = (
        f"您打开这一页以后，{who[latest.by]}在 {moment_text(latest.at)} 改过这条数据，"
        "您的修改还没有保存。请核对下面标出的内容，再按一次保存。"
    )
    return Filled(refusal.cells, seen=latest.pk, notes=notes, warning=warning)


def _tell(request: StaffRequest, saved: SavedRecord, text: str) -> None:
    messages.success(request, text)
    for need in saved.warnings:
        messages.warning(request, f"{need.text}。")


def form_page(
    request: StaffRequest, sheet: Sheet, row: MasterRow | None, filled: Filled
) -> HttpResponse:
    """The form as `filled` says, with the row's version and what may be done with it."""
    may_edit = identity.may(request.user, EDIT_MASTER)
    address = queries.address_of(sheet, row.values) if row else ""
    steps = queries.steps_of(sheet, row) if row else []
    photo = row.photo if row else ""
    context = {
        "sheet": sheet,
        "tabs": tabs(sheet.slug),
        "label": queries.label_of(sheet, row) if row else "",
        "row": row,
        "address": address,
        "back": reverse("onboarding-rows", args=[sheet.slug]),
        "action": reverse("onboarding-save", args=[sheet.slug, address])
        if row
        else reverse("onboarding-new", args=[sheet.slug]),
        "fields": forms.fields(
            sheet,
            filled.cells,
            names=Names(sheet, SHEETS).by_field,
            errors=filled.errors,
            notes=filled.notes,
            is_new=row is None,
        ),
        "filled": filled,
        "form_errors": filled.errors.get("", ()),
        "latest": steps[0] if steps else None,
        "photo": photo,
        "photo_url": reverse("onboarding-photo", args=[photo]) if photo else "",
        "has_photo": sheet.slug == "practitioners" and row is not None,
        "is_changed": filled.is_refused and "photo" not in filled.errors,
        "may_edit": may_edit,
        "can_switch": may_edit and row is not None and sheet.can_switch_off,
        "is_active": bool(row.values.get("is_active", True)) if row else True,
        "period": queries.period_of(sheet, row, on=clock.today()) if row else "",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if filled.is_refused else HTTPStatus.OK
    return render(request, "onboarding/staff/row.html", context, status=status)


def _headings(
    sheet: Sheet, sort: str, here: str, kept: Mapping[str, str]
) -> list[dict[str, object]]:
    """The listed columns with the address that sorts by each, then the other way round."""
    columns = {column.field: column for column in sheet.columns}
    found: list[dict[str, object]] = []
    for name in sheet.listed:
        is_up, is_down = sort == name, sort == f"-{name}"
        query = urlencode({**kept, "sort": f"-{name}" if is_up else name})
        found.append(
            {
                "label": columns[name].heading,
                "url": f"{here}?{query}",
                "order": "ascending" if is_up else "descending" if is_down else "",
                "is_number": name in _numbers(sheet),
            }
        )
    return found


def _line(sheet: Sheet, row: ListedRow) -> dict[str, object]:
    numbers = _numbers(sheet)
    cells = zip(sheet.listed, row.cells, strict=True)
    return {"row": row, "cells": [(text, name in numbers) for name, text in cells]}


def _numbers(sheet: Sheet) -> set[str]:
    """The fields whose cells are figures, to be set right."""
    return {column.field for column in sheet.columns if isinstance(column.kind, Yuan | Integer)}
