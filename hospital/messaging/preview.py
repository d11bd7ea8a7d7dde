"""A message as it looks on the phone: the card in WeChat, the SMS, the limits that cut it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from hospital.messaging import approved, fitting
from hospital.messaging.approved import Template
from hospital.messaging.registry import Kind
from hospital.messaging.states import WECHAT, Channel

#: One SMS; a longer text is sent and charged as several of 67.
ONE_SMS: Final = 70
_PART: Final = 67
_UNSENDABLE: Final = "模板放不下这个值，整条微信消息发不出去"


@dataclass(frozen=True, slots=True)
class CardLine:
    """One line of a card: what WeChat prints, and what became of our value on the way."""

    label: str
    value: str
    whole: str
    limit: str
    problem: str = ""

    @property
    def is_cut(self) -> bool:
        return self.value != self.whole


@dataclass(frozen=True, slots=True)
class Card:
    """A message in WeChat, by the template of one channel."""

    channel: Channel
    title: str
    lines: list[CardLine]


@dataclass(frozen=True, slots=True)
class SmsText:
    """A message as SMS: `parts` is how many it is charged as."""

    text: str

    @property
    def length(self) -> int:
        return fitting.units(self.text)

    @property
    def parts(self) -> int:
        return 1 if self.length <= ONE_SMS else math.ceil(self.length / _PART)


def cards(kind: Kind, fields: Mapping[str, str]) -> list[Card]:
    """Return a message of a kind as each approved template shows it."""
    found = [(channel, approved.template_of(kind, channel)) for channel in WECHAT]
    return [_card(kind, channel, one, fields) for channel, one in found if one is not None]


def sms(kind: Kind, fields: Mapping[str, str]) -> SmsText | None:
    """Return the SMS of a message; None when the kind has none."""
    if not kind.sms:
        return None
    return SmsText(kind.sms_text(dict(fields), hospital=settings.HOSPITAL_NAME))


def _card(kind: Kind, channel: Channel, template: Template, fields: Mapping[str, str]) -> Card:
    lines = [
        _line(template.labels.get(key) or kind.fields[name], fields.get(name, ""), key)
        for name, key in template.keys.items()
    ]
    return Card(channel, template.title or kind.title, lines)


def _line(label: str, whole: str, key: str) -> CardLine:
    limit = fitting.LIMITS[fitting.type_of(key)]
    try:
        return CardLine(label, fitting.fit(whole, key=key), whole, limit)
    except fitting.DoesNotFit:
        return CardLine(
            label, whole, whole, limit, problem="模板放不下这个值，整条微信消息发不出去"
        )
