"""Fixed vocabularies of the identity area: shipped roles, data scopes, requests, log-in attempts.

Shipped roles are code: a permission names its default roles in its own area (law 6). A hospital
composes roles of its own from the same permissions; those are rows. Labels are what staff read.
"""

from __future__ import annotations

from typing import Final

from django.db.models import TextChoices

from hospital.kernel.states import Moves


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
    PHARMACIST = "pharmacist", "药师"
    DECOCTION_OPERATOR = "decoction_operator", "煎药员"
    COURIER_CLERK = "courier_clerk", "配送员"
    LAB_TECHNICIAN = "lab_technician", "检验技师"
    LAB_AUTHORIZER = "lab_authorizer", "检验审核"
    EXAM_TECHNICIAN = "exam_technician", "检查技师"
    EXAM_REPORTER = "exam_reporter", "检查报告医生"
    WARD_NURSE = "ward_nurse", "病区护士"
    ADMISSION_CLERK = "admission_clerk", "住院登记员"
    MEDICAL_AFFAIRS = "medical_affairs", "医务科"
    EMPI_STEWARD = "empi_steward", "患者主索引管理员"
    DEPARTMENT_HEAD = "department_head", "科主任"
    HOSPITAL_LEADER = "hospital_leader", "院领导"
    CONTENT_EDITOR = "content_editor", "宣传编辑"
    CONTENT_REVIEWER = "content_reviewer", "宣传审核"
    SECURITY_ADMIN = "security_admin", "安全管理员"
    AUDIT_ADMIN = "audit_admin", "审计管理员"


#: 三员: different people, whose accounts do nothing else (decision 0037).
ADMINISTRATORS: Final = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)


class DataScope(TextChoices):
    """Whose data a permission reaches, from the narrowest to the widest."""

    OWN = "own", "仅本人"
    DEPARTMENT = "department", "本科室"
    WARD = "ward", "本病区"
    HOSPITAL = "hospital", "全院"


class RequestKind(TextChoices):
    """What a change of access is about."""

    ASSIGNMENT = "assignment", "人员岗位"
    NEW_ROLE = "new_role", "新建角色"
    ROLE = "role", "调整角色权限"
    RETIRE_ROLE = "retire_role", "停用角色"


class RequestStatus(TextChoices):
    """Where a change of access stands: one person asked, another decides."""

    WAITING = "waiting", "待批准"
    APPROVED = "approved", "已批准"
    REJECTED = "rejected", "已驳回"


REQUEST_MOVES: Moves = frozenset(
    {
        (RequestStatus.WAITING, RequestStatus.APPROVED),
        (RequestStatus.WAITING, RequestStatus.REJECTED),
    }
)


class Verdict(TextChoices):
    """What medical affairs found about an emergency access."""

    JUSTIFIED = "justified", "理由成立"
    UNJUSTIFIED = "unjustified", "理由不成立"


class AttemptOutcome(TextChoices):
    """How one try to log in ended; only FAILED counts towards the limits.

    HALF is a right password whose second step is to come: it wipes no failures, or whoever knows a
    password could go on guessing codes. UNLOCKED is the security administrator's wiping.
    """

    FAILED = "failed", "失败"
    HALF = "half", "密码正确，未完成第二步"
    SUCCEEDED = "succeeded", "成功"
    THROTTLED = "throttled", "超过次数"
    UNLOCKED = "unlocked", "人工解锁"


class SecondStep(TextChoices):
    """What is asked of somebody whose password was right."""

    NONE = "none", "不需要"
    CODE = "code", "输入动态口令"
    ENROLMENT = "enrolment", "绑定动态口令"


class SessionEnd(TextChoices):
    """Why a log-in of staff ended."""

    LOGGED_OUT = "logged_out", "本人退出"
    AGAIN = "again", "在同一浏览器重新登录"
    OWN = "own", "本人在别处结束"
    FORCED = "forced", "安全管理员结束"
    PASSWORD = "password", "密码已更换"
    FACTOR = "factor", "动态口令已重置"
    ROLES = "roles", "管理员岗位变动"
    SWITCHED_OFF = "switched_off", "账号停用"
    EXPIRED = "expired", "长时间未用"


class Theme(TextChoices):
    """Colours of the patient pages; AUTO follows the phone."""

    AUTO = "auto", "跟随系统"
    LIGHT = "light", "浅色"
    DARK = "dark", "深色"
