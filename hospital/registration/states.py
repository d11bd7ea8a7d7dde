"""The lifecycles of an appointment (SM3), of a place on the waiting list and of an appeal, and the
words around them."""

from typing import Final

from django.db.models import IntegerChoices, TextChoices

from hospital.kernel.states import Moves


class AppointmentStatus(TextChoices):
    """SM3, the clinical side; the payment side is billing's."""

    PENDING = "pending", "待支付"
    BOOKED = "booked", "已预约"
    CHECKED_IN = "checked_in", "已签到"
    FULFILLED = "fulfilled", "已就诊"
    CANCELLED = "cancelled", "已取消"
    NOSHOW = "noshow", "爽约"
    LEFT_UNSEEN = "left_unseen", "未就诊离开"
    ENTERED_IN_ERROR = "entered_in_error", "登记有误"


APPOINTMENT_MOVES: Final[Moves] = frozenset(
    {
        (AppointmentStatus.PENDING, AppointmentStatus.BOOKED),
        (AppointmentStatus.PENDING, AppointmentStatus.CANCELLED),
        (AppointmentStatus.BOOKED, AppointmentStatus.CHECKED_IN),
        (AppointmentStatus.BOOKED, AppointmentStatus.CANCELLED),
        (AppointmentStatus.BOOKED, AppointmentStatus.NOSHOW),
        (AppointmentStatus.CHECKED_IN, AppointmentStatus.BOOKED),
        (AppointmentStatus.CHECKED_IN, AppointmentStatus.FULFILLED),
        (AppointmentStatus.NOSHOW, AppointmentStatus.BOOKED),
        (AppointmentStatus.NOSHOW, AppointmentStatus.CANCELLED),
        (AppointmentStatus.CHECKED_IN, AppointmentStatus.LEFT_UNSEEN),
        (AppointmentStatus.LEFT_UNSEEN, AppointmentStatus.CANCELLED),
        (AppointmentStatus.PENDING, AppointmentStatus.ENTERED_IN_ERROR),
        (AppointmentStatus.BOOKED, AppointmentStatus.ENTERED_IN_ERROR),
        (AppointmentStatus.CHECKED_IN, AppointmentStatus.ENTERED_IN_ERROR),
        (AppointmentStatus.NOSHOW, AppointmentStatus.ENTERED_IN_ERROR),
        (AppointmentStatus.LEFT_UNSEEN, AppointmentStatus.ENTERED_IN_ERROR),
        # Money that came after the hold had run out: the place was still free (M1.6).
        (AppointmentStatus.CANCELLED, AppointmentStatus.BOOKED),
    }
)

# No longer anybody's: the number is given back or was never meant.
VOID: Final = (AppointmentStatus.CANCELLED, AppointmentStatus.ENTERED_IN_ERROR)

# What may still turn out to have been a mistake: the visit has not begun (SM3).
VOIDABLE: Final = tuple(
    AppointmentStatus(old)
    for old in AppointmentStatus.values
    if (old, AppointmentStatus.ENTERED_IN_ERROR) in APPOINTMENT_MOVES
)

# What became of a booking while its session was over: changed by the office, with a reason.
CORRECTED: Final = (AppointmentStatus.NOSHOW, AppointmentStatus.LEFT_UNSEEN)

# Still to be paid for or to come: what limits count and what can be cancelled.
LIVE: Final = (
    AppointmentStatus.PENDING,
    AppointmentStatus.BOOKED,
    AppointmentStatus.CHECKED_IN,
)


class CancelReason(TextChoices):
    """Why an appointment was cancelled; empty while it is not."""

    NONE = "", ""
    PAYMENT_TIMEOUT = "payment_timeout", "超时未支付"
    USER = "user", "患者退号"
    STAFF = "staff", "医院代退"
    HOSPITAL = "hospital", "医院停诊"
    RESCHEDULED = "rescheduled", "已改约"
    NOT_COLLECTED = "not_collected", "未按时取号"


# What a patient may tap as the reason for giving a number back; own words go with any of them.
PATIENT_REASONS: Final = (
    "时间安排有变",
    "症状好转，不用看了",
    "约错了科室、医生或时间",
    "身体原因来不了",
    "已在别处就诊",
    "其他原因",
)


class BookingKind(TextChoices):
    """What kind of registration it is; the queue shows it as 约, 现, 加, 续 or 急 (H4.1)."""

    ADVANCE = "advance", "预约"
    SAME_DAY = "same_day", "当日挂号"
    WALK_IN = "walk_in", "现场挂号"
    ADD_ON = "add_on", "加号"
    CONTINUATION = "continuation", "续诊号"
    EMERGENCY = "emergency", "急诊"


class PaidWhen(TextChoices):
    """Whether a booking stands only once it is paid, is paid when the patient comes (M1.13), or
    after the treatment: an emergency (M1.17)."""

    BOOKING = "booking", "预约时支付"
    ARRIVAL = "arrival", "到院支付"
    LATER = "later", "先抢救后付费"


class WayBack(TextChoices):
    """How what was paid for a booking comes back: the way it was paid. Empty: nothing was paid."""

    NOTHING = "", ""
    ACCOUNT = "account", "费用原路退回"
    CASH = "cash", "现金请到挂号窗口领取"
    BOTH = "both", "微信付的原路退回，现金请到挂号窗口领取"


class Acuity(IntegerChoices):
    """急诊分级: how urgent an emergency is (M1.17)."""

    LIFE_THREATENED = 1, "Ⅰ级 濒危"
    CRITICAL = 2, "Ⅱ级 危重"
    URGENT = 3, "Ⅲ级 急症"
    LESS_URGENT = 4, "Ⅳ级 非急症"


class Consent(TextChoices):
    """What another doctor in place of the booked one asks of the patient (M1.9)."""

    NONE = "", ""
    TOLD = "told", "已告知替诊"
    ASKED = "asked", "待患者同意替诊"
    AGREED = "agreed", "患者同意替诊"


class WaitlistStatus(TextChoices):
    """候补: a claim on a number that may yet come free."""

    WAITING = "waiting", "候补中"
    OFFERED = "offered", "已候补到号"
    TAKEN = "taken", "候补成功"
    PASSED = "passed", "未按时支付"
    LEFT = "left", "已退出"
    CLEARED = "cleared", "未候补到号"


WAITLIST_MOVES: Final[Moves] = frozenset(
    {
        (WaitlistStatus.WAITING, WaitlistStatus.OFFERED),
        (WaitlistStatus.OFFERED, WaitlistStatus.TAKEN),
        (WaitlistStatus.OFFERED, WaitlistStatus.PASSED),
        (WaitlistStatus.OFFERED, WaitlistStatus.LEFT),
        (WaitlistStatus.WAITING, WaitlistStatus.LEFT),
        (WaitlistStatus.WAITING, WaitlistStatus.CLEARED),
        (WaitlistStatus.OFFERED, WaitlistStatus.CLEARED),
    }
)
ON_WAITLIST: Final = (WaitlistStatus.WAITING, WaitlistStatus.OFFERED)


class AppealStatus(TextChoices):
    """申诉: a patient says a no-show or a late cancellation was not one (M1.10)."""

    OPEN = "open", "待处理"
    GRANTED = "granted", "已采纳"
    REJECTED = "rejected", "未采纳"


APPEAL_MOVES: Final[Moves] = frozenset(
    {
        (AppealStatus.OPEN, AppealStatus.GRANTED),
        (AppealStatus.OPEN, AppealStatus.REJECTED),
    }
)


class RestrictionCause(TextChoices):
    """Why a patient cannot book in advance online for a while (M1.10)."""

    NOSHOW = "noshow", "多次爽约"
    LATE_CANCEL = "late_cancel", "多次当日退号"


class AlertKind(TextChoices):
    """What an account does that people who sell numbers do (M1.15)."""

    SURNAMES = "surnames", "为多个不同姓氏的人挂号"
    SWAPPING = "swapping", "退号后换人重约"


class AlertStatus(TextChoices):
    """号贩预警: what the office made of it."""

    OPEN = "open", "待处理"
    DISMISSED = "dismissed", "正常使用"
    BLOCKED = "blocked", "已停用"
    LIFTED = "lifted", "已恢复"


ALERT_MOVES: Final[Moves] = frozenset(
    {
        (AlertStatus.OPEN, AlertStatus.DISMISSED),
        (AlertStatus.OPEN, AlertStatus.BLOCKED),
        (AlertStatus.BLOCKED, AlertStatus.LIFTED),
    }
)
