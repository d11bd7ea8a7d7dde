"""What users want to get, and whether somebody of an event has been told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from hospital.messaging.models import Message, MessagePreference
from hospital.messaging.registry import KINDS
from hospital.messaging.states import OPEN, PUSHES, TOLD, MessageStatus, Switch


@dataclass(frozen=True, slots=True)
class SwitchRow:
    """A switch as its owner sees it: what it is for, and where it stands."""

    switch: Switch
    text: str
    is_on: bool


def switches_of(*, wechat_user_id: int) -> list[SwitchRow]:
    """Return the switches that turn something off today, and then the one for the night."""
    wishes = MessagePreference.objects.filter(wechat_user=wechat_user_id)
    turned = dict(wishes.values_list("switch", "is_on"))
    titles = {
        switch: "、".join(kind.title for kind in KINDS.values() if kind.switch is switch)
        for switch in Switch
    }
    titles[Switch.ANYTIME] = "关闭时，不急的消息等到早上再发；您刚办的事夜里也照常回复"
    return [
        SwitchRow(switch, titles[switch], turned.get(switch, switch is not Switch.ANYTIME))
        for switch in Switch
        if titles[switch]
    ]


def wants_anytime(users: Collection[int]) -> set[int]:
    """Return those users who want messages at night too."""
    rows = MessagePreference.objects.filter(
        wechat_user__in=users, switch=Switch.ANYTIME, is_on=True
    )
    return set(rows.values_list("wechat_user_id", flat=True))


def told_at_once(users: Collection[int], *, since: dt.datetime) -> set[int]:
    """Return those users who got a message since a moment that did not have to wait."""
    rows = Message.objects.filter(
        wechat_user__in=users, created_at__gt=since, not_before__isnull=True
    )
    rows = rows.exclude(kind__in=[kind.code for kind in KINDS.values() if kind.is_urgent])
    return set(rows.values_list("wechat_user_id", flat=True))


def is_other_told(message: Message) -> bool:
    """Say whether another user has been told of the same event."""
    told = Q(status__in=TOLD) | Q(status=MessageStatus.FALLBACK, channel__in=PUSHES)
    return _others(message).filter(told).exists()


def is_other_open(message: Message) -> bool:
    """Say whether another user's message about the same event is still under way."""
    return _others(message).filter(status__in=OPEN).exists()


def _others(message: Message) -> QuerySet[Message]:
    rows = Message.objects.filter(event_key=message.event_key, kind=message.kind)
    return rows.exclude(pk=message.pk)
