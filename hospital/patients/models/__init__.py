"""Tables of the patients area, by noun."""

from hospital.patients.models.bindings import PatientBinding
from hospital.patients.models.cards import PatientCard
from hospital.patients.models.codes import PhoneCode
from hospital.patients.models.copies import DataCopy
from hospital.patients.models.guardians import Guardian
from hospital.patients.models.identifiers import (
    IdentityVerification,
    NewPersonDecision,
    PatientIdentifier,
    PatientLink,
)
from hospital.patients.models.passes import PatientPass
from hospital.patients.models.persons import (
    LONGEST_INITIALS,
    LONGEST_PINYIN,
    PINYIN_AS_TYPED,
    Patient,
)

__all__ = [
    "LONGEST_INITIALS",
    "LONGEST_PINYIN",
    "PINYIN_AS_TYPED",
    "DataCopy",
    "Guardian",
    "IdentityVerification",
    "NewPersonDecision",
    "Patient",
    "PatientBinding",
    "PatientCard",
    "PatientIdentifier",
    "PatientLink",
    "PatientPass",
    "PhoneCode",
]
