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
from hospital.window.actions.visits import NotRecognised, begin_visit, end_visit, see_visit

__all__ = [
    "NoNumber",
    "NotPaidYet",
    "NotRecognised",
    "OfficeWritesWhy",
    "SayWhy",
    "begin_visit",
    "end_visit",
    "hand_back",
    "hand_over",
    "print_slip",
    "register",
    "see_visit",
]
