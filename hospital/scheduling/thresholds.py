"""The numbers of this area a hospital may change (configuration rows, law 14)."""

import datetime as dt
from typing import Final

from hospital.kernel.settings_rows import Scope, Setting
from hospital.scheduling.proposal.problem import Period, Rule, Rules
from hospital.scheduling.states import Pool

HORIZON_DAYS: Final = Setting(
    key="scheduling.horizon_days",
    label="提前几天放号",
    default=7,
    unit="天",
    minimum=0,
    maximum=60,
    rule="M1.1",
)
RELEASE_TIME: Final = Setting(
    key="scheduling.release_time",
    label="每日放号时间（时:分）",
    default="07:00",
    rule="M1.1",
    pattern=r"(?:[01]\d|2[0-3]):[0-5]\d",
)
GENERATE_DAYS: Final = Setting(
    key="scheduling.generate_days",
    label="按模板提前生成几天的出诊",
    default=14,
    unit="天",
    minimum=1,
    maximum=90,
    rule="M15.1",
)
BAND_MINUTES: Final = Setting(
    key="scheduling.band_minutes",
    label="默认分时段长度",
    default=30,
    unit="分钟",
    minimum=5,
    maximum=240,
    rule="M2.1",
)
RECLAIM_MINUTES_MIN: Final = Setting(
    key="scheduling.reclaim_minutes_min",
    label="退号后号源最早几分钟放回",
    default=5,
    unit="分钟",
    minimum=0,
    maximum=240,
    rule="SM2",
)
RECLAIM_MINUTES_MAX: Final = Setting(
    key="scheduling.reclaim_minutes_max",
    label="退号后号源最晚几分钟放回",
    default=30,
    unit="分钟",
    minimum=0,
    maximum=240,
    rule="SM2",
)
CLOSE_MINUTES: Final = Setting(
    key="scheduling.close_minutes_before_end",
    label="当日挂号在出诊结束前几分钟截止",
    default=30,
    unit="分钟",
    minimum=0,
    maximum=240,
    rule="M1.11",
)

WAITING_LEAD_MINUTES: Final = Setting(
    key="scheduling.waiting_lead_minutes",
    label="时段开始前几分钟起，空出的号不再留给候补",
    default=30,
    unit="分钟",
    minimum=5,
    maximum=240,
    rule="M1.2",
)
WAITING_CLEAR_TIME: Final = Setting(
    key="scheduling.waiting_clear_time",
    label="就诊前一天几点清空候补（时:分）",
    default="23:00",
    rule="M1.2",
    pattern=r"(?:1[2-9]|2[0-3]):[0-5]\d",
)

_QUOTA_SCOPES: Final = ("practitioner", "service_type", "department")
WECHAT_PERCENT: Final = Setting(
    key="scheduling.quota_wechat_percent",
    label="号源中留给微信的比例",
    default=60,
    unit="%",
    minimum=0,
    maximum=100,
    rule="M2.2",
    scopes=_QUOTA_SCOPES,
)
KIOSK_PERCENT: Final = Setting(
    key="scheduling.quota_kiosk_percent",
    label="号源中留给自助机的比例",
    default=10,
    unit="%",
    minimum=0,
    maximum=100,
    rule="M2.2",
    scopes=_QUOTA_SCOPES,
)
RESERVED_PERCENT: Final = Setting(
    key="scheduling.quota_reserved_percent",
    label="号源中预留（老人、电话、转诊）的比例，其余归窗口",
    default=10,
    unit="%",
    minimum=0,
    maximum=100,
    rule="M2.2",
    scopes=_QUOTA_SCOPES,
)
ADD_ON_PERCENT: Final = Setting(
    key="scheduling.add_on_percent",
    label="医生加号最多为限号的",
    default=20,
    unit="%",
    minimum=0,
    maximum=100,
    rule="M2.2",
    scopes=_QUOTA_SCOPES,
)
MERGE_TIME: Final = Setting(
    key="scheduling.merge_time",
    label="就诊当日未约的各渠道号并入公共号池的时间（时:分）",
    default="00:00",
    rule="M2.2",
    pattern=r"(?:[01]\d|2[0-3]):[0-5]\d",
)
WINDOW_KEPT: Final = Setting(
    key="scheduling.window_kept",
    label="就诊当日为窗口保留的号数",
    default=2,
    unit="个",
    minimum=0,
    maximum=50,
    rule="M2.2",
)
WINDOW_KEPT_UNTIL: Final = Setting(
    key="scheduling.window_kept_until",
    label="窗口保留号当日放开的时间（时:分）",
    default="09:30",
    rule="M2.2",
    pattern=r"(?:[01]\d|2[0-3]):[0-5]\d",
)

WEEK_CAP: Final = Setting(
    key="scheduling.week_cap",
    label="一位医生每周最多出诊",
    default=10,
    unit="次",
    minimum=1,
    maximum=35,
    rule="M15.2",
    scopes=("practitioner",),
)
PUBLISH_DAYS: Final = Setting(
    key="scheduling.publish_days",
    label="排班表最晚在放号日前几天发布",
    default=1,
    unit="天",
    minimum=0,
    maximum=30,
    rule="M15.1",
)
LEAVE_NOTICE_HOURS: Final = Setting(
    key="scheduling.leave_notice_hours",
    label="出诊前不足几小时的请假须门诊办负责人批准",
    default=24,
    unit="小时",
    minimum=0,
    maximum=168,
    rule="M15.3",
)


# What a proposed roster keeps to and aims at; the numbers are those of proposal/problem.py.
_PROPOSAL_SCOPES: Final = ("department",)
PROPOSAL_DAY_CAP: Final = Setting(
    key="scheduling.proposal_day_cap",
    label="智能排班：一位医生一天最多出诊",
    default=2,
    unit="次",
    minimum=1,
    maximum=5,
    scopes=_PROPOSAL_SCOPES,
)
PROPOSAL_LONGEST_RUN: Final = Setting(
    key="scheduling.proposal_longest_run",
    label="智能排班：最多连续出诊",
    default=6,
    unit="天",
    minimum=1,
    maximum=31,
    scopes=_PROPOSAL_SCOPES,
)
PROPOSAL_REST_PERIODS: Final = Setting(
    key="scheduling.proposal_rest_periods",
    label="智能排班：夜班后次日哪些午别不排（am、noon、pm、evening，逗号分隔）",
    default="am,noon",
    pattern=r"(?:am|noon|pm|evening)(?:,(?:am|noon|pm|evening))*",
    scopes=_PROPOSAL_SCOPES,
)
PROPOSAL_REST_IS_RULE: Final = Setting(
    key="scheduling.proposal_rest_is_rule",
    label="智能排班：夜班后休息必须遵守（否则只是尽量）",
    default=True,
    scopes=_PROPOSAL_SCOPES,
)
PROPOSAL_TARGET_WEIGHT: Final = Setting(
    key="scheduling.proposal_target_weight",
    label="智能排班计分：比期望人数每少一人",
    default=100,
    unit="分",
    minimum=0,
    maximum=1000,
    scopes=_PROPOSAL_SCOPES,
)
PROPOSAL_WISH_WEIGHT: Final = Setting(
    key="scheduling.proposal_wish_weight",
    label="智能排班计分：每个没照顾到的意愿",
    default=10,
    unit="分",
    minimum=0,
    maximum=1000,
    scopes=_PROPOSAL_SCOPES,
)
PROPOSAL_REST_WEIGHT: Final = Setting(
    key="scheduling.proposal_rest_weight",
    label="智能排班计分：每次夜班后没有休息",
    default=50,
    unit="分",
    minimum=0,
    maximum=1000,
    scopes=_PROPOSAL_SCOPES,
)
PROPOSAL_REST_DAY_WEIGHT: Final = Setting(
    key="scheduling.proposal_rest_day_weight",
    label="智能排班计分：周末和节假日不均",
    default=1,
    unit="分",
    minimum=0,
    maximum=1000,
    scopes=_PROPOSAL_SCOPES,
)
PROPOSAL_NIGHT_WEIGHT: Final = Setting(
    key="scheduling.proposal_night_weight",
    label="智能排班计分：夜班不均",
    default=1,
    unit="分",
    minimum=0,
    maximum=1000,
    scopes=_PROPOSAL_SCOPES,
)
PROPOSAL_HABIT_WEIGHT: Final = Setting(
    key="scheduling.proposal_habit_weight",
    label="智能排班计分：每个和原排班不同的班",
    default=2,
    unit="分",
    minimum=0,
    maximum=1000,
    scopes=_PROPOSAL_SCOPES,
)
PROPOSAL_SECONDS: Final = Setting(
    key="scheduling.proposal_seconds",
    label="智能排班：最多计算多久",
    default=45,
    unit="秒",
    minimum=5,
    maximum=120,
    scopes=_PROPOSAL_SCOPES,
)


def quota_percents(*scopes: Scope) -> dict[Pool, int]:
    """The shares a session's numbers are dealt by; the window has what these leave."""
    return {
        Pool.WECHAT: WECHAT_PERCENT.value(*scopes),
        Pool.KIOSK: KIOSK_PERCENT.value(*scopes),
        Pool.RESERVED: RESERVED_PERCENT.value(*scopes),
    }


def merge_time() -> dt.time:
    """From when on a visit day unused quota is everybody's, on the hospital's wall clock."""
    return dt.time.fromisoformat(MERGE_TIME.value())


def window_kept_until() -> dt.time:
    """Until when the window keeps its last numbers of the day, on the hospital's wall clock."""
    return dt.time.fromisoformat(WINDOW_KEPT_UNTIL.value())


def release_time() -> dt.time:
    """When the numbers of the day at the horizon are released, on the hospital's wall clock."""
    return dt.time.fromisoformat(RELEASE_TIME.value())


def kept_after(at: dt.datetime) -> dt.datetime:
    """Numbers of bands that begin later than this (UTC) go to the waiting list first."""
    return at + dt.timedelta(minutes=WAITING_LEAD_MINUTES.value())


def proposal_rules(*scopes: Scope) -> Rules:
    """The rules and weights a department's proposed rosters follow."""
    is_hard = PROPOSAL_REST_IS_RULE.value(*scopes)
    return Rules(
        day_cap=PROPOSAL_DAY_CAP.value(*scopes),
        longest_run=PROPOSAL_LONGEST_RUN.value(*scopes),
        rest_periods=tuple(
            Period(word) for word in PROPOSAL_REST_PERIODS.value(*scopes).split(",")
        ),
        hard=frozenset(Rule) if is_hard else frozenset(Rule) - {Rule.REST},
        target_weight=PROPOSAL_TARGET_WEIGHT.value(*scopes),
        wish_weight=PROPOSAL_WISH_WEIGHT.value(*scopes),
        rest_weight=PROPOSAL_REST_WEIGHT.value(*scopes),
        rest_day_weight=PROPOSAL_REST_DAY_WEIGHT.value(*scopes),
        night_weight=PROPOSAL_NIGHT_WEIGHT.value(*scopes),
        habit_weight=PROPOSAL_HABIT_WEIGHT.value(*scopes),
    )
