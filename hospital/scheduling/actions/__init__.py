"""Every write of scheduling: templates, sessions, slots. One import for callers."""

from hospital.scheduling.actions.schedules import (
    CannotSuspend,
    advance_sessions,
    generate_schedules,
    release_due,
    suspend_schedule,
)
from hospital.scheduling.actions.slots import (
    SlotTaken,
    book_slot,
    expire_due,
    free_slot,
    hold_slot,
    reclaim_due,
)
from hospital.scheduling.actions.templates import save_template

__all__ = [
    "CannotSuspend",
    "SlotTaken",
    "advance_sessions",
    "book_slot",
    "expire_due",
    "free_slot",
    "generate_schedules",
    "hold_slot",
    "reclaim_due",
    "release_due",
    "save_template",
    "suspend_schedule",
]
