"""Fixed vocabularies of the identity area: roles, how a log-in attempt ended, page themes.

Roles are code, not rows: a permission names its default roles in its own area (law 6), so a
role that no permission knows would be useless. Labels are what staff read.
"""

from __future__ import annotations

from django.db.models import TextChoices


class Role(TextChoices):
    """What somebody does in the hospital (chapter 7 of the domain handbook)."""

    REGISTRATION_CLERK = "registration_clerk", "挂号员"
    OUTPATIENT_OFFICE = "outpatient_office", "门诊办"
    FINANCE = "finance", "财务"
    SYSTEM_ADMIN = "system_admin", "系统管理员"
    DOCTOR = "doctor", "医生"
    CASHIER = "cashier", "收费员"
    CASHIER_SUPERVISOR = "cashier_supervisor", "收费主管"
    TRIAGE_NURSE = "triage_nurse", "分诊护士"


class AttemptOutcome(TextChoices):
    """How one try to log in ended; only FAILED counts towards the limits."""

    FAILED = "failed", "失败"
    SUCCEEDED = "succeeded", "成功"
    THROTTLED = "throttled", "超过次数"


class Theme(TextChoices):
    """Colours of the patient pages; AUTO follows the phone."""

    AUTO = "auto", "跟随系统"
    LIGHT = "light", "浅色"
    DARK = "dark", "深色"
