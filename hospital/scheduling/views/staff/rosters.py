"""排班表: the weeks of every department, one week's grid, what is different in it, and its way to
the patients: submitted by the department, approved by the outpatient office (M15.1)."""

import datetime as dt
from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.organisation import queries as organisation
from hospital.scheduling.actions import publishing, rosters
from hospital.scheduling.actions.publishing import Published
from hospital.scheduling.models import Roster
from hospital.scheduling.permissions import DRAFT_ROSTER, MANAGE_ROSTERS
from hospital.scheduling.queries import roster_changes, roster_grid
from hospital.scheduling.queries import rosters as found
from hospital.scheduling.queries.unmade import unmade
from hospital.scheduling.states import RosterStatus
from hospital.scheduling.weeks import DAYS, monday_of
from hospital.ui.typed import typed, typed_id

_WEEKS: Final = 6
#: How many days away a week may lie that somebody wants to see or copy.
FARTHEST: Final = 400
_WEEK: Final = dt.timedelta(days=DAYS)
TONES: Final = {"": "", "draft": "warn", "submitted": "info", "published": "brand"}


@staff_page(DRAFT_ROSTER)
@require_safe
def overview(request: StaffRequest) -> HttpResponse:
    """The coming weeks of the departments within reach; those late for their release first said."""
    today = clock.today()
    within = identity.reach(request.user, DRAFT_ROSTER)
    departments = None if within.is_everything else within.department_ids
    rows = found.department_weeks(
        department_ids=departments,
        today=today,
        weeks=_WEEKS,
    )
    cells = [cell for row in rows for cell in row.weeks]
    context = {
        "rows": [
            {
                "department": row.department,
                "weeks": [
                    {"cell": cell, "url": address(row.department.code, cell.monday)}
                    for cell in row.weeks
                ],
            }
            for row in rows
        ],
        "mondays": [
            {"first": day, "last": day + _WEEK - dt.timedelta(days=1)}
            for day in (monday_of(today) + number * _WEEK for number in range(_WEEKS))
        ],
        "today": today,
        "late": sum(cell.is_late for cell in cells),
        "submitted": sum(cell.status == RosterStatus.SUBMITTED for cell in cells),
        "drafts": sum(cell.status == RosterStatus.DRAFT for cell in cells),
        "tones": TONES,
        "unmade": [
            {"row": row, "url": address(row.department_code, monday_of(row.visit_date))}
            for row in unmade(department_ids=departments, at=clock.now())
        ],
        "may_manage": identity.may(request.user, MANAGE_ROSTERS),
    }
    return render(request, "scheduling/staff/rosters.html", context)


@staff_page(DRAFT_ROSTER)
@require_safe
def week(request: StaffRequest, code: str, monday: str) -> HttpResponse:
    """A department's week as a grid; of a week nobody opened what the templates have."""
    context = _week_context(request, code, monday)
    part = "#grid" if request.htmx else ""
    return render(request, f"scheduling/staff/roster.html{part}", context)


@staff_page(DRAFT_ROSTER)
@require_POST
def open_week(request: StaffRequest, code: str, monday: str) -> HttpResponse:
    """Begin to draft a week."""
    first = _monday(monday)
    department = organisation.department(code)
    within_reach(request, department.pk)
    rosters.open_week(department_id=department.pk, monday=first, by=request.actor, at=clock.now())
    return redirect(address(code, first))


@staff_page(DRAFT_ROSTER)
@require_safe
def changes(request: StaffRequest, roster_id: int) -> HttpResponse:
    """What is different from what patients have and from last week, and who did what."""
    roster = own_roster(request, roster_id)
    return render(request, "scheduling/staff/roster_changes.html", _changes(request, roster))


@staff_page(DRAFT_ROSTER)
@require_POST
def advance(request: StaffRequest, roster_id: int) -> HttpResponse:
    """Submit, take back, open for revision, give back to the templates: what a department may do
    itself."""
    roster = own_roster(request, roster_id)
    acts = {
        "submit": (publishing.submit_roster, "已提交门诊办公室审核。"),
        "withdraw": (publishing.withdraw_roster, "已撤回，可以继续修改。"),
        "revise": (publishing.revise_roster, "可以修改了；在重新发布之前，患者看到的不变。"),
        "close": (rosters.close_week, "草稿已放弃，这一周重新按出诊模板生成。"),
    }
    act, words = acts.get(request.POST.get("do", ""), (None, ""))
    if act is None:
        raise NotFound
    try:
        act(roster_id=roster.pk, version=_version(request), by=request.actor, at=clock.now())
    except Refusal as refusal:
        note_refusal(request, refusal)
        return _refused(request, roster, refusal)
    messages.success(request, words)
    return redirect(address_of(roster))


@staff_page(MANAGE_ROSTERS)
@require_POST
def decide(request: StaffRequest, roster_id: int) -> HttpResponse:
    """Publish, or give back with a reason: the outpatient office's."""
    roster = own_roster(request, roster_id)
    at, version, verdict = clock.now(), _version(request), request.POST.get("do")
    if verdict not in {"return", "publish"}:
        raise NotFound
    try:
        if verdict == "return":
            reason = typed(request.POST, "reason", most=200)
            publishing.return_roster(
                roster_id=roster.pk, version=version, reason=reason, by=request.actor, at=at
            )
            messages.success(request, "已退回科室。")
        else:
            done = publishing.publish_roster(
                roster_id=roster.pk, version=version, by=request.actor, at=at
            )
            messages.success(request, _told(done))
    except Refusal as refusal:
        note_refusal(request, refusal)
        return _refused(request, roster, refusal)
    return redirect(address_of(roster))


def address(code: str, monday: dt.date) -> str:
    """Where a department's week is."""
    return reverse("scheduling-roster", args=[code, monday.isoformat()])


def address_of(roster: Roster) -> str:
    return address(roster.department.code, roster.monday)


def shown_periods(request: StaffRequest) -> str:
    """What an address of the grid ends with while every period is shown."""
    return "?periods=all" if request.GET.get("periods") == "all" else ""


def own_roster(request: StaffRequest, roster_id: int) -> Roster:
    """A roster within reach. Raises NotFound."""
    roster = found.roster(roster_id=roster_id)
    within_reach(request, roster.department_id)
    return roster


def within_reach(request: StaffRequest, department_id: int) -> None:
    """Raises NotFound for other people's departments."""
    if not identity.may(request.user, DRAFT_ROSTER, department_id=department_id):
        raise NotFound("没有找到这个科室的排班表。")


def grid_context(
    request: StaffRequest, roster: Roster, *, refusal: Refusal | None = None, refused: str = ""
) -> dict[str, object]:
    """What the grid of a roster is drawn from; a refusal is shown in the cell it is about."""
    at = clock.now()
    is_draft = bool(roster.pk) and roster.status == RosterStatus.DRAFT
    undo, redo = (
        roster_changes.can_undo(roster, by=str(request.actor)) if is_draft else (False, False)
    )
    here = address_of(roster)
    suffix = shown_periods(request)
    grid = roster_grid.grid(roster=roster, at=at, all_periods=bool(suffix))
    return {
        "roster": roster,
        "department": roster.department,
        "monday": roster.monday,
        "sunday": roster.monday + _WEEK - dt.timedelta(days=1),
        "grid": grid,
        "all_periods": bool(suffix),
        "suffix": suffix,
        "roster_topic": f"roster:{roster.pk}",
        "is_draft": is_draft,
        "is_opened": bool(roster.pk),
        "label": found.state_label(roster if roster.pk else None),
        "tone": TONES[roster.status if roster.pk else ""],
        "due_on": found.due_on(roster.monday),
        "is_late": clock.hospital_day(at) > found.due_on(roster.monday)
        and found.is_waited_for(roster, missing=grid.missing),
        "can_undo": undo,
        "can_redo": redo,
        "refusal": refusal,
        "refused": refused,
        "here": here,
        "before": address(roster.department.code, roster.monday - _WEEK),
        "after": address(roster.department.code, roster.monday + _WEEK),
        "may_manage": identity.may(request.user, MANAGE_ROSTERS),
        "changed_by": identity.staff_names(actors=[roster.changed_by]).get(
            roster.changed_by, "系统"
        ),
        "is_past": roster.monday + _WEEK <= clock.hospital_day(at),
    }


def _week_context(request: StaffRequest, code: str, monday: str) -> dict[str, object]:
    first = _monday(monday)
    department = organisation.department(code, active_only=False)
    within_reach(request, department.pk)
    roster = found.roster_of(department_id=department.pk, monday=first)
    return grid_context(request, roster or Roster(department=department, monday=first))


def _changes(
    request: StaffRequest, roster: Roster, *, refusal: Refusal | None = None
) -> dict[str, object]:
    return {
        "roster": roster,
        "label": found.state_label(roster),
        "tone": TONES[roster.status],
        "here": address_of(roster),
        "sunday": roster.monday + _WEEK - dt.timedelta(days=1),
        "published": roster_changes.against_published(roster),
        "last_week": roster_changes.against_last_week(roster),
        "history": roster_changes.history(roster),
        "conflicts": roster_grid.grid(roster=roster, at=clock.now()).conflicts,
        "may_manage": identity.may(request.user, MANAGE_ROSTERS),
        "refusal": refusal,
        "reason": typed(request.POST, "reason", most=200),
    }


def _refused(request: StaffRequest, roster: Roster, refusal: Refusal) -> HttpResponse:
    now = found.roster(roster_id=roster.pk)
    return render(
        request,
        "scheduling/staff/roster_changes.html",
        _changes(request, now, refusal=refusal),
        status=HTTPStatus.UNPROCESSABLE_ENTITY
        if isinstance(refusal, Invalid)
        else HTTPStatus.CONFLICT,
    )


def _version(request: StaffRequest) -> int:
    return typed_id(request.POST.get("version", "")) or 0


def _told(done: Published) -> str:
    words = [f"已发布：新开 {done.made} 次出诊"]
    if done.cancelled:
        words.append(f"撤下 {done.cancelled} 次")
    if done.moved:
        words.append(f"换诊室 {done.moved} 次")
    if done.over:
        words.append(f"{done.over} 次时间已过，没有发布")
    return "，".join(words) + "。"


def _monday(text: str) -> dt.date:
    """Raises NotFound for what is no Monday near enough."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise NotFound("没有找到这一周。") from None
    if day.isoweekday() != 1 or abs((day - clock.today()).days) > FARTHEST:
        raise NotFound("没有找到这一周。")
    return day
