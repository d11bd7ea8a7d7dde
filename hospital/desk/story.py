"""Who did what when, as timeline events for the kit: one list from several areas' histories."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hospital.identity import queries as identity
from hospital.kernel.actors import Actor
from hospital.kernel.models import Transition
from hospital.messaging.queries import SentRow
from hospital.payments.queries import PaymentStory, case_reason
from hospital.payments.states import NoticeOutcome, PaymentStatus, RefundStatus, refund_failure
from hospital.registration.queries import HistoryRow

_KINDS = {"patient": "患者微信", "partner": "外部平台", "system": "系统"}
_WORDS = {
    "payments.payment": ("支付", dict(PaymentStatus.choices)),
    "payments.refund": ("退款", dict(RefundStatus.choices)),
}
_GOOD = {"booked", "settled", "succeeded"}


@dataclass(frozen=True)
class Event:
    """One line of a timeline; `tone` is "", "done", "warn" or "danger"."""

    at: dt.datetime
    title: str
    by: str = ""
    note: str = ""
    tone: str = ""


class Names:
    """Actors in words; staff names are read once for the whole page."""

    def __init__(self, actors: Iterable[str]) -> None:
        self._staff = identity.staff_names(actors=actors)

    def of(self, text: str) -> str:
        """ "staff:3" → "员工 林若水", "patient:…" → "患者微信", "system:0" → "系统"."""
        actor = Actor.parse(text)
        if actor.kind == "staff":
            return f"员工 {self._staff.get(text, actor.id)}"
        return _KINDS[actor.kind]


def of_appointment(
    steps: Sequence[HistoryRow], stories: Sequence[PaymentStory], sent: Sequence[SentRow]
) -> list[Event]:
    """The whole life of a booking: its moves, its bill's, its payments', notices and messages."""
    names = Names([step.by for step in steps])
    events = [
        Event(
            at=step.at,
            title=f"{step.subject}：{step.to_label}",
            by=names.of(step.by),
            note=step.reason,
        )
        for step in steps
    ]
    for story in stories:
        events += of_payment(story)
    events += [_message(row) for row in sent]
    return sorted(events, key=lambda event: event.at)


def of_payment(story: PaymentStory) -> list[Event]:
    """The life of one payment with its refunds, notices and cases."""
    payment = story.payment
    names = Names([move.by for move in story.moves])
    events = [
        Event(at=payment.created_at, title="支付：创建订单", note=payment.out_trade_no),
        *(_move(move, names) for move in story.moves),
        *(
            Event(
                at=notice.received_at,
                title=f"收到微信{notice.get_kind_display()}",
                note=NoticeOutcome(notice.outcome).label,
            )
            for notice in story.notices
        ),
        *(
            Event(
                at=case.opened_at,
                title=f"异常：{case.get_kind_display()}",
                note=case_reason(case.detail),
                tone="danger",
            )
            for case in story.cases
        ),
    ]
    return sorted(events, key=lambda event: event.at)


def _move(move: Transition, names: Names) -> Event:
    subject, labels = _WORDS[move.subject_type]
    return Event(
        at=move.at,
        title=f"{subject}：{labels[move.to_status]}",
        by=names.of(move.by),
        note=_why(move),
        tone="done" if move.to_status in _GOOD else "",
    )


def _why(move: Transition) -> str:
    """Why something moved; what WeChat says of a refused refund is a code."""
    if (move.subject_type, move.to_status) != ("payments.refund", RefundStatus.FAILED):
        return move.reason
    return f"{refund_failure(move.reason)}（{move.reason}）"


def _message(row: SentRow) -> Event:
    note = "、".join(part for part in (row.status_label, row.reason) if part)
    return Event(at=row.created_at, title=f"消息：{row.title}（{row.kind}）", note=note)
