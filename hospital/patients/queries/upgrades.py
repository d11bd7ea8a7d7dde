"""Who is not real-name yet, why, and until when that is borne with (M3.4, H2.3)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from hospital.kernel.clock import at_local
from hospital.patients.models import Patient
from hospital.patients.queries.bindings import LockedPatient
from hospital.patients.queries.searching import FoundPatient, found
from hospital.patients.states import REAL_NAME, Assurance, PatientKind
from hospital.patients.thresholds import NEWBORN_DAYS, RESCUE_HOURS

UPGRADES_AT_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A patient to be made real-name; `until` is None when it is due at the next visit."""

    patient: FoundPatient
    why: str
    until: dt.datetime | None
    is_overdue: bool


def upgrade_of(*, patient: Patient, at: dt.datetime) -> Upgrade | None:
    """Return what is due for one patient, None for somebody real-name."""
    if patient.assurance in REAL_NAME:
        return None
    why, until = _due(patient)
    return Upgrade(found(patient), why, until, is_overdue=until is not None and at > until)


def must_upgrade(*, person: LockedPatient, at: dt.datetime) -> bool:
    """Say whether somebody must bring a document before the next visit (M3.1, H2.3).

    Newborns and rescue patients have their time (M3.4); whoever is in the index without a valid
    document for another reason has none.
    """
    if person.assurance in REAL_NAME:
        return False
    _, until = _due(person)
    return until is None or at > until


def to_upgrade(*, at: dt.datetime) -> list[Upgrade]:
    """Return up to 200 patients to be made real-name: those with a date first, soonest first."""
    rows = Patient.objects.filter(
        assurance__in=[Assurance.NONE, Assurance.DECLARED],
        is_active=True,
        merged_into__isnull=True,
    )
    dated = rows.exclude(kind=PatientKind.KNOWN).order_by("created_at")
    others = rows.filter(kind=PatientKind.KNOWN).order_by("created_at")
    some = [*dated.prefetch_related("identifiers")[:UPGRADES_AT_MOST]]
    some += others.prefetch_related("identifiers")[: UPGRADES_AT_MOST - len(some)]
    due = [one for row in some if (one := upgrade_of(patient=row, at=at)) is not None]
    return sorted(due, key=lambda one: (one.until is None, one.until or at))


def _due(patient: Patient | LockedPatient) -> tuple[str, dt.datetime | None]:
    if patient.kind == PatientKind.NEWBORN:
        days = NEWBORN_DAYS.value()
        over = at_local(patient.birth_date + dt.timedelta(days=days + 1))
        return f"新生儿，出生后 {days} 天内补登证件", over
    if patient.kind == PatientKind.UNIDENTIFIED:
        hours = RESCUE_HOURS.value()
        return f"抢救患者，{hours} 小时内补实名", patient.created_at + dt.timedelta(hours=hours)
    return "未实名档案，下次就诊时补登证件", None
