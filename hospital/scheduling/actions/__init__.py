"""Every write of scheduling: templates, sessions, slots. One import for callers."""

from hospital.scheduling.actions.bands import (
    BandStillNeeded,
    BandWish,
    RoomTaken,
    change_bands,
    change_room,
)
from hospital.scheduling.actions.batches import BatchHasConflicts, run_batch
from hospital.scheduling.actions.calendar import fill_year, set_day
from hospital.scheduling.actions.leave import (
    Answer,
    LeaveOverlaps,
    LeaveUndecided,
    OfficeHeadNeeded,
    OwnLeave,
    approve_leave,
    ask_leave,
    refuse_leave,
    withdraw_leave,
)
from hospital.scheduling.actions.lists import keep_for_list, lock_list
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
    advance_sessions,
    begin_session,
    generate_schedules,
    release_due,
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
from hospital.scheduling.actions.stopping import (
    CannotResume,
    CannotSuspend,
    resume_schedule,
    suspend_schedule,
)
from hospital.scheduling.actions.templates import save_template

__all__ = [
    "AddOnsUsedUp",
    "Answer",
    "BandStillNeeded",
    "BandWish",
    "BatchHasConflicts",
    "CannotResume",
    "CannotSuspend",
    "CapacityTooSmall",
    "LeaveOverlaps",
    "LeaveUndecided",
    "OfficeHeadNeeded",
    "OwnLeave",
    "RoomTaken",
    "SessionOver",
    "SlotTaken",
    "add_slot",
    "advance_sessions",
    "approve_leave",
    "ask_leave",
    "begin_session",
    "block_numbers",
    "book_slot",
    "change_bands",
    "change_capacity",
    "change_room",
    "consume_slot",
    "expire_due",
    "fill_year",
    "forfeit_slot",
    "free_slot",
    "generate_schedules",
    "hold_slot",
    "keep_for_list",
    "lock_list",
    "merge_due",
    "reclaim_due",
    "refuse_leave",
    "release_due",
    "resume_schedule",
    "run_batch",
    "save_template",
    "set_day",
    "share_numbers",
    "suspend_schedule",
    "unblock_numbers",
    "withdraw_leave",
]
