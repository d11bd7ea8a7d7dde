"""Reads of the patients area, by noun. One import for callers."""

from hospital.patients.queries.bindings import (
    MISMATCH,
    BoundPatient,
    LockedPatient,
    default_patient_for,
    lock_bound_patient,
    mismatches,
    patient_for,
    patients_for,
    users_to_tell,
)
from hospital.patients.queries.identifiers import (
    OUTPATIENT_NO_LENGTH,
    document_index,
    document_owner,
    is_outpatient_no,
    phone_index,
)
from hospital.patients.queries.persons import lock_patient, patient
from hospital.patients.queries.searching import FoundPatient, find, patient_ids

__all__ = [
    "MISMATCH",
    "OUTPATIENT_NO_LENGTH",
    "BoundPatient",
    "FoundPatient",
    "LockedPatient",
    "default_patient_for",
    "document_index",
    "document_owner",
    "find",
    "is_outpatient_no",
    "lock_bound_patient",
    "lock_patient",
    "mismatches",
    "patient",
    "patient_for",
    "patient_ids",
    "patients_for",
    "phone_index",
    "users_to_tell",
]
