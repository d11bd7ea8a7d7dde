"""号贩预警: accounts that book as people who sell numbers do come before the office (M1.15).

Nobody is stopped by arithmetic alone: a grandmother books for four surnames too. A person looks,
and blocks the account or lets it be; after that only new bookings raise the question again.
"""

import datetime as dt
from typing import Final

from django.db import connection, transaction

from hospital.identity import actions as identity
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.kernel.states import move
from hospital.live import actions as live
from hospital.registration import thresholds
from hospital.registration.models import Appointment, BookingAlert
from hospital.registration.states import AlertKind, AlertStatus

# Given back by a user, exchanged away or let lapse unpaid, and soon after booked again by the same
# user for somebody else: whichever way a number is let go, it is passed on the same.
_SWAPS: Final = """
    SELECT gone.wechat_user_id, count(DISTINCT gone.id), max(again.created_at)
    FROM registration_appointment gone JOIN registration_appointment again
        ON again.wechat_user_id = gone.wechat_user_id AND again.schedule_id = gone.schedule_id
        AND again.patient_id <> gone.patient_id AND again.created_at > gone.cancelled_at
        AND again.created_at <= gone.cancelled_at + interval '2 hours'
    WHERE gone.status = 'cancelled'
    AND gone.cancel_reason IN ('user', 'rescheduled', 'payment_timeout')
    AND gone.cancelled_at > %(since)s
    GROUP BY gone.wechat_user_id HAVING count(DISTINCT gone.id) >= %(least)s
"""
_MANY: Final = """
    SELECT wechat_user_id FROM registration_appointment
    WHERE created_at > %(since)s AND wechat_user_id IS NOT NULL AND status <> 'entered_in_error'
    GROUP BY wechat_user_id HAVING count(DISTINCT patient_id) >= %(least)s
"""


class AlertDecided(Refusal):
    code = "ALERT_DECIDED"
    default_message = "这条预警已经有人处理过了。"


def raise_alerts(*, by: Actor, at: dt.datetime) -> int:
    """Look through the latest weeks and put before the office what was not decided yet; how many
    alerts are new. Repeating it raises nothing twice."""
    since = at - dt.timedelta(days=thresholds.ALERT_DAYS.value())
    found = [
        *((AlertKind.SURNAMES, *row) for row in _surnames(since)),
        *((AlertKind.SWAPPING, *row) for row in _swaps(since)),
    ]
    return sum(_raise(*row, at=at) for row in found)


@transaction.atomic
def decide_alert(
    *, alert_id: int, blocks: bool, reason: str, by: Actor, at: dt.datetime
) -> BookingAlert:
    """Stop serving the account online, or let it be. Raises NotFound, Invalid, AlertDecided."""
    alert = _locked(alert_id)
    if not reason.strip():
        raise Invalid({"reason": ["请写明依据。"]})
    if alert.status != AlertStatus.OPEN:
        raise AlertDecided
    to = AlertStatus.BLOCKED if blocks else AlertStatus.DISMISSED
    _move(alert, to, reason=reason, by=by, at=at)
    if blocks:
        _block(alert, is_blocked=True, reason=reason, by=by, at=at)
    return alert


@transaction.atomic
def lift_block(*, alert_id: int, reason: str, by: Actor, at: dt.datetime) -> BookingAlert:
    """Serve the account online again. Raises NotFound, Invalid, AlertDecided."""
    alert = _locked(alert_id)
    if not reason.strip():
        raise Invalid({"reason": ["请写明依据。"]})
    if alert.status != AlertStatus.BLOCKED:
        raise AlertDecided
    _move(alert, AlertStatus.LIFTED, reason=reason, by=by, at=at)
    _block(alert, is_blocked=False, reason=reason, by=by, at=at)
    return alert


def _surnames(since: dt.datetime) -> list[tuple[int, int, dt.datetime]]:
    """Users with bookings for people of many surnames: user, how many, the latest booking."""
    least = thresholds.ALERT_SURNAMES.value()
    with connection.cursor() as cursor:
        cursor.execute(_MANY, {"since": since, "least": least})
        users = [user_id for (user_id,) in cursor.fetchall()]
    names: dict[int, set[str]] = {}
    latest: dict[int, dt.datetime] = {}
    rows = Appointment.objects.filter(wechat_user_id__in=users, created_at__gt=since)
    for row in rows.select_related("patient").order_by("created_at"):
        assert row.wechat_user_id is not None, "asked for by their users"
        names.setdefault(row.wechat_user_id, set()).add(row.patient.name[:1])
        latest[row.wechat_user_id] = row.created_at
    return [
        (user_id, len(surnames), latest[user_id])
        for user_id, surnames in sorted(names.items())
        if len(surnames) >= least
    ]


def _swaps(since: dt.datetime) -> list[tuple[int, int, dt.datetime]]:
    with connection.cursor() as cursor:
        cursor.execute(_SWAPS, {"since": since, "least": thresholds.ALERT_SWAPS.value()})
        return list(cursor.fetchall())


@transaction.atomic
def _raise(
    kind: AlertKind, user_id: int, count: int, latest_at: dt.datetime, *, at: dt.datetime
) -> bool:
    known = BookingAlert.objects.filter(wechat_user_id=user_id, kind=kind).order_by("-pk").first()
    if known is not None and known.latest_at >= latest_at:
        return False
    if known is not None and known.status == AlertStatus.OPEN:
        found = BookingAlert.objects.filter(pk=known.pk, status=AlertStatus.OPEN)
        found.update(count=count, latest_at=latest_at)
        return False
    if known is not None and known.status == AlertStatus.BLOCKED:
        return False
    _, is_new = BookingAlert.objects.get_or_create(
        wechat_user_id=user_id,
        kind=kind,
        status=AlertStatus.OPEN,
        defaults={"count": count, "latest_at": latest_at, "created_at": at},
    )
    live.publish("booking-alerts")
    return is_new


def _locked(alert_id: int) -> BookingAlert:
    alert = BookingAlert.objects.select_for_update(no_key=True).filter(pk=alert_id).first()
    if alert is None:
        raise NotFound("没有找到这条预警。")
    return alert


def _move(alert: BookingAlert, to: AlertStatus, *, reason: str, by: Actor, at: dt.datetime) -> None:
    text = reason.strip()[:100]
    # Before the move: a decided alert without its reason is refused by the table.
    BookingAlert.objects.filter(pk=alert.pk).update(reason=text)
    move(alert, to, by=by, at=at, reason=text, decided_by=str(by), decided_at=at)
    live.publish("booking-alerts")


def _block(
    alert: BookingAlert, *, is_blocked: bool, reason: str, by: Actor, at: dt.datetime
) -> None:
    identity.set_blocked(
        wechat_user_id=alert.wechat_user_id,
        is_blocked=is_blocked,
        reason=reason.strip()[:200],
        by=by,
        at=at,
    )
