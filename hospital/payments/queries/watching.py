"""For monitoring: how late WeChat's notices come, and what WeChat has not answered."""

import datetime as dt

from django.db import connection
from django.db.models import Case, F, Min, Q, When

from hospital.payments.models import Payment
from hospital.payments.states import PaymentStatus

_LAG = """
    SELECT count(*), percentile_cont(0.9) WITHIN GROUP (
        ORDER BY extract(epoch FROM notice.received_at - payment.succeeded_at)
    )
    FROM payments_notice notice JOIN payments_payment payment ON payment.id = notice.payment_id
    WHERE notice.kind = 'payment' AND notice.received_at >= %s
        AND payment.succeeded_at IS NOT NULL
"""


def notice_lag(*, since: dt.datetime) -> tuple[int, float]:
    """How many payment notices came since a moment (UTC), and the seconds between a payment's
    success at WeChat and our accepting its notice, which nine of ten kept; 0 without any."""
    with connection.cursor() as cursor:
        cursor.execute(_LAG, [since])
        count, seconds = cursor.fetchone()
    return count, max(0.0, float(seconds or 0))


def oldest_unanswered(*, at: dt.datetime) -> dt.datetime | None:
    """Since when WeChat owes us the result of a payment: since an order was sent without an
    answer, or since the end of one that somebody may have paid. None when it owes nothing."""
    silent = (PaymentStatus.CREATED, PaymentStatus.UNKNOWN)
    owed = Payment.objects.filter(
        Q(status__in=silent) | Q(status=PaymentStatus.PENDING, expires_at__lte=at)
    )
    since = Case(When(status__in=silent, then=F("created_at")), default=F("expires_at"))
    found: dt.datetime | None = owed.aggregate(since=Min(since))["since"]
    return found
