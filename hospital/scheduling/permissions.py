"""Who may see what is sold (chapter 7)."""

from hospital.kernel.permissions import Permission

VIEW_SOLD = Permission(
    code="scheduling.view_sold",
    label="查看今日出诊与已售号源",
    roles=("registration_clerk", "outpatient_office", "triage_nurse", "doctor", "department_head"),
    narrows=True,
    scopes={"doctor": "department", "department_head": "department"},
)

MANAGE_NUMBERS = Permission(
    code="scheduling.manage_numbers",
    label="管理号源：号数、渠道分配、停号、批量",
    roles=("outpatient_office",),
)

STOP_SESSIONS = Permission(
    code="scheduling.stop_sessions",
    label="停诊、恢复出诊、替诊、互换出诊",
    roles=("outpatient_office",),
)
