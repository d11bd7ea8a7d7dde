"""How far somebody's permission goes: the whole hospital, some departments, one's own work, or the
patients opened in an emergency."""

from __future__ import annotations

from dataclasses import dataclass

_NONE: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Reach:
    """Everything when `is_everything`, else what belongs to one of these departments, is the work
    of one of these practitioners, or is about one of these patients."""

    is_everything: bool = False
    department_ids: frozenset[int] = _NONE
    practitioner_ids: frozenset[int] = _NONE
    patient_ids: frozenset[int] = _NONE

    def covers(
        self,
        *,
        department_id: int | None = None,
        practitioner_id: int | None = None,
        patient_id: int | None = None,
    ) -> bool:
        """Whether something of this department, by this practitioner, about this patient is near
        enough."""
        return (
            self.is_everything
            or department_id in self.department_ids
            or practitioner_id in self.practitioner_ids
            or patient_id in self.patient_ids
        )

    def __or__(self, other: Reach) -> Reach:
        return Reach(
            self.is_everything or other.is_everything,
            self.department_ids | other.department_ids,
            self.practitioner_ids | other.practitioner_ids,
            self.patient_ids | other.patient_ids,
        )


EVERYTHING = Reach(is_everything=True)
NOTHING = Reach()
