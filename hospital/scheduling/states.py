"""Lifecycles of a clinic session (SM1) and of one bookable number (SM2), who may claim which
numbers (M2.2), and what patients see."""

from collections.abc import Mapping
from typing import Final

from django.db.models import TextChoices

from hospital.kernel.states import Moves


class SessionPeriod(TextChoices):
    """午别: a session belongs to the hospital day it starts on."""

    AM = "am", "上午"
    NOON = "noon", "中午"
    PM = "pm", "下午"
    EVENING = "evening", "晚上"
    NIGHT = "night", "夜间"


class ScheduleStatus(TextChoices):
    """SM1: how far a clinic session has come."""

    DRAFT = "draft", "草稿"
    PUBLISHED = "published", "待放号"
    RELEASED = "released", "已放号"
    SUSPENDED = "suspended", "停诊"
    IN_SESSION = "in_session", "出诊中"
    CLOSED = "closed", "已结束"
    CANCELLED = "cancelled", "已撤销"


SCHEDULE_MOVES: Final[Moves] = frozenset(
    {
        (ScheduleStatus.DRAFT, ScheduleStatus.PUBLISHED),
        (ScheduleStatus.DRAFT, ScheduleStatus.CANCELLED),
        (ScheduleStatus.PUBLISHED, ScheduleStatus.RELEASED),
        (ScheduleStatus.PUBLISHED, ScheduleStatus.SUSPENDED),
        (ScheduleStatus.PUBLISHED, ScheduleStatus.CANCELLED),
        (ScheduleStatus.RELEASED, ScheduleStatus.SUSPENDED),
        (ScheduleStatus.RELEASED, ScheduleStatus.IN_SESSION),
        (ScheduleStatus.IN_SESSION, ScheduleStatus.SUSPENDED),
        (ScheduleStatus.IN_SESSION, ScheduleStatus.CLOSED),
        (ScheduleStatus.SUSPENDED, ScheduleStatus.RELEASED),
    }
)

# Neither over nor called off: numbers may be had and changed, a doctor replaced.
ACTIVE: Final = (ScheduleStatus.PUBLISHED, ScheduleStatus.RELEASED, ScheduleStatus.IN_SESSION)


class RosterStatus(TextChoices):
    """排班表: how far the roster of a department's week has come (M15.1)."""

    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "待审核"
    PUBLISHED = "published", "已发布"


ROSTER_MOVES: Final[Moves] = frozenset(
    {
        (RosterStatus.DRAFT, RosterStatus.SUBMITTED),
        (RosterStatus.SUBMITTED, RosterStatus.PUBLISHED),
        (RosterStatus.SUBMITTED, RosterStatus.DRAFT),
        # What is published is revised as a draft; its sessions stand until that is published.
        (RosterStatus.PUBLISHED, RosterStatus.DRAFT),
    }
)


class EditKind(TextChoices):
    """What one step on a roster was."""

    OPEN = "open", "打开本周"
    PUT = "put", "放入"
    CHANGE = "change", "修改"
    MOVE = "move", "移动"
    REMOVE = "remove", "撤下"
    COPY = "copy", "复制"
    FILL = "fill", "按模板填入"
    PROPOSE = "propose", "采用智能排班"


class StopReason(TextChoices):
    """Why a doctor does not hold a session: of a 停诊, a 替诊 and a leave (M15.3)."""

    TRIP = "trip", "出差"
    STUDY = "study", "学习"
    SICK = "sick", "病假"
    MEETING = "meeting", "会议"
    SURGERY = "surgery", "手术"
    OTHER = "other", "其他"


class DayKind(TextChoices):
    """特殊日: how a day differs from the usual one of its weekday."""

    HOLIDAY = "holiday", "放假"
    WORKDAY = "workday", "上班"


class LeaveStatus(TextChoices):
    """请假: asked, then decided; a decided one may be taken back (M15.3)."""

    ASKED = "asked", "待审批"
    APPROVED = "approved", "已批准"
    REFUSED = "refused", "已驳回"
    WITHDRAWN = "withdrawn", "已撤回"


LEAVE_MOVES: Final[Moves] = frozenset(
    {
        (LeaveStatus.ASKED, LeaveStatus.APPROVED),
        (LeaveStatus.ASKED, LeaveStatus.REFUSED),
        (LeaveStatus.ASKED, LeaveStatus.WITHDRAWN),
        (LeaveStatus.APPROVED, LeaveStatus.WITHDRAWN),
    }
)


class StopRequestStatus(TextChoices):
    """停诊申请: a department head asked for a stop; the office carries it out or refuses (SM1), or
    the department takes it back."""

    ASKED = "asked", "待处理"
    DONE = "done", "已停诊"
    REFUSED = "refused", "未同意"
    WITHDRAWN = "withdrawn", "已撤回"


STOP_REQUEST_MOVES: Final[Moves] = frozenset(
    {
        (StopRequestStatus.ASKED, StopRequestStatus.DONE),
        (StopRequestStatus.ASKED, StopRequestStatus.REFUSED),
        (StopRequestStatus.ASKED, StopRequestStatus.WITHDRAWN),
    }
)


class LeaveAnswer(TextChoices):
    """What becomes of a session whose practitioner is on leave."""

    STOP = "stop", "停诊"
    SUBSTITUTE = "substitute", "替诊"


class WishMind(TextChoices):
    """What a doctor said about a day."""

    WANTS = "wants", "希望出诊"
    RATHER_NOT = "rather_not", "尽量不排"


class ProposalStatus(TextChoices):
    """智能排班: how far a proposed roster has come."""

    WAITING = "waiting", "排队中"
    RUNNING = "running", "计算中"
    READY = "ready", "已排出"
    UNSOLVABLE = "unsolvable", "排不出"
    FAILED = "failed", "计算中断"
    TAKEN = "taken", "已采用"
    DROPPED = "dropped", "已放弃"


PROPOSAL_MOVES: Final[Moves] = frozenset(
    {
        (ProposalStatus.WAITING, ProposalStatus.RUNNING),
        (ProposalStatus.WAITING, ProposalStatus.DROPPED),
        (ProposalStatus.RUNNING, ProposalStatus.READY),
        (ProposalStatus.RUNNING, ProposalStatus.UNSOLVABLE),
        (ProposalStatus.RUNNING, ProposalStatus.FAILED),
        (ProposalStatus.READY, ProposalStatus.TAKEN),
        (ProposalStatus.READY, ProposalStatus.DROPPED),
        (ProposalStatus.UNSOLVABLE, ProposalStatus.TAKEN),
        (ProposalStatus.UNSOLVABLE, ProposalStatus.DROPPED),
    }
)


class SlotStatus(TextChoices):
    """SM2: what has become of one number. FREE may be claimed, everything after it is taken."""

    PLANNED = "planned", "未放号"
    FREE = "free", "可约"
    HELD = "held", "已锁定"
    BOOKED = "booked", "已约"
    RECLAIM_WAIT = "reclaim_wait", "待回收"
    CONSUMED = "consumed", "已就诊"
    FORFEITED = "forfeited", "爽约"
    BLOCKED = "blocked", "停号"
    EXPIRED = "expired", "过时"
    WITHDRAWN = "withdrawn", "已减号"


SLOT_MOVES: Final[Moves] = frozenset(
    {
        (SlotStatus.PLANNED, SlotStatus.FREE),
        (SlotStatus.FREE, SlotStatus.HELD),
        (SlotStatus.HELD, SlotStatus.BOOKED),
        (SlotStatus.HELD, SlotStatus.FREE),
        (SlotStatus.BOOKED, SlotStatus.RECLAIM_WAIT),
        (SlotStatus.RECLAIM_WAIT, SlotStatus.FREE),
        (SlotStatus.BOOKED, SlotStatus.CONSUMED),
        (SlotStatus.BOOKED, SlotStatus.FORFEITED),
        (SlotStatus.FREE, SlotStatus.BLOCKED),
        (SlotStatus.PLANNED, SlotStatus.BLOCKED),
        (SlotStatus.BLOCKED, SlotStatus.FREE),
        (SlotStatus.BLOCKED, SlotStatus.PLANNED),
        (SlotStatus.FREE, SlotStatus.EXPIRED),
        # A smaller capacity takes numbers nobody has (M2.3); an add-on number goes with its claim.
        (SlotStatus.PLANNED, SlotStatus.WITHDRAWN),
        (SlotStatus.FREE, SlotStatus.WITHDRAWN),
        (SlotStatus.BLOCKED, SlotStatus.WITHDRAWN),
        (SlotStatus.HELD, SlotStatus.WITHDRAWN),
        (SlotStatus.BOOKED, SlotStatus.WITHDRAWN),
    }
)

# The slots that count against capacity in SM2's invariant.
TAKEN: Final = (SlotStatus.HELD, SlotStatus.BOOKED, SlotStatus.CONSUMED, SlotStatus.FORFEITED)

# What nobody has, waiting for its release or for a claim.
UNCLAIMED: Final = (SlotStatus.PLANNED, SlotStatus.FREE)

# What nobody has or ever had: a session with only these can be taken back unseen.
NOBODYS: Final = (
    SlotStatus.PLANNED,
    SlotStatus.BLOCKED,
    SlotStatus.WITHDRAWN,
)


class Withheld(TextChoices):
    """Why a number is blocked; empty while it is not."""

    NOT = "", ""
    OFFICE = "office", "停号"
    STOP = "stop", "停诊"


class Pool(TextChoices):
    """号池: for whom a number is kept until it is merged into the public pool (M2.2)."""

    WECHAT = "wechat", "微信"
    WINDOW = "window", "窗口"
    KIOSK = "kiosk", "自助机"
    RESERVED = "reserved", "预留"
    PUBLIC = "public", "公共"


class Channel(TextChoices):
    """渠道: where a booking is made. All claim from the one pool of a session (decision 1)."""

    WECHAT = "wechat", "微信"
    WINDOW = "window", "窗口"
    KIOSK = "kiosk", "自助机"
    PHONE = "phone", "电话"
    DOCTOR = "doctor", "医生"
    REFERRAL = "referral", "转诊"
    PARTNER = "partner", "外部平台"


# Which numbers a channel may claim. What outside platforms sell comes out of the patients' own
# online share, within each partner's quota; a doctor's add-on numbers stand outside all of these.
POOLS_OF: Final[Mapping[Channel, tuple[Pool, ...]]] = {
    Channel.WECHAT: (Pool.WECHAT, Pool.PUBLIC),
    Channel.PARTNER: (Pool.WECHAT, Pool.PUBLIC),
    Channel.WINDOW: (Pool.WINDOW, Pool.PUBLIC),
    Channel.KIOSK: (Pool.KIOSK, Pool.PUBLIC),
    Channel.PHONE: (Pool.RESERVED, Pool.PUBLIC),
    Channel.REFERRAL: (Pool.RESERVED, Pool.PUBLIC),
    Channel.DOCTOR: (Pool.RESERVED, Pool.PUBLIC),
}

# What goes to a session's waiting list first: the numbers patients could book on their phones.
LISTED: Final = POOLS_OF[Channel.WECHAT]

# Where patients book without anybody of the hospital: these close before the session ends (M1.11).
ONLINE: Final = (Channel.WECHAT, Channel.PARTNER)


class Offer(TextChoices):
    """M1.2: what a patient sees of a session, exactly one of these."""

    AVAILABLE = "available", "有号"
    FULL = "full", "约满"
    SUSPENDED = "suspended", "停诊"
    NOT_RELEASED = "not_released", "未放号"
    ENDED = "ended", "已结束"


class BatchKind(TextChoices):
    """批量: what is done to the numbers of many sessions at once (M2.6)."""

    CAPACITY = "capacity", "改号数"
    SHARES = "shares", "改渠道比例"
    BLOCK = "block", "停号"
    UNBLOCK = "unblock", "恢复号源"
    ROOM = "room", "换诊室"
