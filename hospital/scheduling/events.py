"""News of scheduling: ids only."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ScheduleSuspended:
    """停诊: the session will not be held; its bookings must be undone (M1.8)."""

    schedule_id: int


@dataclass(frozen=True)
class ScheduleSubstituted:
    """替诊: another doctor holds the session; who booked must hear of it (M1.9)."""

    schedule_id: int
