"""Who may look into bookings, make them at a window, and set limits aside (chapter 7)."""

from hospital.kernel.permissions import Permission

VIEW_APPOINTMENTS = Permission(
    code="registration.view_appointments",
    label="查询预约挂号",
    roles=(
        "registration_clerk",
        "outpatient_office",
        "finance",
        "triage_nurse",
        "doctor",
        "department_head",
    ),
    narrows=True,
    scopes={"doctor": "department", "department_head": "department"},
)
REGISTER = Permission(
    code="registration.register",
    label="窗口挂号",
    roles=("registration_clerk",),
)
CANCEL_ANY = Permission(
    code="registration.cancel_any",
    label="代患者退号、改约、答复替诊，作废登记有误的",
    roles=("registration_clerk", "outpatient_office"),
)
OVERRIDE_LIMIT = Permission(
    code="registration.override_limit",
    label="超限预约",
    roles=("outpatient_office",),
)
ADD_ON = Permission(
    code="registration.add_on",
    label="给本人的门诊加号",
    roles=("doctor",),
)
BEGIN_VISIT = Permission(
    code="registration.begin_visit",
    label="开始本人门诊、本科室不指定医生门诊的就诊",
    roles=("doctor",),
)
CLOSE_SESSION = Permission(
    code="registration.close_session",
    label="结束出诊（还有人候诊时）",
    roles=("doctor", "triage_nurse"),
    narrows=True,
    scopes={"doctor": "department"},
)
CHECK_IN = Permission(
    code="registration.check_in",
    label="签到、撤销签到",
    roles=("triage_nurse",),
)
REGISTER_EMERGENCY = Permission(
    code="registration.register_emergency",
    label="急诊挂号",
    roles=("registration_clerk", "triage_nurse"),
)
LIFT_RESTRICTION = Permission(
    code="registration.lift_restriction",
    label="更正爽约、处理申诉、解除预约限制",
    roles=("outpatient_office",),
)
VIEW_UTILISATION = Permission(
    code="registration.view_utilisation",
    label="查看号源使用情况",
    roles=("outpatient_office", "department_head", "hospital_leader"),
    narrows=True,
    scopes={"department_head": "department"},
)
JUDGE_ALERTS = Permission(
    code="registration.judge_alerts",
    label="处理号贩预警、停用和恢复微信用户",
    roles=("outpatient_office",),
)
