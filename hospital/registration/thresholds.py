"""The numbers of this area a hospital may change (configuration rows, law 14)."""

from typing import Final

from hospital.kernel.settings_rows import Setting

HOLD_MINUTES: Final = Setting(
    key="registration.hold_minutes",
    label="锁号后几分钟内支付",
    default=15,
    unit="分钟",
    minimum=2,
    maximum=60,
    rule="M1.5",
)
REMIND_MINUTES: Final = Setting(
    key="registration.remind_minutes_left",
    label="剩余几分钟未支付时提醒",
    default=5,
    unit="分钟",
    minimum=1,
    maximum=30,
    rule="N02",
)
CANCEL_MINUTES: Final = Setting(
    key="registration.cancel_minutes_before_band",
    label="就诊当日最晚在时段开始前几分钟退号",
    default=30,
    unit="分钟",
    minimum=0,
    maximum=240,
    rule="M1.7",
)
RESERVED_AGE: Final = Setting(
    key="registration.reserved_age",
    label="就诊日满几岁的患者，窗口号挂完后可在窗口挂预留号",
    default=60,
    unit="岁",
    minimum=1,
    maximum=150,
    rule="M2.2",
)
LIMIT_DEPARTMENT_DAY: Final = Setting(
    key="registration.limit_department_day",
    label="同一患者同一天同一科室最多预约",
    default=1,
    unit="个",
    minimum=1,
    maximum=10,
    rule="M1.4",
    scopes=("department",),
)
LIMIT_DOCTOR_DAY: Final = Setting(
    key="registration.limit_doctor_day",
    label="同一患者同一天同一医生最多预约",
    default=1,
    unit="个",
    minimum=1,
    maximum=10,
    rule="M1.4",
    scopes=("department",),
)
LIMIT_DAY: Final = Setting(
    key="registration.limit_day",
    label="同一患者同一天最多预约",
    default=3,
    unit="个",
    minimum=1,
    maximum=20,
    rule="M1.4",
)
LIMIT_MONTH: Final = Setting(
    key="registration.limit_month",
    label="同一微信用户同一自然月最多预约",
    default=8,
    unit="个",
    minimum=1,
    maximum=100,
    rule="M1.4",
)
LIMIT_UNPAID_PATIENT: Final = Setting(
    key="registration.limit_unpaid_patient",
    label="同一患者最多待支付",
    default=1,
    unit="个",
    minimum=1,
    maximum=10,
    rule="M1.4",
)
LIMIT_UNPAID_USER: Final = Setting(
    key="registration.limit_unpaid_user",
    label="同一微信用户最多待支付",
    default=2,
    unit="个",
    minimum=1,
    maximum=10,
    rule="M1.4",
)
CANCEL_LOCK_MINUTES: Final = Setting(
    key="registration.cancel_lock_minutes",
    label="退号后多久内不能再约同一天的同一医生",
    default=120,
    unit="分钟",
    minimum=0,
    maximum=1440,
    rule="M1.4",
)
LATE_CANCELS: Final = Setting(
    key="registration.late_cancels",
    label="多少次当日退号后暂停线上预约",
    default=3,
    unit="次",
    minimum=1,
    maximum=100,
    rule="M1.10",
)
LATE_CANCEL_DAYS: Final = Setting(
    key="registration.late_cancel_days",
    label="当日退号的统计天数",
    default=30,
    unit="天",
    minimum=1,
    maximum=365,
    rule="M1.10",
)
RESTRICTION_DAYS: Final = Setting(
    key="registration.restriction_days",
    label="多次当日退号后，暂停线上预约天数",
    default=30,
    unit="天",
    minimum=1,
    maximum=365,
    rule="M1.10",
)
COLLECT_GRACE_MINUTES: Final = Setting(
    key="registration.collect_grace_minutes",
    label="到院支付的预约，时段开始后几分钟内取号有效",
    default=10,
    unit="分钟",
    minimum=0,
    maximum=120,
    rule="M1.13",
)
NOSHOWS: Final = Setting(
    key="registration.noshows",
    label="多少次爽约后暂停线上预约",
    default=3,
    unit="次",
    minimum=1,
    maximum=100,
    rule="M1.10",
)
NOSHOW_DAYS: Final = Setting(
    key="registration.noshow_days",
    label="爽约的统计天数",
    default=180,
    unit="天",
    minimum=1,
    maximum=730,
    rule="M1.10",
)
NOSHOW_RESTRICTION_DAYS: Final = Setting(
    key="registration.noshow_restriction_days",
    label="多次爽约后，暂停线上预约天数",
    default=90,
    unit="天",
    minimum=1,
    maximum=365,
    rule="M1.10",
)
NOSHOW_MINUTES: Final = Setting(
    key="registration.noshow_minutes",
    label="出诊结束几分钟后未签到的预约记为爽约",
    default=30,
    unit="分钟",
    minimum=0,
    maximum=240,
    rule="M1.10",
)
APPEAL_DAYS: Final = Setting(
    key="registration.appeal_days",
    label="爽约或当日退号后几天内可以申诉",
    default=30,
    unit="天",
    minimum=1,
    maximum=365,
    rule="M1.10",
)
ADD_ON_PAY_MINUTES: Final = Setting(
    key="registration.add_on_pay_minutes",
    label="医生加号后几分钟内支付（不晚于出诊结束）",
    default=120,
    unit="分钟",
    minimum=5,
    maximum=1440,
    rule="M2.4",
)
CONTINUATION_DAYS: Final = Setting(
    key="registration.continuation_days",
    label="续诊号在首诊起几天内有效（首诊当天算第一天，遇节假日顺延）",
    default=3,
    unit="天",
    minimum=3,
    maximum=30,
    rule="M1.14",
)
WAITLIST_PATIENT: Final = Setting(
    key="registration.waitlist_patient",
    label="同一患者同时候补最多",
    default=3,
    unit="个",
    minimum=1,
    maximum=20,
    rule="SM3",
)
WAITLIST_SESSION: Final = Setting(
    key="registration.waitlist_session",
    label="一次出诊的候补人数最多",
    default=30,
    unit="人",
    minimum=0,
    maximum=500,
    rule="SM3",
)
OFFER_HOURS: Final = Setting(
    key="registration.offer_hours",
    label="候补到的号最长保留几小时待支付",
    default=24,
    unit="小时",
    minimum=1,
    maximum=24,
    rule="N08",
)
OFFER_MORNING: Final = Setting(
    key="registration.offer_morning",
    label="夜间到期的候补号保留到早上几点（时:分）",
    default="07:30",
    rule="N08",
    pattern=r"(?:0\d|1[01]):[0-5]\d",
)
FIRST_OFFER_HOURS: Final = Setting(
    key="registration.first_offer_hours",
    label="停诊后患者优先候补的有效时间",
    default=24,
    unit="小时",
    minimum=1,
    maximum=168,
    rule="M1.8",
)
WATCH_MINUTES: Final = Setting(
    key="registration.watch_minutes",
    label="放号前几分钟发放号提醒",
    default=5,
    unit="分钟",
    minimum=1,
    maximum=120,
    rule="M1.2",
)
EVE_TIME: Final = Setting(
    key="registration.eve_time",
    label="就诊前一天几点发就诊提醒（时:分）",
    default="18:00",
    rule="N04",
    pattern=r"(?:0[89]|1\d|2[01]):[0-5]\d",
)
HOUR_MINUTES: Final = Setting(
    key="registration.remind_before_band",
    label="时段开始前几分钟发就诊提醒",
    default=60,
    unit="分钟",
    minimum=10,
    maximum=240,
    rule="N04",
)
CONSENT_HOURS: Final = Setting(
    key="registration.consent_hours",
    label="替诊医生职称较低时，患者几小时内确认",
    default=24,
    unit="小时",
    minimum=1,
    maximum=72,
    rule="M1.9",
)
FAST_ATTEMPTS: Final = Setting(
    key="registration.fast_attempts",
    label="一分钟内挂号尝试超过几次须先看图验证",
    default=5,
    unit="次",
    minimum=1,
    maximum=100,
    rule="M1.15",
    is_policy=True,
)
ATTEMPTS_USER: Final = Setting(
    key="registration.attempts_user",
    label="同一微信用户十分钟内最多尝试挂号",
    default=30,
    unit="次",
    minimum=5,
    maximum=1000,
    rule="M1.15",
    is_policy=True,
)
ATTEMPTS_ADDRESS: Final = Setting(
    key="registration.attempts_address",
    label="同一网络地址一分钟内最多尝试挂号",
    default=300,
    unit="次",
    minimum=20,
    maximum=1000,
    rule="M1.15",
    is_policy=True,
)
PUZZLE_WAIT_SECONDS: Final = Setting(
    key="registration.puzzle_wait_seconds",
    label="看不清图片时等待几秒可继续",
    default=20,
    unit="秒",
    minimum=5,
    maximum=120,
    rule="M1.15",
    is_policy=True,
)
ALERT_SURNAMES: Final = Setting(
    key="registration.alert_surnames",
    label="同一微信用户为几个不同姓氏挂号时预警",
    default=4,
    unit="个",
    minimum=2,
    maximum=20,
    rule="M1.15",
    is_policy=True,
)
ALERT_SWAPS: Final = Setting(
    key="registration.alert_swaps",
    label="退号后换人重约达几次时预警",
    default=3,
    unit="次",
    minimum=1,
    maximum=50,
    rule="M1.15",
    is_policy=True,
)
ALERT_DAYS: Final = Setting(
    key="registration.alert_days",
    label="号贩预警的统计天数",
    default=30,
    unit="天",
    minimum=1,
    maximum=365,
    rule="M1.15",
    is_policy=True,
)
