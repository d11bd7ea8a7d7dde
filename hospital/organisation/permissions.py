"""Who may change the hospital's master data (chapter 7: system admin is its data steward)."""

from hospital.kernel.permissions import Permission

EDIT_ORGANISATION = Permission(
    code="organisation.edit",
    label="维护院区、科室、诊室和医生",
    roles=("system_admin",),
)
