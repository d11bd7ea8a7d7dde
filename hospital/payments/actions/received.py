"""The in-box of the channel's notices: stored under their own id before they act (X15)."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection

from hospital.payments.models import Notice, Payment, Refund
from hospital.payments.states import NoticeKind, NoticeOutcome

_KEEP = """
    INSERT INTO payments_notice (notice_id, kind, event_type, headers, body, received_at, outcome)
    VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (notice_id) DO NOTHING RETURNING id
"""


@dataclass(frozen=True, kw_only=True)
class Received:
    """A verified notice as it arrived; `body` is the sealed one, byte for byte."""

    notice_id: str
    kind: NoticeKind
    event_type: str
    headers: Mapping[str, str]
    body: bytes


def keep(received: Received, *, at: dt.datetime) -> int | None:
    """Store it within the caller's transaction; None when this id has been stored before.

    Copies that arrive together wait here for the first one's commit.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP,
            [
                received.notice_id,
                received.kind,
                received.event_type,
                json.dumps(dict(received.headers)),
                received.body.decode(),
                at,
                NoticeOutcome.RECEIVED,
            ],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None


def finish(
    notice_pk: int | None,
    outcome: NoticeOutcome,
    *,
    payment: Payment | None = None,
    refund: Refund | None = None,
) -> None:
    """Write beside the stored notice what it came to; nothing to do for a query's answer."""
    if notice_pk is not None:
        Notice.objects.filter(pk=notice_pk).update(outcome=outcome, payment=payment, refund=refund)
