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
from hospital.scheduling.actions.capacities import CapacityTooSmall, change_capacity
from hospital.scheduling.actions.defaults import set_default_shares
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
    QuotaMerged,
    SessionOver,
    add_slot,
    block_numbers,
    merge_due,
    share_numbers,
    unblock_numbers,
)
from hospital.scheduling.actions.proposals import (
    ProposalUnderWay,
    Taken,
    ask_proposal,
    begin_proposal,
    drop_proposal,
    finish_proposal,
    take_proposal,
)
from hospital.scheduling.actions.schedules import (
    advance_sessions,
    begin_session,
    generate_schedules,
    make_missing,
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
from hospital.scheduling.actions.substituting import (
    CannotSubstitute,
    CannotSwap,
    substitute,
    swap_practitioners,
)
from hospital.scheduling.actions.templates import save_template
from hospital.scheduling.actions.wants import (
    needs_from_templates,
    remove_need,
    remove_wish,
    save_need,
    save_wish,
)

__all__ = [
    "AddOnsUsedUp",
    "Answer",
    "BandStillNeeded",
    "BandWish",
    "BatchHasConflicts",
    "CannotResume",
    "CannotSubstitute",
    "CannotSuspend",
    "CannotSwap",
    "CapacityTooSmall",
    "LeaveOverlaps",
    "LeaveUndecided",
    "OfficeHeadNeeded",
    "OwnLeave",
    "ProposalUnderWay",
    "QuotaMerged",
    "RoomTaken",
    "SessionOver",
    "SlotTaken",
    "Taken",
    "add_slot",
    "advance_sessions",
    "approve_leave",
    "ask_leave",
    "ask_proposal",
    "begin_proposal",
    "begin_session",
    "block_numbers",
    "book_slot",
    "change_bands",
    "change_capacity",
    "change_room",
    "consume_slot",
    "drop_proposal",
    "expire_due",
    "fill_year",
    "finish_proposal",
    "forfeit_slot",
    "free_slot",
    "generate_schedules",
    "hold_slot",
    "keep_for_list",
    "lock_list",
    "make_missing",
    "merge_due",
    "needs_from_templates",
    "reclaim_due",
    "refuse_leave",
    "release_due",
    "remove_need",
    "remove_wish",
    "resume_schedule",
    "run_batch",
    "save_need",
    "save_template",
    "save_wish",
    "set_day",
    "set_default_shares",
    "share_numbers",
    "substitute",
    "suspend_schedule",
    "swap_practitioners",
    "take_proposal",
    "unblock_numbers",
    "withdraw_leave",
]
