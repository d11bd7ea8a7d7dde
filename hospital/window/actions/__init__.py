"""What the window and the kiosk do. One import for callers."""

from hospital.window.actions.counter import (
    NoNumber,
    NotPaidYet,
    OfficeWritesWhy,
    SayWhy,
    hand_back,
    hand_over,
    print_slip,
    register,
)
from hospital.window.actions.visits import (
    NotRecognised,
    begin_visit,
    end_visit,
    give_up,
    may_give_up,
    release_left,
    see_visit,
)

__all__ = [
    "NoNumber",
    "NotPaidYet",
    "NotRecognised",
    "OfficeWritesWhy",
    "SayWhy",
    "begin_visit",
    "end_visit",
    "give_up",
    "hand_back",
    "hand_over",
    "may_give_up",
    "print_slip",
    "register",
    "release_left",
    "see_visit",
]
