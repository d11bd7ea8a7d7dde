"""Who may see what is sold and who owns the sessions (chapter 7)."""

from hospital.kernel.permissions import Permission

VIEW_SOLD = Permission(
    code="scheduling.view_sold",
    label="查看今日出诊与已售号源",
    roles=("registration_clerk", "outpatient_office", "triage_nurse", "system_admin"),
)
EDIT_TEMPLATES = Permission(
    code="scheduling.edit_templates",
    label="维护出诊模板",
    roles=("outpatient_office", "system_admin"),
)
SUSPEND_SESSIONS = Permission(
    code="scheduling.suspend_sessions",
    label="停诊与恢复出诊",
    roles=("outpatient_office",),
)
