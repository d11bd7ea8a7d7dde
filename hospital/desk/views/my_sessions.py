"""我的出诊: a doctor's own sessions ahead, leave and wishes; today's patients by their numbers."""

import datetime as dt
from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hospital.desk.views.appointments import TONES
from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, NotFound
from hospital.registration import queries as registration
from hospital.registration.permissions import ADD_ON, CLOSE_SESSION, VIEW_APPOINTMENTS
from hospital.registration.states import AppointmentStatus
from hospital.scheduling import actions, queries
from hospital.scheduling.permissions import VIEW_OWN_SESSIONS
from hospital.scheduling.queries import OwnSession
from hospital.scheduling.states import LeaveStatus, ScheduleStatus, SessionPeriod, WishMind
from hospital.ui.masks import mask_name
from hospital.ui.typed import typed, typed_id

_DAYS: Final = 28
_STATUS_TONES: Final = {
    ScheduleStatus.PUBLISHED: "info",
    ScheduleStatus.RELEASED: "brand",
    ScheduleStatus.IN_SESSION: "brand",
    ScheduleStatus.SUSPENDED: "danger",
}
_LEAVE_TONES: Final = {
    LeaveStatus.ASKED: "warn",
    LeaveStatus.APPROVED: "brand",
    LeaveStatus.REFUSED: "danger",
    LeaveStatus.WITHDRAWN: "",
}
_GONE: Final = (AppointmentStatus.CANCELLED, AppointmentStatus.ENTERED_IN_ERROR)
_WEEKDAYS: Final = tuple(enumerate("一二三四五六日", start=1))


@staff_page(VIEW_OWN_SESSIONS)
@require_safe
def my_sessions(request: StaffRequest) -> HttpResponse:
    """Four weeks of the visitor's own sessions; who is no practitioner has none."""
    return _page(request)


@staff_page(VIEW_OWN_SESSIONS)
@require_safe
def patients(request: StaffRequest, schedule_id: int) -> HttpResponse:
    """Who comes to an own session of today, or of last night, names shown in part."""
    at = clock.now()
    today = clock.today()
    mine = _own(request, today, today, at) if identity.may(request.user, VIEW_APPOINTMENTS) else []
    session = next((one for one in mine if one.schedule_id == schedule_id), None)
    if session is None or session.holder:
        raise NotFound("只能查看自己今天的出诊。")
    rows = registration.appointments_of_schedule(schedule_id=schedule_id, at=at)
    context = {
        "session": session,
        "rows": [
            {"row": row, "name": mask_name(row.patient_name), "tone": TONES[row.status]}
            for row in rows
            if row.status not in _GONE
        ],
    }
    return render(request, "desk/staff/my_patients.html", context)


@staff_page(VIEW_OWN_SESSIONS)
@require_POST
def wish(request: StaffRequest) -> HttpResponse:
    """Keep a wish for the own roster."""
    data = request.POST
    text = typed(data, "day", most=10)
    try:
        actions.save_wish(
            practitioner_id=_practitioner(request),
            visit_date=_date(text),
            weekday=typed_id(data.get("weekday", "")),
            session_period=typed(data, "session_period", most=10),
            mind=typed(data, "mind", most=10),
            weight=typed_id(data.get("weight", "")) or 1,
            at=clock.now(),
        )
    except Invalid as refusal:
        note_refusal(request, refusal)
        return _page(request, refusal)
    messages.success(request, "意愿已记下，下次智能排班会照顾。")
    return redirect("desk-my-sessions")


@staff_page(VIEW_OWN_SESSIONS)
@require_POST
def forget_wish(request: StaffRequest, wish_id: int) -> HttpResponse:
    """Take an own wish back."""
    actions.remove_wish(practitioner_id=request.user.practitioner_id or 0, wish_id=wish_id)
    messages.success(request, "意愿已删除。")
    return redirect("desk-my-sessions")


def _page(request: StaffRequest, refusal: Invalid | None = None) -> HttpResponse:
    at, today = clock.now(), clock.today()
    found = _own(request, today, today + dt.timedelta(days=_DAYS - 1), at)
    ahead = [one for one in found if one.is_open and not one.holder]
    practitioner_id = request.user.practitioner_id
    leaves = (
        queries.leave_rows(practitioner_ids=[practitioner_id], since=at, at=at)
        if practitioner_id
        else []
    )
    context = {
        "is_practitioner": practitioner_id is not None,
        "weeks": _weeks(request, found, at),
        "sessions": len(ahead),
        "sold": sum(one.sold for one in ahead),
        "leaves": [{"row": row, "tone": _LEAVE_TONES[LeaveStatus(row.status)]} for row in leaves],
        "wishes": queries.wishes_of(practitioner_id=practitioner_id, since=today)
        if practitioner_id
        else [],
        "weekdays": _WEEKDAYS,
        "periods": SessionPeriod.choices,
        "minds": WishMind.choices,
        "typed": request.POST,
        "sentences": [one for each in refusal.errors.values() for one in each] if refusal else [],
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refusal else HTTPStatus.OK
    return render(request, "desk/staff/my_sessions.html", context, status=status)


def _weeks(
    request: StaffRequest, found: list[OwnSession], at: dt.datetime
) -> list[dict[str, object]]:
    """Sessions by week, each with what may be done about it."""
    today = clock.hospital_day(at)
    may_add = identity.may(request.user, ADD_ON)
    may_close = identity.may(request.user, CLOSE_SESSION)
    may_view = identity.may(request.user, VIEW_APPOINTMENTS)
    monday = today - dt.timedelta(days=today.weekday())
    weeks: dict[int, list[dict[str, object]]] = {}
    for one in found:
        number = max(0, (one.day - monday).days // 7)
        own, is_over = not one.holder and one.is_open, one.ends_at <= at
        weeks.setdefault(number, []).append(
            {
                "row": one,
                "tone": _STATUS_TONES.get(ScheduleStatus(one.status), ""),
                "is_today": one.day <= today,
                "may_list": may_view and one.day <= today and not one.holder,
                "may_add": may_add and own and not is_over,
                "may_stop": own and not is_over,
                "goes_on": own and one.is_running and is_over,
                "may_close": may_close and own and one.is_running and is_over,
            }
        )
    names = {0: "本周", 1: "下周"}
    return [
        {"label": names.get(number, f"{number} 周后"), "rows": rows}
        for number, rows in sorted(weeks.items())
    ]


def _own(
    request: StaffRequest, first: dt.date, latest: dt.date, at: dt.datetime
) -> list[OwnSession]:
    """The own sessions of days; a night that began the day before is still one until it ends, and
    while somebody waits."""
    if request.user.practitioner_id is None:
        return []
    found = queries.own_sessions(
        practitioner_id=request.user.practitioner_id,
        first=first - dt.timedelta(days=1),
        latest=latest,
        at=at,
    )
    return [one for one in found if one.day >= first or one.ends_at > at or one.is_running]


def _practitioner(request: StaffRequest) -> int:
    if request.user.practitioner_id is None:
        raise Invalid({"day": ["您的账号没有关联医生，请联系系统管理员。"]})
    return int(request.user.practitioner_id)


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
