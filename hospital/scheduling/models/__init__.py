"""Tables of scheduling, by noun. Moments are UTC, `visit_date` is the hospital day on which a
session starts.
"""

from hospital.scheduling.models.sessions import Schedule, ScheduleTemplate, Slot, TimeBand

__all__ = ["Schedule", "ScheduleTemplate", "Slot", "TimeBand"]
