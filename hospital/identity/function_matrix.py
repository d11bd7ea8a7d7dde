"""The function matrix of chapter 7 as data: which function is allowed to whom by default.

Anything not listed is denied. A function that exists names its permissions, whose default roles
are these and no others; one whose area is yet to come says what it waits for. A test holds both
against the registry, so a new permission gets a line here: who was it meant for?
docs/generated/functions.md prints it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hospital.identity.states import Role

RC, OO = Role.REGISTRATION_CLERK, Role.OUTPATIENT_OFFICE
FN, DR, PH = Role.FINANCE, Role.DOCTOR, Role.PHARMACIST
CA, CS, TN = Role.CASHIER, Role.CASHIER_SUPERVISOR, Role.TRIAGE_NURSE
LT, LA = Role.LAB_TECHNICIAN, Role.LAB_AUTHORIZER
XT, XR = Role.EXAM_TECHNICIAN, Role.EXAM_REPORTER
WN, AC = Role.WARD_NURSE, Role.ADMISSION_CLERK
MA, ES = Role.MEDICAL_AFFAIRS, Role.EMPI_STEWARD
DH, HL = Role.DEPARTMENT_HEAD, Role.HOSPITAL_LEADER
CE, CR = Role.CONTENT_EDITOR, Role.CONTENT_REVIEWER
SA, SE, AU = Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN
DO, CO = Role.DECOCTION_OPERATOR, Role.COURIER_CLERK
EVERYBODY: Final = tuple(Role)


@dataclass(frozen=True, slots=True)
class Function:
    """One function: what it is called, whose it is, by which permissions it is guarded.

    `by_patient`: patients do it too, on their own pages. `is_patient_data`: it shows or changes
    data of patients. `is_duty`: it belongs to one of the three administrators alone, so it can be
    neither given to another role nor lent. `waits` names what is to be built first.
    """

    code: str
    label: str
    roles: tuple[Role, ...]
    permissions: tuple[str, ...] = ()
    note: str = ""
    waits: str = ""
    by_patient: bool = False
    is_patient_data: bool = True
    is_duty: bool = False


CHAPTER_SEVEN: Final = (
    Function(
        "appointment.book",
        "预约、取消自己的预约",
        (RC,),
        ("registration.register",),
        by_patient=True,
    ),
    Function(
        "appointment.cancel_any",
        "取消他人预约",
        (RC, OO),
        ("registration.cancel_any",),
        note="签到后须写原因",
    ),
    Function(
        "appointment.override_limit",
        "超限预约",
        (OO,),
        ("registration.override_limit",),
        note="须写原因",
    ),
    Function(
        "schedule.draft",
        "排班草稿",
        (DH, OO),
        ("scheduling.draft_roster",),
        note="科主任只排本科室",
        is_patient_data=False,
    ),
    Function(
        "schedule.edit",
        "排班、审核、停诊、替诊",
        (OO,),
        ("scheduling.stop_sessions", "scheduling.manage_rosters"),
        is_patient_data=False,
    ),
    Function(
        "schedule.ask_stop", "申请停诊", (DH,), ("scheduling.ask_stop",), note="只为本科室的出诊"
    ),
    Function("schedule.stop_running", "出诊中停诊", (OO, TN), ("scheduling.stop_running",)),
    Function(
        "schedule.close",
        "结束还有人候诊的出诊",
        (DR, TN),
        ("registration.close_session",),
        note="医生只结束本人的门诊、本科室不指定医生的门诊",
    ),
    Function("schedule.add_on", "加号", (DR,), ("registration.add_on",), note="本人的门诊"),
    Function("patient.create", "建档、修改基本信息", (RC, AC, TN), ("patients.edit_patient",)),
    Function("patient.upgrade", "实名升级", (RC, AC), ("patients.upgrade_identity",)),
    Function("empi.review", "疑似重复审核", (ES,), waits="历史数据清洗"),
    Function(
        "empi.merge", "合并患者", (ES,), note="涉及住院或未结费用须医务科", waits="历史数据清洗"
    ),
    Function("empi.unmerge", "拆分患者", (ES, MA), note="两人", waits="历史数据清洗"),
    Function(
        "queue.manage",
        "签到、优先、召回、转诊",
        (TN,),
        note="患者可自己签到",
        by_patient=True,
        waits="分诊叫号",
    ),
    Function("queue.call", "叫号", (DR,), waits="分诊叫号"),
    Function("encounter.write", "病历、开立和作废医嘱", (DR,), waits="医生工作站"),
    Function("prescription.review", "审方", (PH,), waits="药房"),
    Function("prescription.dispense", "发药、退药", (PH,), note="特殊药品两人", waits="药房"),
    Function("decoction.step", "煎药步骤", (DO,), note="看不到价格和历史", waits="药房"),
    Function("delivery.step", "配送步骤", (CO,), note="看不到价格和历史", waits="药房"),
    Function("lab.collect", "采集、录入结果", (LT, WN), waits="检验"),
    Function("lab.authorize", "审核、更正报告", (LA,), note="不能审核自己录入的", waits="检验"),
    Function("lab.withdraw", "撤回报告", (LA,), note="和检验科主任两人", waits="检验"),
    Function("exam.register", "检查登记、执行", (XT,), waits="检查"),
    Function("exam.report", "检查报告、审核", (XR,), waits="检查"),
    Function(
        "bill.settle",
        "收费",
        (CA, RC),
        ("payments.collect",),
        note="挂号员只收挂号费",
        by_patient=True,
    ),
    Function(
        "bill.refund",
        "申请退款",
        (CA, FN),
        ("payments.ask_refund",),
        note="财务只为支付异常提出",
    ),
    Function(
        "bill.refund_above",
        "审批退款与线下转账",
        (CS, FN),
        ("payments.approve_refund",),
        note="提出的人不能审批",
    ),
    Function("invoice.issue", "开具、补打、作废票据", (CA, CS), note="跨班次由主管", waits="票据"),
    Function("shift.close", "交班日结", (CA,), note="只结自己的", waits="日结"),
    Function("shift.audit", "稽核、重开差异", (FN,), waits="日结"),
    Function("deposit.receive", "收押金", (AC, CA), by_patient=True, waits="住院"),
    Function("deposit.refund", "退押金", (CA, CS), note="两人", waits="住院"),
    Function("deposit.guarantee", "欠费担保", (MA,), waits="住院"),
    Function("admission.register", "入院登记", (AC,), waits="住院"),
    Function("admission.bed", "分床、执行", (WN,), waits="住院"),
    Function("admission.discharge", "出院", (DR, WN), waits="住院"),
    Function("admission.settle", "出院结算", (CA,), waits="住院"),
    Function("admission.reopen", "结算召回", (FN,), waits="住院"),
    Function(
        "recon.cure",
        "处理支付异常",
        (FN,),
        ("payments.close_case",),
        note="处理的人不能签字",
    ),
    Function("recon.sign", "对账签字", (FN,), note="不是处理差异的人", waits="对账"),
    Function(
        "master.edit",
        "基础数据维护",
        (SA,),
        ("master.edit",),
        note="改价由财务批准后生效",
        is_patient_data=False,
    ),
    Function(
        "price.approve",
        "价格批准",
        (FN,),
        ("catalogue.approve_price",),
        note="提出的人不能批准",
        is_patient_data=False,
    ),
    Function("content.edit", "编辑内容", (CE,), waits="内容管理", is_patient_data=False),
    Function("content.publish", "审核发布内容", (CR,), waits="内容管理", is_patient_data=False),
    Function(
        "restriction.lift",
        "更正爽约、处理申诉、解除预约限制",
        (OO,),
        ("registration.lift_restriction",),
        note="须写原因",
    ),
    Function("complaint.handle", "投诉、满意度实名查看", (MA,), waits="满意度"),
    Function(
        "bi.view", "经营分析", (HL, DH), note="科主任只看本科室", waits="BI", is_patient_data=False
    ),
    Function("critical.board", "危急值看板", (HL, DH, MA), waits="检验"),
    Function(
        "access.assign",
        "员工账号、岗位与角色（提出）",
        (SA,),
        ("identity.manage_staff", "identity.manage_roles"),
        note="由安全管理员批准",
        is_patient_data=False,
        is_duty=True,
    ),
    Function(
        "access.approve",
        "批准岗位与角色",
        (SE,),
        ("identity.approve_access",),
        is_patient_data=False,
        is_duty=True,
    ),
    Function("patient.export", "导出患者数据", (DR,), note="医务科批准，加水印", waits="导出审批"),
    Function(
        "patient.break_glass",
        "紧急查阅其他科室患者",
        (DR,),
        ("identity.break_glass",),
        note="不超过 2 小时，逐条审核",
    ),
    Function(
        "patient.break_glass_review",
        "审核紧急查阅",
        (MA,),
        ("identity.review_break_glass",),
        note="不能审核自己的",
    ),
)

# What chapter 7's table of roles and the other chapters need beyond its function matrix.
BEYOND: Final = (
    Function(
        "staff.sign_in",
        "登录工作台、本人设置",
        EVERYBODY,
        ("identity.signed_in",),
        is_patient_data=False,
    ),
    Function(
        "access.view",
        "查看谁能做什么",
        (SA, SE),
        ("identity.view_access",),
        note="提出和批准都要看",
        is_patient_data=False,
        is_duty=True,
    ),
    Function(
        "log_in.oversee",
        "结束登录、解除锁定、重置动态口令",
        (SE,),
        ("identity.end_sessions",),
        note="须写原因",
        is_patient_data=False,
        is_duty=True,
    ),
    Function(
        "log_in.devices",
        "自助机的配对与停用",
        (SE,),
        ("identity.manage_devices",),
        note="停用须写原因",
        is_patient_data=False,
        is_duty=True,
    ),
    Function(
        "log_in.networks",
        "岗位可以登录的网络",
        (SE,),
        ("identity.manage_networks",),
        note="须写原因，不能把自己关在外面",
        is_patient_data=False,
        is_duty=True,
    ),
    Function(
        "system.watch",
        "查看系统运行状态",
        (SA,),
        ("monitoring.view",),
        is_patient_data=False,
    ),
    Function(
        "system.mend",
        "处理系统告警、重新执行任务",
        (SA,),
        ("monitoring.acknowledge",),
        note="须写怎么处理",
        is_patient_data=False,
        is_duty=True,
    ),
    Function(
        "system.be_alerted",
        "接收系统告警短信",
        (SA,),
        ("monitoring.receive_alerts",),
        note="N38，发到账号登记的手机",
        is_patient_data=False,
    ),
    Function(
        "system.partners",
        "外部平台接入：平台、密钥、额度、调用记录",
        (SA,),
        ("interop.manage_partners",),
        is_patient_data=False,
        is_duty=True,
    ),
    Function(
        "system.configure",
        "业务参数",
        (SA,),
        ("desk.configure",),
        is_patient_data=False,
        is_duty=True,
    ),
    Function(
        "system.configure_policy",
        "安全策略参数",
        (SE,),
        ("desk.configure_policy",),
        is_patient_data=False,
        is_duty=True,
    ),
    Function(
        "system.view_configuration",
        "查看参数",
        (SA, SE),
        ("desk.view_configuration",),
        is_patient_data=False,
    ),
    Function(
        "audit.read",
        "查阅与导出审计记录",
        (AU,),
        ("desk.read_audit",),
        note="姓名、证件号只显示一部分",
        is_patient_data=False,
        is_duty=True,
    ),
    Function(
        "account.manage",
        "公众号菜单与自动回复",
        (SA,),
        ("messaging.manage_account",),
        note="M12，内容管理建成前",
        is_patient_data=False,
    ),
    Function(
        "numbers.manage",
        "号源：号数、渠道分配、停号、批量操作",
        (OO,),
        ("scheduling.manage_numbers",),
        note="须写原因",
        is_patient_data=False,
    ),
    Function(
        "numbers.utilisation",
        "查看、导出号源使用情况",
        (OO, DH, HL),
        ("registration.view_utilisation",),
        note="M2.6；科主任只看本科室",
        is_patient_data=False,
    ),
    Function(
        "schedule.view",
        "查看出诊与已售号源",
        (RC, OO, TN, DR, DH),
        ("scheduling.view_sold",),
        note="医生、科主任只看本科室",
        is_patient_data=False,
    ),
    Function("window.use", "打开挂号窗口", (RC, OO), ("window.use",), note="门诊办公室为放宽限制"),
    Function(
        "sessions.own",
        "我的出诊、排班意愿",
        (DR, DH),
        ("scheduling.view_own_sessions",),
        note="只有本人的，今日名单另须能查预约",
        is_patient_data=False,
    ),
    Function(
        "leave.ask",
        "申请或登记请假",
        (DR, DH, OO, MA),
        ("scheduling.ask_leave",),
        note="医生本人，科主任本科室",
        is_patient_data=False,
    ),
    Function(
        "leave.decide",
        "审批请假",
        (OO, MA),
        ("scheduling.decide_leave",),
        note="M15.3，不能审批自己的",
        is_patient_data=False,
    ),
    Function(
        "leave.decide_late",
        "审批临近出诊的请假",
        (MA,),
        ("scheduling.decide_late_leave",),
        note="M15.3，24 小时内；门诊办负责人另授",
        is_patient_data=False,
    ),
    Function(
        "calendar.edit", "节假日与调休", (OO,), ("scheduling.edit_calendar",), is_patient_data=False
    ),
    Function(
        "appointment.view",
        "查询预约",
        (RC, OO, FN, TN, DR, DH),
        ("registration.view_appointments",),
        note="医生、科主任只看本科室；财务核对退款",
    ),
    Function(
        "booking.judge_alerts",
        "处理号贩预警、停用微信用户",
        (OO,),
        ("registration.judge_alerts",),
        note="M1.15，只显示脱敏姓名",
    ),
    Function("visit.check_in", "签到、撤销签到", (TN,), ("registration.check_in",)),
    Function(
        "visit.begin",
        "开始就诊",
        (DR,),
        ("registration.begin_visit",),
        note="本人的门诊，医生工作站建成前",
    ),
    Function(
        "emergency.register",
        "急诊挂号",
        (RC, TN),
        ("registration.register_emergency",),
        note="M1.17，先抢救后付费",
    ),
    Function(
        "patient.find",
        "查找患者",
        (RC, AC, OO, CA, TN, DR),
        ("patients.find_patient",),
        note="全院只有一个患者索引，只显示脱敏信息",
    ),
    Function(
        "patient.reveal",
        "查看完整证件号和手机号",
        (RC, AC, OO),
        ("patients.reveal",),
        note="X12，逐次审计",
    ),
    Function(
        "patient.card", "发放、挂失、补换就诊卡", (RC, AC), ("patients.manage_card",), note="H2.1"
    ),
    Function("patient.unbind", "强制解除微信绑定", (OO,), ("patients.force_unbind",), note="M11.2"),
    Function(
        "payment.view",
        "查看支付与退款",
        (FN, CA, CS, OO),
        ("payments.view_payments",),
        note="钱不分科室",
    ),
    Function("payment.ask_channel", "向微信重新查询支付", (FN, CA, CS), ("payments.ask_channel",)),
    Function(
        "recon.statement",
        "查看与取得微信账单",
        (FN, CS),
        ("payments.view_statements",),
        is_patient_data=False,
    ),
    Function(
        "master.view",
        "查看基础数据",
        (SA, OO, FN),
        ("master.view",),
        note="排班要科室和医生，财务要价格",
        is_patient_data=False,
    ),
    Function(
        "message.trace",
        "查看、重发消息，电话通知",
        (OO, RC),
        ("messaging.view_messages", "messaging.resend", "messaging.call_patient"),
        note="M8",
    ),
)

FUNCTIONS: Final = CHAPTER_SEVEN + BEYOND

#: Permissions that only the three administrators ever hold.
ADMINISTRATORS_DUTIES: Final = frozenset(
    code for function in FUNCTIONS if function.is_duty for code in function.permissions
)
