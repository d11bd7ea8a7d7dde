"""Writes of the patients area, by noun. One import for callers."""

from hospital.patients.actions.bindings import (
    MISMATCHES_PER_DAY,
    PATIENTS_PER_USER,
    REMOVALS_PER_MONTH,
    USERS_PER_PATIENT,
    AlreadyBound,
    GuardianFirst,
    NameMismatch,
    PhoneMismatch,
    TooManyMismatches,
    TooManyPatients,
    TooManyRemovals,
    TooManyUsers,
    add_patient,
    remove_binding,
    set_default,
)
from hospital.patients.actions.checking import Person, check_person, is_child
from hospital.patients.actions.looking import record_view
from hospital.patients.actions.persons import reveal

__all__ = [
    "MISMATCHES_PER_DAY",
    "PATIENTS_PER_USER",
    "REMOVALS_PER_MONTH",
    "USERS_PER_PATIENT",
    "AlreadyBound",
    "GuardianFirst",
    "NameMismatch",
    "Person",
    "PhoneMismatch",
    "TooManyMismatches",
    "TooManyPatients",
    "TooManyRemovals",
    "TooManyUsers",
    "add_patient",
    "check_person",
    "is_child",
    "record_view",
    "remove_binding",
    "reveal",
    "set_default",
]
