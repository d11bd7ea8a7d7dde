"""Every write of scheduling: templates, sessions, slots. One import for callers."""

from hospital.scheduling.actions.bands import (
    BandStillNeeded,
    BandWish,
    RoomTaken,
    change_bands,
    change_room,
)
from hospital.scheduling.actions.calendar import fill_year, set_day
from hospital.scheduling.actions.numbers import (
    AddOnsUsedUp,
    CapacityTooSmall,
    SessionOver,
    add_slot,
    block_numbers,
    change_capacity,
    merge_due,
    share_numbers,
    unblock_numbers,
)
from hospital.scheduling.actions.schedules import (
    CannotSuspend,
    advance_sessions,
    begin_session,
    generate_schedules,
    release_due,
    suspend_schedule,
)
from hospital.scheduling.actions.slots import (
    SlotTaken,
    book_slot,
    consume_slot,
    expire_due,
    forfeit_slot,
    free_slot,
    hold_slot,
    reclaim_due,
)
from hospital.scheduling.actions.templates import save_template

__all__ = [
    "AddOnsUsedUp",
    "CannotSuspend",
    "CapacityTooSmall",
    "SessionOver",
    "SlotTaken",
    "add_slot",
    "advance_sessions",
    "begin_session",
    "block_numbers",
    "book_slot",
    "change_capacity",
    "consume_slot",
    "expire_due",
    "forfeit_slot",
    "free_slot",
    "generate_schedules",
    "hold_slot",
    "merge_due",
    "reclaim_due",
    "release_due",
    "save_template",
    "share_numbers",
    "suspend_schedule",
    "fill_year",
    "unblock_numbers",
]
