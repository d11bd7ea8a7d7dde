"""Permissions of the patients area (chapter 7: patient.create, edit, upgrade; H2)."""

from __future__ import annotations

from hospital.kernel.permissions import Permission

FIND_PATIENT = Permission(
    code="patients.find_patient",
    label="查找患者",
    roles=(
        "registration_clerk",
        "admission_clerk",
        "outpatient_office",
        "cashier",
        "triage_nurse",
        "doctor",
    ),
)
REVEAL = Permission(
    code="patients.reveal",
    label="查看患者完整证件号和手机号",
    roles=("registration_clerk", "admission_clerk", "outpatient_office"),
)
EDIT_PATIENT = Permission(
    code="patients.edit_patient",
    label="患者建档和修改联系方式",
    roles=("registration_clerk", "admission_clerk", "triage_nurse"),
)
UPGRADE_IDENTITY = Permission(
    code="patients.upgrade_identity",
    label="补登证件、实名升级",
    roles=("registration_clerk", "admission_clerk"),
)
MANAGE_CARD = Permission(
    code="patients.manage_card",
    label="发放、挂失、补换就诊卡",
    roles=("registration_clerk", "admission_clerk"),
)
FORCE_UNBIND = Permission(
    code="patients.force_unbind",
    label="强制解除微信绑定",
    roles=("outpatient_office",),
)
