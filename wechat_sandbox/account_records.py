"""Records of the account's side, one frozen dataclass per table of `account_schema`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Inbound:
    """A message or event for the merchant's server; `xml` is its plain form.

    `status`: waiting, sending, delivered or given_up. `awaits_reply` when the person sees that
    nobody answers.
    """

    id: int
    openid: str
    kind: str
    event: str
    event_key: str
    msg_id: int
    xml: str
    created_at: float
    status: str
    attempts: int
    next_at: float | None
    copies: int
    concurrent: bool
    awaits_reply: bool


@dataclass(frozen=True)
class CallbackDelivery:
    """One attempt to hand an inbound message over, and what the merchant's server answered."""

    id: int
    inbound_id: int
    openid: str
    kind: str
    event: str
    msg_id: int
    url: str
    mode: str
    attempt: int
    copy: int
    sent_at: float
    ms: float
    status: int | None
    answer: str
    error: str
    fault: str
    query: str
    body: str


@dataclass(frozen=True)
class ChatLine:
    """One thing said in the account's chat.

    `side`: `holder` or `account`. `source`: typed, passive (reply to a callback), customer
    (customer-service message) or trouble (nobody answered). `items` is JSON: the articles of
    `news`, the choices of `msgmenu`, the fields of others.
    """

    id: int
    openid: str
    side: str
    kind: str
    text: str
    items: str
    source: str
    at: float


@dataclass(frozen=True)
class Following:
    """How somebody came to follow the account."""

    openid: str
    how: str
    qr_scene: int
    qr_scene_str: str


@dataclass(frozen=True)
class ReplyWindow:
    """Until when, and how many, customer-service messages may be sent to this person."""

    openid: str
    until: float
    messages_left: int


@dataclass(frozen=True)
class Consent:
    """What a person agreed to get: `sends_left` messages, or any number when `permanent`."""

    openid: str
    template_id: str
    sends_left: int
    permanent: bool
    changed_at: float


@dataclass(frozen=True)
class ApprovedTemplate:
    """A template of the account or the mini program; `keys` is JSON: data key to label.

    `product`: template, subscription, or any.
    """

    template_id: str
    product: str
    title: str
    keys: str
    permanent: bool


@dataclass(frozen=True)
class QrCode:
    """A QR code with a scene; `expires_at` None is permanent."""

    ticket: str
    url: str
    action: str
    scene_id: int
    scene_str: str
    expires_at: float | None
    created_at: float

    @property
    def scene(self) -> str:
        """The scene as events write it."""
        return self.scene_str or str(self.scene_id)


@dataclass(frozen=True)
class RefreshToken:
    """Renews a log-in for thirty days."""

    token: str
    openid: str
    scope: str
    expires_at: float


@dataclass(frozen=True)
class Sms:
    """A text message that reached the number; the reference is the sender's."""

    id: int
    number: str
    text: str
    reference: str
    at: float
