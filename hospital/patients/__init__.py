"""Whom we care for: the golden patient, documents that identify a person, WeChat bindings.

Nouns: Patient, PatientIdentifier, PatientBinding. Floor 5: above identity (a binding joins a
WeChat user to a patient), below everything that happens to a patient.
"""
