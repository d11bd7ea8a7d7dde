"""The stand-in's records, one frozen dataclass per table; field names are column names.

Moments are float seconds since the epoch, money is integer fen. A record is a snapshot: to change
one, write the table and read it again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class User:
    """A person with a phone: `openid` towards the account, `mp_openid` the mini program."""

    openid: str
    mp_openid: str
    unionid: str
    nickname: str
    colour: str
    subscribed: bool
    subscribed_at: float
    blocked: bool
    snapshot: bool
    password: str
    balance_fen: int
    created_at: float
    phone_number: str


@dataclass(frozen=True)
class Order:
    """A merchant order; `request` is the first prepay as canonical JSON, for the repeat rule."""

    out_trade_no: str
    appid: str
    mchid: str
    trade_type: str
    description: str
    attach: str
    notify_url: str
    total_fen: int
    openid: str
    payer_openid: str
    device_id: str
    request: str
    state: str
    transaction_id: str | None
    bank_type: str
    created_at: float
    expires_at: float
    success_at: float | None
    closed_at: float | None


@dataclass(frozen=True)
class Prepay:
    """One prepay id of an order; several may exist, each lives two hours."""

    prepay_id: str
    out_trade_no: str
    created_at: float


@dataclass(frozen=True)
class PayCode:
    """A payment code a phone showed (18 digits)."""

    code: str
    openid: str
    created_at: float
    expires_at: float
    used: bool


@dataclass(frozen=True)
class Scan:
    """Whom a scanned order charges. `asks`: the phone wants the password. The payment arrives by
    itself at `lands_at`, or just before a reversal (`lands_on_reverse`)."""

    out_trade_no: str
    auth_code: str
    openid: str
    asks: bool
    lands_at: float | None
    lands_on_reverse: bool


@dataclass(frozen=True)
class Reversal:
    """A scanned order whose money had left and went back."""

    out_trade_no: str
    refund_id: str
    at: float


@dataclass(frozen=True)
class Refund:
    """A refund. `held` keeps it PROCESSING until somebody decides."""

    out_refund_no: str
    refund_id: str
    out_trade_no: str
    transaction_id: str
    amount_fen: int
    total_fen: int
    reason: str
    notify_url: str
    funds_account: str
    request: str
    status: str
    held: bool
    created_at: float
    due_at: float
    success_at: float | None


@dataclass(frozen=True)
class RefundEnd:
    """A refund left PROCESSING, or came out of ABNORMAL; kept for the bills."""

    id: int
    out_refund_no: str
    status: str
    at: float


@dataclass(frozen=True)
class RefundPlan:
    """How a refund is going to end, when not simply with SUCCESS to where the money came from."""

    out_refund_no: str
    ends_as: str
    channel: str
    account: str


@dataclass(frozen=True)
class BillFile:
    """What a download link leads to, until it expires."""

    token: str
    text: str
    expires_at: float


@dataclass(frozen=True)
class WalletEntry:
    """Money that left (negative) or came (positive); `balance_fen` is the change after it."""

    id: int
    openid: str
    amount_fen: int
    balance_fen: int
    kind: str
    title: str
    method: str
    out_trade_no: str
    out_refund_no: str
    at: float


@dataclass(frozen=True)
class Notice:
    """A notification to the merchant: id and body never change, signatures are made per attempt."""

    id: str
    event_type: str
    out_trade_no: str
    out_refund_no: str
    subject: str
    url: str
    body: str
    created_at: float
    status: str
    attempts: int
    next_at: float | None
    copies: int
    concurrent: bool


@dataclass(frozen=True)
class Delivery:
    """One attempt to hand over a notice, and what the merchant answered."""

    id: int
    notice_id: str
    event_type: str
    out_trade_no: str
    out_refund_no: str
    url: str
    attempt: int
    copy: int
    sent_at: float
    ms: float
    status: int | None
    answer: str
    error: str
    fault: str
    headers: str
    body: str


@dataclass(frozen=True)
class Message:
    """An accepted message; `data` and `miniprogram` are JSON.

    `product`: template, subscription or mini. `result`: success, or why it is not on the phone.
    """

    msgid: int
    openid: str
    template_id: str
    url: str
    miniprogram: str
    data: str
    client_msg_id: str
    at: float
    product: str
    result: str


@dataclass(frozen=True)
class Token:
    """An API access token; family `stable` or `classic`."""

    token: str
    family: str
    issued_at: float
    expires_at: float
    revoked: bool


@dataclass(frozen=True)
class Code:
    """An OAuth code: one use, five minutes."""

    code: str
    openid: str
    appid: str
    scope: str
    expires_at: float
    used: bool


@dataclass(frozen=True)
class WebToken:
    """What a code was exchanged for; unrelated to the API token."""

    token: str
    openid: str
    scope: str
    expires_at: float


@dataclass(frozen=True)
class PendingFault:
    """An injected fault; `times_left` below zero means until reset, zero means used up."""

    id: int
    kind: str
    times_left: int
    copies: int
    seconds: float
    match: str
    value: str
    created_at: float
    hits: int
