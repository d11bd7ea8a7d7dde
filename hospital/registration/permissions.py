"""Who may look into bookings, make them at a window, and set limits aside (chapter 7)."""

from hospital.kernel.permissions import Permission

VIEW_APPOINTMENTS = Permission(
    code="registration.view_appointments",
    label="查询预约挂号",
    roles=("registration_clerk", "outpatient_office", "finance", "doctor", "department_head"),
    narrows=True,
    scopes={"doctor": "department", "department_head": "department"},
)
REGISTER = Permission(
    code="registration.register",
    label="窗口挂号",
    roles=("registration_clerk",),
)
OVERRIDE_LIMIT = Permission(
    code="registration.override_limit",
    label="超限预约",
    roles=("outpatient_office",),
)
