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

ASK_STOP = Permission(
    code="scheduling.ask_stop",
    label="向门诊办申请停诊",
    roles=("department_head",),
    narrows=True,
    scopes={"department_head": "department"},
)

STOP_RUNNING = Permission(
    code="scheduling.stop_running",
    label="出诊中停诊（医生中途离开）",
    roles=("outpatient_office", "triage_nurse"),
)

VIEW_OWN_SESSIONS = Permission(
    code="scheduling.view_own_sessions",
    label="我的出诊与排班意愿",
    roles=("doctor", "department_head"),
)

ASK_LEAVE = Permission(
    code="scheduling.ask_leave",
    label="申请或登记请假",
    roles=("doctor", "department_head", "outpatient_office", "medical_affairs"),
    narrows=True,
    scopes={"doctor": "own", "department_head": "department"},
)

DECIDE_LEAVE = Permission(
    code="scheduling.decide_leave",
    label="审批请假：停诊或替诊",
    roles=("outpatient_office", "medical_affairs"),
)

DECIDE_LATE_LEAVE = Permission(
    code="scheduling.decide_late_leave",
    label="审批临近出诊的请假（门诊办负责人）",
    roles=("medical_affairs",),
)

EDIT_CALENDAR = Permission(
    code="scheduling.edit_calendar",
    label="维护节假日与调休",
    roles=("outpatient_office",),
)

DRAFT_ROSTER = Permission(
    code="scheduling.draft_roster",
    label="查看、起草和提交排班表",
    roles=("department_head", "outpatient_office"),
    narrows=True,
    scopes={"department_head": "department"},
)

MANAGE_ROSTERS = Permission(
    code="scheduling.manage_rosters",
    label="审核、退回和发布排班表",
    roles=("outpatient_office",),
)
