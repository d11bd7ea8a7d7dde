"""Who may look into bookings (chapter 7)."""

from hospital.kernel.permissions import Permission

VIEW_APPOINTMENTS = Permission(
    code="registration.view_appointments",
    label="查询预约挂号",
    roles=("registration_clerk", "outpatient_office", "finance", "doctor", "department_head"),
    narrows=True,
    scopes={"doctor": "department", "department_head": "department"},
)
