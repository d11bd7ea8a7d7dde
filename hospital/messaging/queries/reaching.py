"""Whether people heard of something: of many things at once, one answer each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from hospital.messaging.models import CallTask, Message
from hospital.messaging.states import OPEN, PUSHES, TOLD, CallStatus, Channel, MessageStatus

_BY: Final = {
    Channel.TEMPLATE: "微信",
    Channel.SUBSCRIPTION: "微信",
    Channel.SMS: "短信",
}


@dataclass(frozen=True, slots=True)
class Reached:
    """How those concerned heard of one thing: in words, whether it is settled, and the call that
    stands for it where nothing else reached anybody."""

    label: str
    tone: str
    is_open: bool
    call_status: CallStatus | None = None
    call_note: str = ""


def reached(*, kind: str, subject_type: str, subject_ids: Collection[int]) -> dict[int, Reached]:
    """Subject id → how its message of a kind got through; two statements. A thing nobody was told
    of is not in it."""
    found: dict[int, list[Message]] = defaultdict(list)
    rows = Message.objects.filter(
        kind=kind, subject_type=subject_type, subject_id__in=subject_ids, staff__isnull=True
    )
    for message in rows.order_by("pk"):
        found[message.subject_id].append(message)
    keys = {message.event_key for told in found.values() for message in told}
    tasks = {
        task.event_key: task for task in CallTask.objects.filter(kind=kind, event_key__in=keys)
    }
    return {
        subject_id: _reached(told, tasks.get(told[0].event_key))
        for subject_id, told in found.items()
    }


def _reached(told: list[Message], call: CallTask | None) -> Reached:
    ways = [Channel(message.channel) for message in told if _went_out(message)]
    if ways:
        words = "、".join(dict.fromkeys(_BY[way] for way in ways))
        return Reached(f"已通知（{words}）", "brand", is_open=False)
    if call is not None:
        return _by_call(call)
    if any(message.status in OPEN for message in told):
        return Reached("正在通知", "warn", is_open=True)
    return Reached("仅站内消息", "", is_open=False)


def _went_out(message: Message) -> bool:
    is_told = message.status in (*TOLD, MessageStatus.FALLBACK)
    return is_told and message.channel in PUSHES


def _by_call(call: CallTask) -> Reached:
    status = CallStatus(call.status)
    label, tone = {
        CallStatus.OPEN: ("待打电话", "danger"),
        CallStatus.DONE: ("电话已通知", "brand"),
        CallStatus.UNREACHABLE: ("电话联系不上", "danger"),
    }[status]
    return Reached(label, tone, status is CallStatus.OPEN, status, call.note)
