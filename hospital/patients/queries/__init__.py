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
from hospital.patients.queries.candidates import (
    Candidate,
    candidates,
    compare_with,
    profile_of,
    sound,
)
from hospital.patients.queries.codes import CodeToSend, code_to_send, latest_code
from hospital.patients.queries.guardians import guardians_of, is_child, wards_of
from hospital.patients.queries.identifiers import (
    OUTPATIENT_NO_LENGTH,
    clean_health_card,
    document_index,
    document_owner,
    documents_of,
    health_card_of,
    is_outpatient_no,
    live_identifiers,
    number_index,
    phone_index,
)
from hospital.patients.queries.persons import lock_patient, patient, patient_by_number
from hospital.patients.queries.records import Record, record
from hospital.patients.queries.searching import (
    FoundPatient,
    card_by_number,
    find,
    found,
    is_reserved_number,
    patient_ids,
)
from hospital.patients.queries.upgrades import UPGRADES_AT_MOST, Upgrade, to_upgrade, upgrade_of

__all__ = [
    "MISMATCH",
    "OUTPATIENT_NO_LENGTH",
    "UPGRADES_AT_MOST",
    "BoundPatient",
    "Candidate",
    "CodeToSend",
    "FoundPatient",
    "LockedPatient",
    "Record",
    "Upgrade",
    "candidates",
    "card_by_number",
    "clean_health_card",
    "code_to_send",
    "compare_with",
    "default_patient_for",
    "document_index",
    "document_owner",
    "documents_of",
    "find",
    "found",
    "guardians_of",
    "health_card_of",
    "is_child",
    "is_outpatient_no",
    "is_reserved_number",
    "latest_code",
    "live_identifiers",
    "lock_bound_patient",
    "lock_patient",
    "mismatches",
    "number_index",
    "patient",
    "patient_by_number",
    "patient_for",
    "patient_ids",
    "patients_for",
    "phone_index",
    "profile_of",
    "record",
    "sound",
    "to_upgrade",
    "upgrade_of",
    "users_to_tell",
    "wards_of",
]
