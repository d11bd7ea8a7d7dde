"""One message's life as timeline events for the kit."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from hospital.identity import queries as identity
from hospital.kernel.actors import Actor
from hospital.kernel.models import Transition
from hospital.messaging.models import CallTask, Delivery
from hospital.messaging.queries import MessageStory
from hospital.messaging.states import (
    CallStatus,
    Channel,
    MessageStatus,
    Outcome,
    Reason,
)

_TONES: Final = {
    Outcome.SENT: "done",
    Outcome.DELIVERED: "done",
    Outcome.FAILED: "danger",
    Outcome.SKIPPED: "warn",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a timeline; `tone` is "", "done", "warn" or "danger"."""

    at: dt.datetime
    title: str
    by: str = ""
    note: str = ""
    tone: str = ""


def of_message(story: MessageStory) -> list[Event]:
    """From the inbox over every channel to whoever telephoned, in the order it happened."""
    message = story.message
    names = identity.staff_names(actors=[move.by for move in story.moves] + _callers(story.call))
    events = [Event(message.created_at, "进入站内消息", "系统")]
    if message.not_before is not None:
        events.append(Event(message.not_before, "夜间免打扰结束，开始发送", "系统"))
    # Moves first: of two things in one moment the cause stands above what it led to.
    events += [event for move in story.moves if (event := _move(move, names))]
    for delivery in story.deliveries:
        events += _delivery(delivery)
    if story.call is not None:
        events += _call(story.call, names)
    if message.read_at is not None:
        events.append(Event(message.read_at, "用户打开了消息", "患者微信", tone="done"))
    return sorted(events, key=lambda event: event.at)


def person(text: str, names: dict[str, str]) -> str:
    """ "staff:3" → "员工 林若水", "system:0" → "系统"."""
    actor = Actor.parse(text)
    if actor.kind == "staff":
        return f"员工 {names.get(text, actor.id)}"
    return {"patient": "患者微信", "partner": "外部平台"}.get(actor.kind, "系统")


def _callers(call: CallTask | None) -> list[str]:
    return [call.closed_by] if call is not None and call.closed_by else []


def _delivery(delivery: Delivery) -> list[Event]:
    channel, outcome = Channel(delivery.channel).label, Outcome(delivery.outcome)
    reason = str(Reason(delivery.reason).label) if delivery.reason else ""
    tries = f"试了 {delivery.tries} 次" if delivery.tries > 1 else ""
    number = f"编号 {delivery.provider_id}" if delivery.provider_id else ""
    events = []
    if delivery.sent_at is not None:
        note = "，".join(part for part in (tries, number) if part)
        events.append(Event(delivery.sent_at, f"{channel}：已发送", "系统", note, "done"))
        if delivery.ended_at is None:
            return events
        title = "微信报告已送达" if outcome is Outcome.DELIVERED else "微信报告未送达"
        return [*events, Event(delivery.ended_at, title, "微信", reason, _TONES[outcome])]
    note = "，".join(part for part in (reason, tries) if part)
    at = delivery.ended_at or delivery.started_at
    return [Event(at, f"{channel}：{outcome.label}", "系统", note, _TONES.get(outcome, ""))]


def _move(move: Transition, names: dict[str, str]) -> Event | None:
    """What the channels' own lines do not tell already."""
    by = person(move.by, names)
    if move.from_status in (MessageStatus.QUEUED, MessageStatus.PREPARATION) and (
        move.to_status == MessageStatus.NOT_DONE
    ):
        return Event(move.at, "不再发送", by, move.reason, "warn")
    if move.to_status == MessageStatus.QUEUED and by != "系统":
        return Event(move.at, "再次发送", by)
    return None


def _call(call: CallTask, names: dict[str, str]) -> list[Event]:
    events = [Event(call.opened_at, "列入电话通知名单", "系统", tone="warn")]
    if call.closed_at is not None:
        status = CallStatus(call.status)
        tone = "done" if status is CallStatus.DONE else "danger"
        by = person(call.closed_by, names)
        events.append(Event(call.closed_at, f"电话：{status.label}", by, call.note, tone))
    return events
