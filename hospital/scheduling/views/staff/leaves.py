"""请假: asked by the doctor or entered by the office, decided session by session (M15.3).

Whoever may ask reaches the own leaves, those of the own departments, or everybody's.
"""

import datetime as dt
from collections.abc import Callable
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.organisation import queries as organisation
from hospital.scheduling import actions, planning_forms, queries
from hospital.scheduling.actions import Answer
from hospital.scheduling.permissions import (
    ASK_LEAVE,
    ASK_STOP,
    DECIDE_LATE_LEAVE,
    DECIDE_LEAVE,
    STOP_SESSIONS,
)
from hospital.scheduling.queries import LeaveRow
from hospital.scheduling.states import LeaveAnswer, LeaveStatus, StopReason, StopRequestStatus
from hospital.ui.typed import typed, typed_id

_TONES = {
    LeaveStatus.ASKED: "warn",
    LeaveStatus.APPROVED: "brand",
    LeaveStatus.REFUSED: "danger",
    LeaveStatus.WITHDRAWN: "",
}
_STOP_TONES = {
    StopRequestStatus.ASKED: "warn",
    StopRequestStatus.DONE: "danger",
    StopRequestStatus.REFUSED: "",
    StopRequestStatus.WITHDRAWN: "",
}
_KEPT = dt.timedelta(days=90)
_STOPS_KEPT = dt.timedelta(days=14)


@staff_page(ASK_LEAVE)
@require_safe
def leaves(request: StaffRequest) -> HttpResponse:
    """What waits for a decision first, then what stands and what was decided lately."""
    at = clock.now()
    people = _people(request)
    waiting = queries.leave_rows(statuses=[LeaveStatus.ASKED], practitioner_ids=people, at=at)
    others = [status for status in LeaveStatus if status != LeaveStatus.ASKED]
    decided = queries.leave_rows(statuses=others, practitioner_ids=people, since=at - _KEPT, at=at)
    context = {
        "waiting": [_line(row) for row in waiting],
        "decided": [_line(row) for row in reversed(decided)],
        "may_decide": identity.may(request.user, DECIDE_LEAVE),
        "stops": _stops(request, people, at),
        "may_stop": identity.may(request.user, STOP_SESSIONS),
        "here": reverse("scheduling-leaves"),
    }
    part = "#lists" if request.htmx else ""
    return render(request, f"scheduling/staff/leaves.html{part}", context)


@staff_page(ASK_LEAVE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: StaffRequest) -> HttpResponse:
    """The form of a leave for oneself or a colleague within reach; with `session` for just that
    session's hours."""
    if request.method != "POST":
        return _form(request)
    try:
        practitioner_id = _asked_for(request)
        starts_at, ends_at = _stretch(request, practitioner_id)
        leave = actions.ask_leave(
            practitioner_id=practitioner_id,
            starts_at=starts_at,
            ends_at=ends_at,
            reason=typed(request.POST, "reason", most=10),
            note=typed(request.POST, "note", most=200),
            by=request.actor,
            at=clock.now(),
        )
    except NotFound:
        raise
    except Refusal as refusal:
        note_refusal(request, refusal)
        return _form(request, refusal)
    messages.success(request, "请假已提交，等待门诊办审批。")
    return redirect("scheduling-leave", leave.pk)


@staff_page(ASK_LEAVE)
@require_safe
def leave(request: StaffRequest, leave_id: int) -> HttpResponse:
    """One leave within reach: the sessions it touches, and what may be done about it."""
    return _page(request, _within_reach(request, leave_id))


@staff_page(DECIDE_LEAVE)
@require_POST
def approve(request: StaffRequest, leave_id: int) -> HttpResponse:
    """Approve, with stop or substitute for every session."""

    def work() -> str:
        found = actions.approve_leave(
            leave_id=leave_id,
            answers=_answers(request),
            is_head=identity.may(request.user, DECIDE_LATE_LEAVE),
            by=request.actor,
            at=clock.now(),
        )
        return f"已批准，{found.decisions.count()} 个出诊已处理。"

    return _done(request, leave_id, work)


@staff_page(DECIDE_LEAVE)
@require_POST
def refuse(request: StaffRequest, leave_id: int) -> HttpResponse:
    """Refuse, with the reason."""

    def work() -> str:
        actions.refuse_leave(
            leave_id=leave_id,
            note=typed(request.POST, "note", most=200),
            by=request.actor,
            at=clock.now(),
        )
        return "已驳回，医生会收到短信。"

    return _done(request, leave_id, work)


@staff_page(ASK_LEAVE)
@require_POST
def withdraw(request: StaffRequest, leave_id: int) -> HttpResponse:
    """Take a leave back; an approved one only the office ends (销假)."""
    was_approved = _within_reach(request, leave_id).status == LeaveStatus.APPROVED

    def work() -> str:
        actions.withdraw_leave(
            leave_id=leave_id,
            note=typed(request.POST, "note", most=200),
            may_end_approved=identity.may(request.user, DECIDE_LEAVE),
            by=request.actor,
            at=clock.now(),
        )
        if was_approved:
            return "已销假。停诊或替诊过的出诊不会自动恢复，需要的请逐个恢复。"
        return "请假已撤回，出诊照常。"

    return _done(request, leave_id, work)


def _done(request: StaffRequest, leave_id: int, work: Callable[[], str]) -> HttpResponse:
    """Do it and say so, or show the page again with what was chosen and the refusal."""
    try:
        sentence = work()
    except NotFound:
        raise
    except Refusal as refusal:
        note_refusal(request, refusal)
        return _page(request, _within_reach(request, leave_id), refusal)
    messages.success(request, sentence)
    return redirect("scheduling-leave", leave_id)


def _page(request: StaffRequest, row: LeaveRow, refusal: Refusal | None = None) -> HttpResponse:
    is_open = row.status == LeaveStatus.ASKED
    may_decide = identity.may(request.user, DECIDE_LEAVE)
    own = row.practitioner_id == request.user.practitioner_id
    decides = is_open and may_decide and not own
    ids = [session.schedule_id for session in row.sessions]
    free = queries.substitutes(schedule_ids=ids) if decides else {}
    chosen = _chosen(request)
    names = identity.staff_names(actors=[row.asked_by, row.decided_by])
    context = {
        **_line(row),
        "asked_by": names.get(row.asked_by, "系统"),
        "decided_by": names.get(row.decided_by, "系统") if row.decided_by else "",
        "sessions": [
            {
                "row": session,
                "free": free.get(session.schedule_id, []),
                "is_stopped": may_decide and session.decided == LeaveAnswer.STOP.label,
                "chosen": chosen.get(session.schedule_id, ("", None)),
            }
            for session in row.sessions
        ],
        "decides": decides,
        "is_own": own and may_decide,
        "needs_head": row.is_late and not identity.may(request.user, DECIDE_LATE_LEAVE),
        "may_withdraw": row.ends_at > clock.now()
        and (is_open or (row.status == LeaveStatus.APPROVED and may_decide)),
        "note": typed(request.POST, "note", most=200),
        "refusal": refusal,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refusal else HTTPStatus.OK
    return render(request, "scheduling/staff/leave.html", context, status=status)


def _form(request: StaffRequest, refusal: Refusal | None = None) -> HttpResponse:
    data = request.POST if request.method == "POST" else request.GET
    people = _pickable(request)
    session_id = typed_id(data.get("session", ""))
    session = _session(request, session_id) if session_id else None
    errors = refusal.errors if isinstance(refusal, Invalid) else {}
    sentences = [one for each in errors.values() for one in each]
    context = {
        "people": people,
        "session": session,
        "typed": {
            "practitioner": typed_id(data.get("practitioner", "")) or request.user.practitioner_id,
            "reason": data.get("reason", ""),
            "note": typed(data, "note", most=200),
            "from": data.get("from", ""),
            "to": data.get("to", ""),
            "from_part": data.get("from_part", "am"),
            "to_part": data.get("to_part", "evening"),
        },
        "reasons": StopReason.choices,
        "parts": [(value, label) for value, (label, *_) in planning_forms.PARTS.items()],
        "sentences": sentences or ([refusal.message] if refusal else []),
        "today": clock.today(),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refusal else HTTPStatus.OK
    return render(request, "scheduling/staff/leave_new.html", context, status=status)


def _asked_for(request: StaffRequest) -> int:
    """Whose leave it is: somebody within reach. Raises NotFound, Invalid."""
    session_id = typed_id(request.POST.get("session", ""))
    if session_id is not None:
        session = _session(request, session_id)
        assert session["practitioner_id"] is not None
        return int(str(session["practitioner_id"]))
    wanted = typed_id(request.POST.get("practitioner", ""))
    if wanted is None:
        raise Invalid.of("practitioner", "请选择医生。")
    if wanted not in {person_id for person_id, _ in _pickable(request)}:
        raise NotFound("没有找到这位医生。")
    return wanted


def _stretch(request: StaffRequest, practitioner_id: int) -> tuple[dt.datetime, dt.datetime]:
    session_id = typed_id(request.POST.get("session", ""))
    if session_id is None:
        return planning_forms.stretch(request.POST)
    facts = queries.session_facts(schedule_id=session_id)
    return facts.starts_at, facts.ends_at


def _session(request: StaffRequest, session_id: int) -> dict[str, object]:
    """A session of a doctor within reach. Raises NotFound."""
    facts = queries.session_facts(schedule_id=session_id)
    people = {person_id for person_id, _ in _pickable(request)}
    if facts.practitioner_id is None or facts.practitioner_id not in people:
        raise NotFound("没有找到这次出诊。")
    return {
        "id": facts.id,
        "practitioner_id": facts.practitioner_id,
        "doctor": facts.doctor_label,
        "day": facts.visit_date,
        "period": facts.period_label,
        "starts_at": facts.starts_at,
        "ends_at": facts.ends_at,
        "department": facts.department_name,
    }


def _answers(request: StaffRequest) -> dict[int, Answer]:
    """Session → stop or substitute; whatever was not answered is missing."""
    return {
        schedule_id: Answer(LeaveAnswer(answer), person)
        for schedule_id, (answer, person) in _chosen(request).items()
        if answer == LeaveAnswer.STOP or (answer == LeaveAnswer.SUBSTITUTE and person is not None)
    }


def _chosen(request: StaffRequest) -> dict[int, tuple[str, int | None]]:
    """ "answer-12" is "stop", or "for-7": the practitioner 7 sits there instead."""
    found: dict[int, tuple[str, int | None]] = {}
    for name, value in request.POST.items():
        schedule_id = typed_id(name.removeprefix("answer-")) if name.startswith("answer-") else None
        if schedule_id is None:
            continue
        text = str(value)
        if text == LeaveAnswer.STOP:
            found[schedule_id] = (LeaveAnswer.STOP, None)
        elif text.startswith("for-") and (person := typed_id(text.removeprefix("for-"))):
            found[schedule_id] = (LeaveAnswer.SUBSTITUTE, person)
    return found


def _within_reach(request: StaffRequest, leave_id: int) -> LeaveRow:
    row = queries.leave_row(leave_id=leave_id, at=clock.now())
    people = _people(request)
    if people is not None and row.practitioner_id not in people:
        raise NotFound("没有找到这条请假。")
    return row


def _people(request: StaffRequest) -> set[int] | None:
    """The practitioners whose leaves the visitor reaches, None for everybody's."""
    within = identity.reach(request.user, ASK_LEAVE)
    if within.is_everything:
        return None
    found = set(within.practitioner_ids)
    for department_id in within.department_ids:
        colleagues = organisation.practitioners_of(department_id, on=clock.today())
        found |= {person.pk for person in colleagues}
    if request.user.practitioner_id is not None:
        found.add(request.user.practitioner_id)
    return found


def _pickable(request: StaffRequest) -> list[tuple[int, str]]:
    """Whom the visitor may enter a leave for: id and label, by pinyin."""
    people = _people(request)
    return [
        (person_id, label)
        for person_id, label in organisation.practitioner_labels().items()
        if people is None or person_id in people
    ]


def _stops(
    request: StaffRequest, people: set[int] | None, at: dt.datetime
) -> list[dict[str, object]]:
    """What department heads asked to be called off, for the office and for those it touches."""
    found = queries.stop_requests(
        practitioner_ids=people,
        department_ids=identity.reach(request.user, ASK_LEAVE).department_ids,
        since=at - _STOPS_KEPT,
        at=at,
    )
    names = identity.staff_names(
        actors={one for row in found for one in (row.asked_by, row.decided_by)}
    )
    asking = identity.reach(request.user, ASK_STOP)
    return [
        {
            "row": row,
            "tone": _STOP_TONES[StopRequestStatus(row.status)],
            "asked_name": names.get(row.asked_by, ""),
            "decided_name": names.get(row.decided_by, ""),
            "may_withdraw": asking.covers(
                department_id=row.session.department_id,
                practitioner_id=row.session.practitioner_id,
            ),
        }
        for row in found
    ]


def _line(row: LeaveRow) -> dict[str, object]:
    return {"row": row, "tone": _TONES[LeaveStatus(row.status)]}
