"""Who may see and change master data (chapter 7: the data steward is the system administrator)."""

from hospital.kernel.permissions import Permission

VIEW_MASTER = Permission(
    code="master.view", label="基础数据查看", roles=("system_admin", "outpatient_office", "finance")
)
EDIT_MASTER = Permission(code="master.edit", label="基础数据维护", roles=("system_admin",))
