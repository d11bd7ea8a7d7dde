"""审计查询: who did what to whom, for the audit administrators alone. Looking here is audited."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from hospital.desk import audit_sheet, audit_terms, audit_words
from hospital.desk.permissions import READ_AUDIT
from hospital.desk.thresholds import EXPORT_AT_MOST
from hospital.identity.access import StaffRequest, staff_page
from hospital.identity.queries.finding import account_ids
from hospital.kernel import acts, audit, clock
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound
from hospital.kernel.models import AuditEntry, AuditResult
from hospital.patients import queries as patients
from hospital.ui.typed import typed, typed_id

_SHOWN: Final = 50
_DAYS_SHOWN: Final = 7
_FIRST_YEAR, _LAST_YEAR = 2000, 2999
_READ, _EXPORT = "desk.read_audit", "desk.export_audit"


@dataclass(frozen=True)
class _Asked:
    """What the page is narrowed to: an outpatient number, what was typed about staff, an act or
    an area ("payments."), a result, the days (both included) and the entry to go on below."""

    person: str
    staff: str
    act: str
    result: str
    start: dt.date
    end: dt.date
    below: int | None

    def fields(self, **changes: object) -> list[tuple[str, str]]:
        """The same as hidden fields of a form; without what does not narrow."""
        there = {**vars(self), **changes}
        return [(name, str(value)) for name, value in there.items() if value]

    def query(self, **changes: object) -> str:
        """The same as part of an address."""
        return urlencode(self.fields(**changes))


@staff_page(READ_AUDIT)
@require_safe
def search(request: StaffRequest) -> HttpResponse:
    """The newest entries that fit, fifty at a time."""
    asked = _asked(request.GET)
    person = patients.patient_by_number(outpatient_no=asked.person) if asked.person else None
    person_id = person.pk if person is not None else None
    wanted = _wanted(asked, person_id)
    rows = list(audit.find(wanted)[: _SHOWN + 1])
    _note(request, _READ, _words(asked, wanted), person_id)
    shown = rows[:_SHOWN]
    context = {
        "asked": asked,
        "person": person,
        "lines": audit_words.lines(shown),
        "older": asked.query(below=shown[-1].pk) if len(rows) > _SHOWN else "",
        "newest": asked.query(below=None) if asked.below else "",
        "everybody": asked.query(person="", below=None),
        "kept": asked.fields(below=None),
        "groups": _groups(),
        "results": AuditResult.choices,
        "verified": audit.latest_verification(),
        "most": EXPORT_AT_MOST.value(),
    }
    return render(request, "desk/staff/audit.html", context)


@staff_page(READ_AUDIT)
@require_POST
def find_person(request: StaffRequest) -> HttpResponse:
    """Whose record it is about. By POST: document numbers and phones belong into no address."""
    text = typed(request.POST, "text", most=60)
    asked = _asked(request.POST)
    found = patients.find(text) if text else []
    if len(found) == 1:
        return redirect(_address(asked, person=found[0].outpatient_no))
    rows = [{"row": row, "url": _address(asked, person=row.outpatient_no)} for row in found]
    context = {"rows": rows, "was_typed": bool(text), "back": _address(asked)}
    return render(request, "desk/staff/audit_person.html", context)


@staff_page(READ_AUDIT)
@require_safe
def entry(request: StaffRequest, entry_id: int) -> HttpResponse:
    """One entry with everything it holds."""
    found = AuditEntry.objects.filter(pk=entry_id).first()
    if found is None:
        raise NotFound("没有这条审计记录。")
    _note(request, _READ, f"记录 {entry_id}", found.person_id)
    (line,) = audit_words.lines([found])
    context = {"line": line, "found": found}
    return render(request, "desk/staff/audit_entry.html", context)


@staff_page(READ_AUDIT)
@require_POST
def export(request: StaffRequest) -> HttpResponse:
    """The same rows as a marked workbook, for a purpose that is on record."""
    asked, at = replace(_asked(request.POST), below=None), clock.now()
    reason = typed(request.POST, "reason", most=200)
    if not reason:
        raise Invalid({"reason": ["请填写导出的用途。"]})
    person = patients.patient_by_number(outpatient_no=asked.person) if asked.person else None
    person_id = person.pk if person is not None else None
    wanted = _wanted(asked, person_id)
    rows = list(audit.find(wanted)[: EXPORT_AT_MOST.value()])
    mark = audit_sheet.Mark(settings.HOSPITAL_NAME, request.user.display_name, at, reason)
    packed = audit_sheet.workbook(audit_words.lines(rows), mark)
    audit.record(
        act=_EXPORT,
        subject=None,
        by=request.actor,
        at=at,
        after={"what": _words(asked, wanted), "rows": len(rows)},
        reason=reason,
        person_id=person_id,
    )
    response = HttpResponse(
        packed, content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    name = f"audit-{clock.local(at):%Y%m%d-%H%M}.xlsx"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _wanted(asked: _Asked, person_id: int | None) -> audit.Wanted:
    return audit.Wanted(
        person_id=person_id,
        by=_accounts(asked.staff),
        acts=[code for code in acts.all_acts() if code.startswith(asked.act)] if asked.act else (),
        result=asked.result,
        start=clock.at_local(asked.start),
        end=clock.at_local(asked.end + dt.timedelta(days=1)),
        below=asked.below,
    )


def _accounts(text: str) -> list[str]:
    """The accounts somebody typed the name of; nobody is one that does not exist."""
    if not text:
        return []
    return [f"staff:{pk}" for pk in account_ids(text)] or ["staff:0"]


def _asked(data: QueryDict) -> _Asked:
    """What was asked; nothing sensible is not narrowed, the latest week."""
    today = clock.today()
    end = _day(data.get("end", ""), today)
    start = _day(data.get("start", ""), end - dt.timedelta(days=_DAYS_SHOWN - 1))
    act, result = typed(data, "act", most=80), typed(data, "result", most=10)
    is_known = act in acts.all_acts() or act.rstrip(".") in audit_terms.AREAS
    return _Asked(
        person=typed(data, "person", most=10),
        staff=typed(data, "staff", most=40),
        act=act if is_known else "",
        result=result if result in AuditResult.values else "",
        start=min(start, end),
        end=max(start, end),
        below=typed_id(typed(data, "below", most=18)),
    )


def _day(text: str, default: dt.date) -> dt.date:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return default
    return day if _FIRST_YEAR <= day.year <= _LAST_YEAR else default


def _address(asked: _Asked, **changes: object) -> str:
    return f"{reverse('desk-audit')}?{asked.query(below=None, **changes)}"


def _groups() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Areas with their acts: the area's prefix, its name, (code, label) of each act."""
    by_area: dict[str, list[tuple[str, str]]] = {}
    for code, label in acts.all_acts().items():
        by_area.setdefault(code.partition(".")[0], []).append((code, label))
    return [(f"{area}.", audit_terms.AREAS.get(area, area), rows) for area, rows in by_area.items()]


def _words(asked: _Asked, wanted: audit.Wanted) -> str:
    """What was searched for, for the audit: ids and words of ours, nothing that was typed."""
    area = audit_terms.AREAS.get(asked.act.rstrip("."))
    act = area or (acts.label(asked.act) if asked.act else "")
    result = str(AuditResult(asked.result).label) if asked.result else ""
    staff = [f"员工 {Actor.parse(by).id}" for by in list(wanted.by)[:5]]
    parts = [f"{asked.start}至{asked.end}", act, result, *staff]
    return " ".join(part for part in parts if part)


def _note(request: StaffRequest, act: str, what: str, person_id: int | None) -> None:
    """Looking is an act too; the same look again within ten minutes is one."""
    by, at = request.actor, clock.now()
    if audit.seen_lately(act=act, person_id=person_id, what=what, by=by, at=at):
        return
    after = {"what": what}
    audit.record(act=act, subject=None, by=by, at=at, after=after, person_id=person_id)
