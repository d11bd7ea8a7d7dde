"""Payment and refund notices: raw request → typed notice, or InvalidNotice.

Nothing here decides anything: proving that WeChat sent it, opening it and reading it. The area that
receives it stores it first and then acts.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hospital.wechat import reading, signing
from hospital.wechat.http import UNTRUSTED
from hospital.wechat.outcomes import Closed, Paid, RefundState, Unpaid

logger = logging.getLogger(__name__)

LONGEST_NAME = 64


@dataclass(frozen=True, kw_only=True)
class PaymentNotice:
    """A verified word about an order; only `Paid` is ever sent by WeChat today."""

    notice_id: str
    event_type: str
    order: Paid | Unpaid | Closed


@dataclass(frozen=True, kw_only=True)
class RefundNotice:
    notice_id: str
    event_type: str
    refund: RefundState


@dataclass(frozen=True, kw_only=True)
class InvalidNotice:
    """Not usable. `is_from_wechat`: the signature was right, so the fault is on our side (an
    APIv3 key that does not fit) and WeChat should try again; otherwise it is a stranger's."""

    reason: str
    is_from_wechat: bool


class NoticeReader:
    """Reads the notices of one merchant account."""

    def __init__(self, *, key_of: signing.KeyOf, apiv3_key: bytes) -> None:
        self._key_of = key_of
        self._apiv3_key = apiv3_key

    def payment(
        self, *, headers: Mapping[str, str], body: bytes, at: datetime
    ) -> PaymentNotice | InvalidNotice:
        opened = self._open("payment_notice", headers, body, at)
        if isinstance(opened, InvalidNotice):
            return opened
        notice_id, event_type, facts = opened
        try:
            order = reading.read_order(facts)
        except signing.Unreadable as error:
            return _unreadable("payment_notice", error)
        return PaymentNotice(notice_id=notice_id, event_type=event_type, order=order)

    def refund(
        self, *, headers: Mapping[str, str], body: bytes, at: datetime
    ) -> RefundNotice | InvalidNotice:
        opened = self._open("refund_notice", headers, body, at)
        if isinstance(opened, InvalidNotice):
            return opened
        notice_id, event_type, facts = opened
        try:
            refund = reading.read_refund(facts)
        except signing.Unreadable as error:
            return _unreadable("refund_notice", error)
        return RefundNotice(notice_id=notice_id, event_type=event_type, refund=refund)

    def _open(
        self, kind: str, headers: Mapping[str, str], body: bytes, at: datetime
    ) -> tuple[str, str, reading.Facts] | InvalidNotice:
        try:
            signing.check_message(headers=headers, body=body, key_of=self._key_of, at=at)
        except signing.Untrusted as error:
            UNTRUSTED.labels(kind=kind, reason=error.reason).inc()
            logger.warning("untrusted notice", extra={"kind": kind, "reason": error.reason})
            return InvalidNotice(reason=error.reason, is_from_wechat=False)
        try:
            return open_notice(body=body, apiv3_key=self._apiv3_key)
        except signing.Unreadable as error:
            return _unreadable(kind, error)


def open_notice(*, body: bytes, apiv3_key: bytes) -> tuple[str, str, reading.Facts]:
    """The id, the event type and the opened resource of a notice's body. Raises Unreadable."""
    envelope = reading.read_json(body)
    try:
        resource = envelope["resource"]
        notice_id = reading.read_text(envelope, "id")
        event_type = reading.read_text(envelope, "event_type")
        opened = signing.open_sealed(
            key=apiv3_key,
            nonce=resource["nonce"],
            associated_data=resource.get("associated_data") or "",
            ciphertext=resource["ciphertext"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise signing.Unreadable("envelope") from error
    if max(len(notice_id), len(event_type)) > LONGEST_NAME:
        raise signing.Unreadable("envelope")
    return notice_id, event_type, reading.read_json(opened)


def _unreadable(kind: str, error: signing.Unreadable) -> InvalidNotice:
    logger.error("unreadable notice", extra={"kind": kind, "reason": str(error)})
    return InvalidNotice(reason=f"unreadable:{error}", is_from_wechat=True)
