"""What a shared link shows of a visit: when, where, with whom, and a masked name; nothing else."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.utils.crypto import salted_hmac

from hospital.kernel.errors import NotFound
from hospital.registration.models import Appointment
from hospital.registration.states import VOID
from hospital.registration.visit_words import doctor_of, place_of
from hospital.scheduling.states import SessionPeriod

_SHOWN_AFTER: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SharedVisit:
    """A visit for whoever holds its link. `uid` names it in calendars, also after an exchange, and
    tells nothing."""

    uid: str
    masked_name: str
    department: str
    doctor: str
    visit_date: dt.date
    period_label: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    place: str
    is_off: bool
    off_label: str


def shared_visit(*, token: str, at: dt.datetime) -> SharedVisit:
    """The visit behind a secret link. Raises NotFound, also when it was taken back, or a day after
    the visit."""
    rows = Appointment.objects.select_related(
        "patient", "department", "practitioner", "slot__band", "schedule__room"
    )
    row = rows.select_related("schedule__service_type").filter(share_token=token).first()
    if not token or row is None or row.slot.band.ends_at + _SHOWN_AFTER <= at:
        raise NotFound("这个分享已结束。")
    is_off = row.status in VOID
    return SharedVisit(
        uid=f"{salted_hmac('registration.shared', token).hexdigest()[:32]}@xinglin",
        masked_name=row.patient.masked_name,
        department=row.department.name,
        doctor=doctor_of(row),
        visit_date=row.visit_date,
        period_label=SessionPeriod(row.schedule.session_period).label,
        starts_at=row.slot.band.starts_at,
        ends_at=row.slot.band.ends_at,
        place=place_of(row),
        is_off=is_off,
        off_label=row.get_cancel_reason_display() if is_off else "",
    )


def is_shared(*, appointment_id: int, at: dt.datetime) -> bool:
    """Whether a link to a booking is out that still leads somewhere."""
    rows = Appointment.objects.filter(pk=appointment_id, slot__band__ends_at__gt=at - _SHOWN_AFTER)
    return rows.exclude(share_token="").exists()
