"""Telling one person something: template message, subscription notification, customer-service text.

The three end alike, so that whoever notifies chooses the product and nothing else: `Sent`,
`Undeliverable` (never this way) or `Retryable` (not as far as we know; try later).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hospital.wechat.api import BUSY, TOKEN_REFUSED_TWICE, UNREACHED, Api, Said
from hospital.wechat.outcomes import Refused, Unknown

MOST_TEXT_BYTES = 2048

# This person or this message can never be served: nobody should try again.
UNDELIVERABLE = {
    "40003": "openid_unknown",
    "40037": "template_unknown",
    "41030": "page_unknown",
    "43004": "not_following",
    "43019": "blocked",
    "43101": "no_consent",
    "45015": "window_over",
    "45047": "too_many",
    "47001": "bad_message",
    "47003": "bad_field",
    "48001": "no_permission",
    "48004": "banned",
    "50005": "not_following",
}


@dataclass(frozen=True, kw_only=True)
class TemplateMessage:
    """`fields` maps the template's keys to values; `client_message_id` lets WeChat drop repeats."""

    openid: str
    template_id: str
    url: str
    fields: Mapping[str, str]
    client_message_id: str


@dataclass(frozen=True, kw_only=True)
class SubscriptionMessage:
    """A notification its reader has agreed to: one consent, one message. `url` is an address of
    ours, or in the mini program a page path with its query. WeChat drops no repeats here: a
    `Retryable` that is not `is_certain` may have used the consent already."""

    openid: str
    template_id: str
    url: str
    fields: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Sent:
    message_id: str


@dataclass(frozen=True, kw_only=True)
class Undeliverable:
    """Final: this message will never reach this person this way."""

    code: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Retryable:
    """Not sent, as far as we know; worth another try later.

    `is_certain`: WeChat said so itself, or nothing reached it. Otherwise the message may be there
    already, and a product that drops no repeats should rather not repeat it.
    """

    reason: str
    is_certain: bool = False


MessageOutcome = Sent | Undeliverable | Retryable


def send_template(api: Api, message: TemplateMessage) -> MessageOutcome:
    """Send one template message to one follower."""
    more = {"url": message.url, "client_msg_id": message.client_message_id}
    return _send(api, "template_message", "template/send", message, more)


def send_subscription(api: Api, message: SubscriptionMessage) -> MessageOutcome:
    """Send one notification of the Official Account for which a consent is left."""
    more = {"page": message.url}
    return _send(api, "subscription_message", "subscribe/bizsend", message, more)


def send_mini_subscription(api: Api, message: SubscriptionMessage) -> MessageOutcome:
    """Send one notification of the mini program for which a consent is left."""
    more = {"page": message.url, "miniprogram_state": "formal", "lang": "zh_CN"}
    return _send(api, "mini_subscription", "subscribe/send", message, more)


def send_text(api: Api, *, openid: str, text: str) -> MessageOutcome:
    """Answer somebody who wrote or tapped within the last 48 hours. Never repeated by itself:
    WeChat shows each copy. Longer texts than MOST_TEXT_BYTES are the caller's fault."""
    assert 0 < len(text.encode()) <= MOST_TEXT_BYTES, "a customer text of 1 to 2048 bytes"
    said = api.call(
        "customer_text",
        "POST",
        "/cgi-bin/message/custom/send",
        {"touser": openid, "msgtype": "text", "text": {"content": text}},
    )
    return outcome_of(said)


def outcome_of(said: Said) -> MessageOutcome:
    """What an answer means for the message."""
    if isinstance(said, Unknown):
        is_certain = said.reason in (BUSY, TOKEN_REFUSED_TWICE) or said.reason.startswith(UNREACHED)
        return Retryable(reason=said.reason, is_certain=is_certain)
    if isinstance(said, Refused):
        if said.code in UNDELIVERABLE:
            return Undeliverable(code=said.code, reason=UNDELIVERABLE[said.code])
        return Retryable(reason=f"errcode_{said.code}", is_certain=True)
    return Sent(message_id=str(said.get("msgid", "")))


def _send(
    api: Api,
    call: str,
    path: str,
    message: TemplateMessage | SubscriptionMessage,
    more: Mapping[str, str],
) -> MessageOutcome:
    """Send what is made of a template, `more` being what this product wants besides."""
    content = {
        "touser": message.openid,
        "template_id": message.template_id,
        "data": {key: {"value": value} for key, value in message.fields.items()},
        **more,
    }
    return outcome_of(api.call(call, "POST", f"/cgi-bin/message/{path}", content))
