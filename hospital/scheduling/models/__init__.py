"""Tables of scheduling, by noun. Moments are UTC, `visit_date` is the hospital day on which a
session starts.
"""

from hospital.scheduling.models.calendar import CalendarDay
from hospital.scheduling.models.leave import Leave, LeaveDecision
from hospital.scheduling.models.proposals import RosterNeed, RosterProposal, RosterWish
from hospital.scheduling.models.rosters import Roster, RosterEdit, RosterEntry
from hospital.scheduling.models.sessions import Schedule, ScheduleTemplate, Slot, TimeBand
from hospital.scheduling.models.stops import StopRequest

__all__ = [
    "CalendarDay",
    "Leave",
    "LeaveDecision",
    "Roster",
    "RosterEdit",
    "RosterEntry",
    "RosterNeed",
    "RosterProposal",
    "RosterWish",
    "Schedule",
    "ScheduleTemplate",
    "Slot",
    "StopRequest",
    "TimeBand",
]
