"""What a callback of the Official Account says, typed. Everything a person or WeChat may send.

A kind or an event we have no name for is kept under WeChat's own word, lower-cased.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from hospital.wechat.signing import Unreadable
from hospital.wechat.xml import Element

QR_PREFIX: Final = "qrscene_"
_LONGEST: Final = {"openid": 64, "message_id": 64, "event": 40, "event_key": 1024}
_CONSENT_EVENTS: Final = {
    "subscribe_msg_popup_event": "SubscribeMsgPopupEvent",
    "subscribe_msg_change_event": "SubscribeMsgChangeEvent",
}


class InboundKind(StrEnum):
    """MsgType."""

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    SHORT_VIDEO = "shortvideo"
    LOCATION = "location"
    LINK = "link"
    EVENT = "event"


class InboundEvent(StrEnum):
    """The events that mean something to us, as WeChat spells them without regard to case."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    SCAN = "scan"
    CLICK = "click"
    VIEW = "view"
    LOCATION = "location"
    TEMPLATE_SENT = "templatesendjobfinish"
    NOTIFICATION_SENT = "subscribe_msg_sent_event"
    CONSENT_ASKED = "subscribe_msg_popup_event"
    CONSENT_CHANGED = "subscribe_msg_change_event"


@dataclass(frozen=True, kw_only=True)
class DeliveryReport:
    """What became of a message we sent; `status` are WeChat's words ("success", "failed:…").

    For a subscription notification WeChat tells the number only here, so `template_id` says which
    one it was; for a template message it is empty.
    """

    message_id: str
    status: str
    template_id: str = ""


@dataclass(frozen=True, kw_only=True)
class ConsentReport:
    """Somebody allowed or refused notifications of one template."""

    template_id: str
    is_accepted: bool


@dataclass(frozen=True, kw_only=True)
class InboundMessage:
    """One message or event. `event` is "" unless `kind` is EVENT. `event_key` is the menu's key,
    the address opened, or the QR code's scene, which is also in `scene`; `content` is the text.

    `message_id` tells repeats of a message; events carry none and are told by all their facts.
    """

    kind: InboundKind
    openid: str
    account: str
    created_at: datetime
    message_id: str = ""
    content: str = ""
    event: str = ""
    event_key: str = ""
    scene: str = ""
    deliveries: tuple[DeliveryReport, ...] = ()
    consents: tuple[ConsentReport, ...] = ()


class UnknownKind(Exception):
    """WeChat has a new type of message that nobody here knows."""


def read_inbound(root: Element) -> InboundMessage:
    """A whole document. Raises Unreadable, UnknownKind."""
    openid = _short(root, "FromUserName", "openid")
    if not openid or not openid.isascii():
        raise Unreadable("openid")
    kind = _kind(root)
    event = _short(root, "Event", "event").lower() if kind is InboundKind.EVENT else ""
    if kind is InboundKind.EVENT and not event:
        raise Unreadable("event")
    key = _short(root, "EventKey", "event_key")
    return InboundMessage(
        kind=kind,
        openid=openid,
        account=_short(root, "ToUserName", "openid"),
        created_at=_moment(root.value("CreateTime")),
        message_id=_short(root, "MsgId", "message_id"),
        content=root.value("Content") or root.value("Recognition"),
        event=event,
        event_key=key.removeprefix(QR_PREFIX) if event == InboundEvent.SUBSCRIBE else key,
        scene=_scene(event, key),
        deliveries=_deliveries(root, event),
        consents=_consents(root, event),
    )


def _kind(root: Element) -> InboundKind:
    word = root.value("MsgType").lower()
    if not word:
        raise Unreadable("kind")
    try:
        return InboundKind(word)
    except ValueError as error:
        raise UnknownKind from error


def _short(root: Element, name: str, what: str) -> str:
    text = root.value(name)
    if len(text) > _LONGEST[what]:
        raise Unreadable(what)
    return text


def _moment(text: str) -> datetime:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise Unreadable("created_at")
    return datetime.fromtimestamp(int(text), UTC)


def _scene(event: str, key: str) -> str:
    if event == InboundEvent.SUBSCRIBE and key.startswith(QR_PREFIX):
        return key.removeprefix(QR_PREFIX)
    return key if event == InboundEvent.SCAN else ""


def _deliveries(root: Element, event: str) -> tuple[DeliveryReport, ...]:
    if event == InboundEvent.TEMPLATE_SENT:
        return _reports([(root.value("MsgID"), root.value("Status"), "")])
    if event == InboundEvent.NOTIFICATION_SENT:
        rows = _rows(root, "SubscribeMsgSentEvent")
        return _reports(
            [
                (row.value("MsgID"), row.value("ErrorStatus"), row.value("TemplateId"))
                for row in rows
            ]
        )
    return ()


def _reports(rows: list[tuple[str, str, str]]) -> tuple[DeliveryReport, ...]:
    return tuple(
        DeliveryReport(message_id=number[:64], status=status[:64], template_id=template[:64])
        for number, status, template in rows
        if number and status
    )


def _consents(root: Element, event: str) -> tuple[ConsentReport, ...]:
    rows = _rows(root, _CONSENT_EVENTS[event]) if event in _CONSENT_EVENTS else []
    return tuple(
        ConsentReport(template_id=row.value("TemplateId")[:64], is_accepted=word == "accept")
        for row in rows
        if (word := row.value("SubscribeStatusString")) in ("accept", "reject")
        and row.value("TemplateId")
    )


def _rows(root: Element, name: str) -> list[Element]:
    """The rows of an event, whether they come as <List> one by one or as one list of <item>."""
    body = root.child(name)
    lists = [each for each in body.children if each.name == "List"] if body else []
    items = [item for each in lists for item in each.children if item.name == "item"]
    return items or lists
