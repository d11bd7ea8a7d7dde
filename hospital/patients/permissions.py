"""Permissions of the patients area."""

from __future__ import annotations

from hospital.kernel.permissions import Permission

FIND_PATIENT = Permission(
    code="patients.find_patient",
    label="查找患者",
    roles=("registration_clerk", "outpatient_office", "cashier", "triage_nurse", "doctor"),
)
REVEAL = Permission(
    code="patients.reveal",
    label="查看患者完整证件号和手机号",
    roles=("registration_clerk", "outpatient_office"),
)
