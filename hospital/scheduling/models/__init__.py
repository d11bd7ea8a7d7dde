"""Tables of scheduling, by noun. Moments are UTC, `visit_date` is the hospital day on which a
session starts.
"""

from hospital.scheduling.models.rosters import Roster, RosterEdit, RosterEntry
from hospital.scheduling.models.sessions import Schedule, ScheduleTemplate, Slot, TimeBand

__all__ = [
    "Roster",
    "RosterEdit",
    "RosterEntry",
    "Schedule",
    "ScheduleTemplate",
    "Slot",
    "TimeBand",
]
