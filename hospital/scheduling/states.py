"""Lifecycles of a clinic session (SM1) and of one bookable number (SM2), and what patients see."""

from typing import Final

from django.db.models import TextChoices

from hospital.kernel.states import Moves


class SessionPeriod(TextChoices):
    """午别: a session belongs to the hospital day it starts on."""

    AM = "am", "上午"
    NOON = "noon", "中午"
    PM = "pm", "下午"
    EVENING = "evening", "晚上"


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
    }
)

# The slots that count against capacity in SM2's invariant.
TAKEN: Final = (SlotStatus.HELD, SlotStatus.BOOKED, SlotStatus.CONSUMED, SlotStatus.FORFEITED)


class Offer(TextChoices):
    """M1.2: what a patient sees of a session, exactly one of these."""

    AVAILABLE = "available", "有号"
    FULL = "full", "约满"
    SUSPENDED = "suspended", "停诊"
    NOT_RELEASED = "not_released", "未放号"
    ENDED = "ended", "已结束"
