"""Tables of the patients area, by noun."""

from hospital.patients.models.bindings import PatientBinding
from hospital.patients.models.identifiers import PatientIdentifier
from hospital.patients.models.persons import PINYIN_AS_TYPED, Patient

__all__ = ["PINYIN_AS_TYPED", "Patient", "PatientBinding", "PatientIdentifier"]
