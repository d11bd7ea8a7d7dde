"""Reads about accounts that book as people who sell numbers do (M1.15), for the office.

Rows are ready for pages; names come masked, an account is known by its number alone.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet

from hospital.kernel.errors import NotFound
from hospital.registration import thresholds
from hospital.registration.models import Appointment, BookingAlert
from hospital.registration.states import LIVE, AlertKind, AlertStatus

_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert; `decided_by` is an actor such as "staff:3"."""

    id: int
    user_id: int
    kind_label: str
    count: int
    unit: str
    latest_at: dt.datetime
    status: AlertStatus
    created_at: dt.datetime
    decided_by: str
    decided_at: dt.datetime | None
    reason: str
    is_blocked: bool


@dataclass(frozen=True, slots=True)
class BookedRow:
    """One booking of the account."""

    number: str
    masked_name: str
    department: str
    doctor: str
    visit_date: dt.date
    created_at: dt.datetime
    cancelled_at: dt.datetime | None
    status_label: str
    is_coming: bool


def open_alerts() -> list[AlertRow]:
    """What waits for a decision, the oldest first."""
    return _rows(BookingAlert.objects.filter(status=AlertStatus.OPEN).order_by("pk"))


def decided_alerts(*, since: dt.datetime) -> list[AlertRow]:
    """What was decided since a moment, and every account still blocked, the latest first."""
    decided = BookingAlert.objects.exclude(status=AlertStatus.OPEN)
    shown = decided.filter(Q(decided_at__gte=since) | Q(status=AlertStatus.BLOCKED))
    return _rows(shown.order_by("-decided_at", "-pk"))


def alert_row(*, alert_id: int) -> AlertRow:
    """One alert. Raises NotFound."""
    found = _rows(BookingAlert.objects.filter(pk=alert_id))
    if not found:
        raise NotFound("没有找到这条预警。")
    return found[0]


def bookings_of(*, user_id: int, at: dt.datetime) -> list[BookedRow]:
    """What the account booked in the weeks that are looked at, the latest first."""
    since = at - dt.timedelta(days=thresholds.ALERT_DAYS.value())
    rows = Appointment.objects.filter(wechat_user_id=user_id, created_at__gt=since)
    return [
        BookedRow(
            number=row.number,
            masked_name=row.patient.masked_name,
            department=row.department_name,
            doctor=row.doctor_name or row.service_name,
            visit_date=row.visit_date,
            created_at=row.created_at,
            cancelled_at=row.cancelled_at,
            status_label=row.get_status_display(),
            is_coming=row.status in LIVE,
        )
        for row in rows.select_related("patient").order_by("-created_at", "-pk")[:_MOST]
    ]


def _rows(found: QuerySet[BookingAlert]) -> list[AlertRow]:
    return [
        AlertRow(
            id=row.pk,
            user_id=row.wechat_user_id,
            kind_label=AlertKind(row.kind).label,
            count=row.count,
            unit="个姓氏" if row.kind == AlertKind.SURNAMES else "次",
            latest_at=row.latest_at,
            status=AlertStatus(row.status),
            created_at=row.created_at,
            decided_by=row.decided_by,
            decided_at=row.decided_at,
            reason=row.reason,
            is_blocked=row.wechat_user.is_blocked,
        )
        for row in found.select_related("wechat_user")[:_MOST]
    ]
