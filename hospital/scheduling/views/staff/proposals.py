"""智能排班: asked for a department and days, watched while it is computed, looked at beside the
roster made by hand, taken over as drafts or put aside."""

import datetime as dt
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, Refusal
from hospital.organisation import queries as organisation
from hospital.scheduling import actions, holidays, planning_forms, queries
from hospital.scheduling.actions.proposals import GIVEN_UP
from hospital.scheduling.permissions import DRAFT_ROSTER
from hospital.scheduling.proposal.problem import Assignment, Period
from hospital.scheduling.proposal_result import Result
from hospital.scheduling.queries import ProposalRow
from hospital.scheduling.states import ProposalStatus
from hospital.scheduling.views.staff.rosters import address, within_reach
from hospital.scheduling.weeks import days_through, monday_of
from hospital.ui.typed import typed_id
from hospital.ui.wording import day_text, weekday_text

_ONE_DAY: Final = dt.timedelta(days=1)
_SHORT: Final = {
    Period.AM: "上",
    Period.NOON: "中",
    Period.PM: "下",
    Period.EVENING: "晚",
    Period.NIGHT: "夜",
}
_TONES: Final = {
    ProposalStatus.WAITING: "info",
    ProposalStatus.RUNNING: "info",
    ProposalStatus.READY: "brand",
    ProposalStatus.UNSOLVABLE: "warn",
    ProposalStatus.FAILED: "danger",
    ProposalStatus.TAKEN: "brand",
    ProposalStatus.DROPPED: "",
}
_UNDER_WAY: Final = (ProposalStatus.WAITING, ProposalStatus.RUNNING)
_MOST_SENTENCES: Final = 20


@staff_page(DRAFT_ROSTER)
@require_http_methods(["GET", "HEAD", "POST"])
def department(request: StaffRequest, code: str) -> HttpResponse:
    """A department's proposals, and the form that asks for another one."""
    found = organisation.department(code)
    within_reach(request, found.pk)
    if request.method != "POST":
        return _form(request, found.pk, code, found.name)
    first = planning_forms.day_of(request.POST, "from")
    latest = planning_forms.day_of(request.POST, "to")
    try:
        if first is None or latest is None:
            raise Invalid({"from": ["请选择开始和结束日期。"]})
        proposal = actions.ask_proposal(
            department_id=found.pk,
            from_date=first,
            to_date=latest + _ONE_DAY,
            people=_ticked(request),
            by=request.actor,
            at=clock.now(),
        )
    except Refusal as refusal:
        note_refusal(request, refusal)
        return _form(request, found.pk, code, found.name, refusal)
    return redirect("scheduling-proposal", proposal.pk)


@staff_page(DRAFT_ROSTER)
@require_safe
def proposal(request: StaffRequest, proposal_id: int) -> HttpResponse:
    """One proposal: how far it is, then what was found or why nothing was."""
    row = _found(request, proposal_id)
    part = "#state" if request.htmx else ""
    return render(request, f"scheduling/staff/proposal.html{part}", _context(row))


@staff_page(DRAFT_ROSTER)
@require_POST
def take(request: StaffRequest, proposal_id: int) -> HttpResponse:
    """Take it over as drafts."""
    row = _found(request, proposal_id)
    taken = actions.take_proposal(proposal_id=row.id, by=request.actor, at=clock.now())
    messages.success(
        request, f"已放入 {taken.put} 个出诊，撤下原草稿 {taken.removed} 个；可以在排班表里继续改。"
    )
    for sentence in taken.left[:_MOST_SENTENCES]:
        messages.warning(request, sentence)
    if len(taken.left) > _MOST_SENTENCES:
        messages.warning(request, f"还有 {len(taken.left) - _MOST_SENTENCES} 个没有放入。")
    if taken.mondays:
        return redirect(address(row.department_code, taken.mondays[0]))
    return redirect("scheduling-proposal", row.id)


@staff_page(DRAFT_ROSTER)
@require_POST
def drop(request: StaffRequest, proposal_id: int) -> HttpResponse:
    """Put it aside."""
    row = _found(request, proposal_id)
    actions.drop_proposal(proposal_id=row.id, by=request.actor, at=clock.now())
    messages.success(request, "已放弃这份智能排班，排班表没有改动。")
    return redirect("scheduling-proposals", row.department_code)


def _found(request: StaffRequest, proposal_id: int) -> ProposalRow:
    row = queries.proposal_row(proposal_id=proposal_id)
    within_reach(request, row.department_id)
    return row


def _form(
    request: StaffRequest, department_id: int, code: str, name: str, refusal: Refusal | None = None
) -> HttpResponse:
    errors = refusal.errors if isinstance(refusal, Invalid) else {}
    sentences = [one for each in errors.values() for one in each]
    first = (clock.today().replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    latest = (first + dt.timedelta(days=32)).replace(day=1) - _ONE_DAY
    usual = queries.usual_people(department_id=department_id, at=clock.now())
    people = organisation.practitioners_of(department_id, on=clock.today())
    chosen = _ticked(request) if request.method == "POST" else usual
    proposals = queries.proposals_of(department_id=department_id)
    names = identity.staff_names(actors=[row.asked_by for row in proposals])
    context = {
        "code": code,
        "department": name,
        "from": request.POST.get("from", first.isoformat()),
        "to": request.POST.get("to", latest.isoformat()),
        "people": [
            {"row": one, "is_ticked": one.pk in chosen or (not usual and not refusal)}
            for one in people
        ],
        "needs": len(queries.needs_of(department_id=department_id)),
        "proposals": [
            {
                "row": row,
                "tone": _TONES[ProposalStatus(row.status)],
                "asked_by": names.get(row.asked_by, "系统"),
            }
            for row in proposals
        ],
        "sentences": sentences or ([refusal.message] if refusal else []),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refusal else HTTPStatus.OK
    return render(request, "scheduling/staff/proposals.html", context, status=status)


def _ticked(request: StaffRequest) -> set[int]:
    found = (typed_id(text) for text in request.POST.getlist("person"))
    return {one for one in found if one is not None}


def _context(row: ProposalRow) -> dict[str, object]:
    at = clock.now()
    elapsed = int((at - row.started_at).total_seconds()) if row.started_at else 0
    code = row.department_code
    return {
        "row": row,
        "code": code,
        "tone": _TONES[ProposalStatus(row.status)],
        "is_under_way": row.status in _UNDER_WAY,
        "is_waiting": row.status == ProposalStatus.WAITING,
        "elapsed": min(max(elapsed, 0), row.seconds),
        "is_explaining": elapsed > row.seconds + 5,
        "is_lost": elapsed > GIVEN_UP.total_seconds(),
        "here": reverse("scheduling-proposal", args=[row.id]),
        "take_url": reverse("scheduling-proposal-take", args=[row.id]),
        "may_take": row.status in (ProposalStatus.READY, ProposalStatus.UNSOLVABLE),
        "result": row.result,
        "is_solved": bool(row.result and row.result.parts),
        "over": _over(row.result) if row.result else None,
        **(_grid(row, row.result) if row.result else {}),
        "weeks": _weeks(row, code) if row.status == ProposalStatus.TAKEN else [],
    }


def _over(result: Result) -> int | None:
    """By how many percent it may lie above the best there is; None where that says nothing."""
    if result.is_optimal or result.bound <= 0:
        return None
    return round(100 * (result.points - result.bound) / result.bound)


def _weeks(row: ProposalRow, code: str) -> list[dict[str, object]]:
    monday = monday_of(row.from_date)
    found: list[dict[str, object]] = []
    while monday <= row.latest:
        found.append({"label": f"{day_text(monday)}起", "url": address(code, monday)})
        monday += dt.timedelta(days=7)
    return found


def _grid(row: ProposalRow, result: Result) -> dict[str, object]:
    """Doctors by days, each session a mark whose title says all of it."""
    special = queries.special_days(row.from_date, row.latest)
    days = days_through(row.from_date, row.latest)
    resting = {day for day in days if holidays.is_rest_day(day, special.get(day))}
    order = list(Period)
    by_cell: dict[tuple[str, dt.date], list[Assignment]] = {}
    for one in sorted(result.roster, key=lambda one: order.index(one.period)):
        by_cell.setdefault((one.person, one.day), []).append(one)
    people = result.names["people"]
    marks = marks_of(result.names["services"].values())
    return {
        "days": [
            {"day": day, "weekday": weekday_text(day)[-1:], "is_rest": day in resting}
            for day in days
        ],
        "lines": [
            {
                "name": name,
                "cells": [
                    {
                        "is_rest": day in resting,
                        "marks": [
                            _mark(one, result.names, marks)
                            for one in by_cell.get((person, day), [])
                        ],
                    }
                    for day in days
                ],
                "count": sum(len(by_cell.get((person, day), [])) for day in days),
                "rest": sum(1 for day in resting if (person, day) in by_cell),
            }
            for person, name in people.items()
        ],
        "legend": "、".join(f"{mark} {name}" for name, mark in marks.items() if mark),
    }


def marks_of(names: Iterable[str]) -> dict[str, str]:
    """A character for each 号别, its first one that no other has; none where there is only one."""
    found: dict[str, str] = {}
    different = sorted(set(names))
    if len(different) <= 1:
        return dict.fromkeys(different, "")
    for name in different:
        others = "".join(one for one in different if one != name)
        found[name] = next((one for one in name if one not in others), name[:1])
    return found


def _mark(
    one: Assignment, names: Mapping[str, Mapping[str, str]], marks: Mapping[str, str]
) -> dict[str, str]:
    service = names["services"].get(one.service, "")
    room = names["rooms"].get(one.room or "", "")
    day = f"{day_text(one.day)} {weekday_text(one.day)}"
    return {
        "text": _SHORT[one.period] + marks.get(service, ""),
        "title": f"{day} {one.period.label} {service} {room}",
    }
