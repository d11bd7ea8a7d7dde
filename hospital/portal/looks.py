"""Who of the staff looked at a patient's record, as the patient is told: roles, never names."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from hospital.identity import queries as identity
from hospital.identity.queries.places import department_names
from hospital.kernel import audit, clock
from hospital.ui.wording import stamp_text

DAYS: Final = 180


@dataclass(frozen=True, slots=True)
class SeenLine:
    """One look: when, which role of which department, what was done, and for what purpose."""

    at: dt.datetime
    who: str
    what: str
    purpose: str

    @property
    def told(self) -> str:
        """The second line of the page."""
        return " · ".join(part for part in (stamp_text(self.at), self.what, self.purpose) if part)


def looks_at(*, patient_id: int, at: dt.datetime) -> list[SeenLine]:
    """The looks of the last half year, newest first (X13)."""
    seen = audit.seen_by(person_id=patient_id, since=at - dt.timedelta(days=DAYS))
    labels = identity.role_labels()
    places = department_names(
        account_ids=[look.account_id for look in seen], on=clock.hospital_day(at)
    )
    return [
        SeenLine(
            at=look.at,
            who=" · ".join(
                part
                for part in (
                    "、".join(labels.get(role, role) for role in look.roles) or "医院工作人员",
                    "、".join(places.get(look.account_id, [])),
                )
                if part
            ),
            what=look.label,
            purpose=look.purpose,
        )
        for look in seen
    ]
