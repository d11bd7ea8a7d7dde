"""Reads about who may not book in advance for a while, why, and who says that is wrong (M1.10).

For the patient's own page and for the office's lists; rows are ready for pages.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet

from hospital.kernel.errors import NotFound
from hospital.registration import appealing, incidents
from hospital.registration.models import Appeal, Appointment, BookingRestriction
from hospital.registration.states import AppealStatus, AppointmentStatus, RestrictionCause

_LISTED_AT_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """A no-show or late cancellation: of which visit, when, and what became of an appeal."""

    number: str
    cause: RestrictionCause
    cause_label: str
    visit_date: dt.date
    band_starts_at: dt.datetime
    department: str
    doctor: str
    happened_at: dt.datetime
    appeal_label: str
    can_appeal: bool


@dataclass(frozen=True, slots=True)
class RestrictionRow:
    """A restriction, in force or over."""

    id: int
    patient_id: int
    patient_name: str
    patient_number: str
    cause: RestrictionCause
    cause_label: str
    count: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    lifted_at: dt.datetime | None
    lifted_by: str
    lift_reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a patient stands: the restriction in force that lasts longest, else the one lifted last
    and would still run, the limits, incidents."""

    restriction: RestrictionRow | None
    lifted: RestrictionRow | None
    noshows: incidents.Limit
    late_cancels: incidents.Limit
    incidents: tuple[IncidentRow, ...]


@dataclass(frozen=True, slots=True)
class AppealRow:
    """An appeal with what it is about; `text` is the patient's own words."""

    id: int
    status: AppealStatus
    status_label: str
    text: str
    created_at: dt.datetime
    decided_by: str
    decided_at: dt.datetime | None
    answer: str
    number: str
    patient_id: int
    patient_name: str
    patient_number: str
    cause: RestrictionCause | None
    appointment_status: AppointmentStatus
    appointment_label: str
    department: str
    doctor: str
    visit_date: dt.date
    band_starts_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Ground:
    """What can be said about one booking: the appeal there is, or why there can be none."""

    appeal: AppealRow | None
    why_not: str

    @property
    def can_appeal(self) -> bool:
        return self.appeal is None and not self.why_not


def standing_of(*, patient_id: int, at: dt.datetime) -> Standing:
    """How a patient stands; whether the reader may ask about it is the page's question."""
    limits = {cause: incidents.limit_of(cause) for cause in RestrictionCause}
    since = at - max(limit.within for limit in limits.values())
    rows = (
        Appointment.objects.filter(
            Q(status=AppointmentStatus.NOSHOW) | Q(is_late_cancel=True),
            patient_id=patient_id,
            schedule__ends_at__gte=since,
        )
        .select_related("schedule", "slot__band")
        .prefetch_related("appeals")
        .order_by("-visit_date", "-pk")
    )
    in_force = _in_force(at).filter(patient_id=patient_id).order_by("-ends_at").first()
    lifted = BookingRestriction.objects.select_related("patient").filter(
        patient_id=patient_id, lifted_at__isnull=False, ends_at__gt=at
    )
    last = None if in_force else lifted.order_by("-lifted_at").first()
    return Standing(
        restriction=_restriction(in_force) if in_force else None,
        lifted=_restriction(last) if last else None,
        noshows=limits[RestrictionCause.NOSHOW],
        late_cancels=limits[RestrictionCause.LATE_CANCEL],
        incidents=tuple(_incident(row, at) for row in rows[:_LISTED_AT_MOST]),
    )


def ground_of(*, appointment_id: int, at: dt.datetime) -> Ground:
    """Whether and how a booking was or can be appealed."""
    row = Appointment.objects.select_related("schedule").get(pk=appointment_id)
    found = _appeals(Appeal.objects.filter(appointment=row))
    return Ground(next(iter(found), None), appealing.why_not(row, at=at))


def restrictions(*, at: dt.datetime) -> list[RestrictionRow]:
    """The restrictions in force, the latest first."""
    return [_restriction(row) for row in _in_force(at).order_by("-starts_at", "-pk")]


def lifted_restrictions(*, since: dt.datetime) -> list[RestrictionRow]:
    """Those that were lifted since a moment, the latest first."""
    rows = BookingRestriction.objects.select_related("patient").filter(lifted_at__gte=since)
    return [_restriction(row) for row in rows.order_by("-lifted_at", "-pk")[:_LISTED_AT_MOST]]


def restriction(*, restriction_id: int) -> RestrictionRow:
    """One restriction, in force or over. Raises NotFound."""
    row = BookingRestriction.objects.select_related("patient").filter(pk=restriction_id).first()
    if row is None:
        raise NotFound("没有找到这次暂停。")
    return _restriction(row)


def open_appeals() -> list[AppealRow]:
    """The appeals that wait for an answer, the oldest first."""
    return _appeals(Appeal.objects.filter(status=AppealStatus.OPEN).order_by("created_at", "pk"))


def decided_appeals(*, since: dt.datetime) -> list[AppealRow]:
    """The appeals answered since a moment, the latest first."""
    return _appeals(Appeal.objects.filter(decided_at__gte=since).order_by("-decided_at", "-pk"))


def appeal_row(*, appeal_id: int) -> AppealRow:
    """One appeal. Raises NotFound."""
    found = _appeals(Appeal.objects.filter(pk=appeal_id))
    if not found:
        raise NotFound("没有找到这个申诉。")
    return found[0]


def _in_force(at: dt.datetime) -> QuerySet[BookingRestriction]:
    rows = BookingRestriction.objects.select_related("patient").filter(lifted_at=None)
    return rows.filter(starts_at__lte=at, ends_at__gt=at)


def _restriction(row: BookingRestriction) -> RestrictionRow:
    cause = RestrictionCause(row.cause)
    return RestrictionRow(
        id=row.pk,
        patient_id=row.patient_id,
        patient_name=row.patient.name,
        patient_number=row.patient.outpatient_no,
        cause=cause,
        cause_label=cause.label,
        count=row.count,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        lifted_at=row.lifted_at,
        lifted_by=row.lifted_by,
        lift_reason=row.lift_reason,
    )


def _incident(row: Appointment, at: dt.datetime) -> IncidentRow:
    moment = appealing.happened_at(row)
    assert moment is not None, "no incident"
    known = next(iter(row.appeals.all()), None)
    cause = _cause(row)
    assert cause is not None
    return IncidentRow(
        number=row.number,
        cause=cause,
        cause_label="爽约" if cause == RestrictionCause.NOSHOW else "当日退号",
        visit_date=row.visit_date,
        band_starts_at=row.slot.band.starts_at,
        department=row.department_name,
        doctor=row.doctor_name or row.service_name,
        happened_at=moment,
        appeal_label=AppealStatus(known.status).label if known else "",
        can_appeal=known is None and not appealing.why_not(row, at=at),
    )


def _cause(row: Appointment) -> RestrictionCause | None:
    if row.status == AppointmentStatus.NOSHOW:
        return RestrictionCause.NOSHOW
    return RestrictionCause.LATE_CANCEL if row.is_late_cancel else None


def _appeals(found: QuerySet[Appeal]) -> list[AppealRow]:
    rows = found.select_related("appointment__patient", "appointment__slot__band")
    return [_appeal(row) for row in rows[:_LISTED_AT_MOST]]


def _appeal(row: Appeal) -> AppealRow:
    booked = row.appointment
    status, of_visit = AppealStatus(row.status), AppointmentStatus(booked.status)
    return AppealRow(
        id=row.pk,
        status=status,
        status_label=status.label,
        text=row.text,
        created_at=row.created_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        answer=row.answer,
        number=booked.number,
        patient_id=booked.patient_id,
        patient_name=booked.patient.name,
        patient_number=booked.patient.outpatient_no,
        cause=_cause(booked),
        appointment_status=of_visit,
        appointment_label=of_visit.label,
        department=booked.department_name,
        doctor=booked.doctor_name or booked.service_name,
        visit_date=booked.visit_date,
        band_starts_at=booked.slot.band.starts_at,
    )
