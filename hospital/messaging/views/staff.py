"""The desk's pages about messages: the log, one message, the call list, how each kind looks."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import clock
from hospital.messaging import actions, forms, preview, queries
from hospital.messaging.permissions import CALL_PATIENT, RESEND, VIEW_MESSAGES
from hospital.messaging.queries import LogFilter
from hospital.messaging.registry import FOR_PATIENTS, KINDS, Kind
from hospital.messaging.states import OPEN, CallStatus, MessageStatus, Reason
from hospital.messaging.views import story
from hospital.patients import actions as patients

_PLACES = (
    ("messaging-log", "发送记录", VIEW_MESSAGES),
    ("messaging-calls", "电话通知", CALL_PATIENT),
    ("messaging-kinds", "消息样式", VIEW_MESSAGES),
)


@staff_page(VIEW_MESSAGES)
@require_http_methods(["GET", "HEAD", "POST"])
def log(request: StaffRequest) -> HttpResponse:
    """Messages by kind, status, reason, day and person; today's figures above.

    What is typed about a person is posted and stands sealed in the address it leads to.
    """
    today = clock.hospital_day(clock.now())
    if request.method == "POST":
        typed = forms.log_filter(request.POST, today=today)
        return redirect(f"{reverse('messaging-log')}?{_query(typed)}")
    narrowed = forms.log_filter(request.GET, today=today)
    rows, page = queries.log(narrowed=narrowed, page=request.GET.get("page", "1"))
    context = {
        "tabs": _tabs(request, "messaging-log"),
        "totals": queries.log_totals(day=today),
        "narrowed": narrowed,
        "kinds": [(kind.code, f"{kind.code} {kind.title}") for kind in FOR_PATIENTS],
        "statuses": queries.SHOWN_STATUSES.items(),
        "reasons": Reason.choices,
        "rows": rows,
        "page": page,
        "page_url": f"?{_query(narrowed)}&page=",
    }
    return render(request, "messaging/staff/log.html", context)


@staff_page(VIEW_MESSAGES)
@require_safe
def one(request: StaffRequest, message_id: int) -> HttpResponse:
    """One message: what it says, how it looks, and everything that was tried."""
    found = queries.message_story(message_id=message_id)
    message = found.message
    if message.patient_id is not None:
        patients.record_view(
            patient_id=message.patient_id, what="消息全程", by=request.actor, at=clock.now()
        )
    kind = message.about
    context = {
        "tabs": _tabs(request, ""),
        "message": message,
        "row": found.row,
        "kind": kind,
        "events": story.of_message(found),
        "looks": _looks(kind, message.fields),
        "may_resend": identity.may(request.user, RESEND)
        and message.status not in (*OPEN, MessageStatus.NOT_DONE),
        "is_under_way": message.status in OPEN,
    }
    return render(request, "messaging/staff/message.html", context)


@staff_page(RESEND)
@require_POST
def resend(request: StaffRequest, message_id: int) -> HttpResponse:
    """Send a message once more through its channels."""
    seen_round = forms.seen_round(request.POST)
    actions.resend(message_id=message_id, seen_round=seen_round, by=request.actor, at=clock.now())
    messages.success(request, "已重新提交发送，稍后刷新本页可以看到结果。")
    return redirect("messaging-story", message_id=message_id)


@staff_page(CALL_PATIENT)
@require_safe
def calls(request: StaffRequest) -> HttpResponse:
    """Patients whom urgent news reached in no other way."""
    return _calls(request)


@staff_page(CALL_PATIENT)
@require_POST
def call_phone(request: StaffRequest, task_id: int) -> HttpResponse:
    """Show the number to dial; that somebody saw it is audited with its purpose (X12).

    Raises CallClosed once the patient was told: there is nothing to dial for any more.
    """
    task = queries.call_task(task_id=task_id)
    if task.status == CallStatus.DONE:
        raise actions.CallClosed
    shown: dict[int, str] = {}
    if task.message.patient_id is not None:
        (phone,) = patients.reveal(
            patient_id=task.message.patient_id,
            what="phone",
            by=request.actor,
            at=clock.now(),
            reason=f"电话通知：{task.message.about.title}",
        )
        shown[task.pk] = phone or "没有登记手机号"
    return _calls(request, status=CallStatus(task.status), shown=shown)


@staff_page(CALL_PATIENT)
@require_POST
def close_call(request: StaffRequest, task_id: int) -> HttpResponse:
    """Record that the patient was told, or could not be reached."""
    status, note = forms.call_end(request.POST)
    actions.close_call(task_id=task_id, status=status, note=note, by=request.actor, at=clock.now())
    messages.success(request, f"已记录：{status.label}。")
    return redirect("messaging-calls")


@staff_page(VIEW_MESSAGES)
@require_safe
def kinds(request: StaffRequest) -> HttpResponse:
    """Every kind of message as it looks on the phone, with what cuts it."""
    context = {
        "tabs": _tabs(request, "messaging-kinds"),
        "kinds": [{"kind": kind, "looks": _looks(kind, kind.sample)} for kind in KINDS.values()],
    }
    return render(request, "messaging/staff/kinds.html", context)


def _calls(
    request: StaffRequest, *, status: CallStatus | None = None, shown: dict[int, str] | None = None
) -> HttpResponse:
    asked = request.GET.get("status", "")
    status = status or CallStatus(asked if asked in CallStatus.values else CallStatus.OPEN)
    rows = queries.calls(status=status)
    names = identity.staff_names(actors=[row.closed_by for row in rows])
    context = {
        "tabs": _tabs(request, "messaging-calls"),
        "status": status,
        "filters": [
            {
                "label": one.label,
                "url": f"{reverse('messaging-calls')}?status={one.value}",
                "active": one is status,
            }
            for one in CallStatus
        ],
        "rows": [
            {
                "call": row,
                "phone": (shown or {}).get(row.id, ""),
                "by": story.person(row.closed_by, names) if row.closed_by else "",
            }
            for row in rows
        ],
        "is_cut": len(rows) >= queries.CALLS_AT_MOST,
    }
    return render(request, "messaging/staff/calls.html", context)


def _looks(kind: Kind, fields: dict[str, str]) -> dict[str, object]:
    """The three ways a message meets its reader's eye."""
    return {
        "audience": kind.audience,
        "cards": preview.cards(kind, fields),
        "sms": preview.sms(kind, fields),
        "title": kind.title,
        "lines": queries.lines_of(kind, fields),
    }


def _tabs(request: StaffRequest, here: str) -> list[dict[str, object]]:
    waiting = queries.open_calls()
    return [
        {
            "label": label,
            "url": reverse(name),
            "active": name == here,
            "count": waiting if name == "messaging-calls" and waiting else "",
        }
        for name, label, permission in _PLACES
        if identity.may(request.user, permission)
    ]


def _query(narrowed: LogFilter) -> str:
    return urlencode(
        {
            "about": forms.about(narrowed.text),
            "kind": narrowed.kind,
            "status": narrowed.status,
            "reason": narrowed.reason,
            "start": narrowed.start.isoformat(),
            "end": narrowed.end.isoformat(),
        }
    )
