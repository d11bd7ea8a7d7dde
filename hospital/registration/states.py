"""The lifecycle of an appointment (SM3) and the words around it."""

from typing import Final

from django.db.models import TextChoices

from hospital.kernel.states import Moves


class AppointmentStatus(TextChoices):
    """SM3, the clinical side; the payment side is billing's."""

    PENDING = "pending", "待支付"
    BOOKED = "booked", "已预约"
    CHECKED_IN = "checked_in", "已签到"
    FULFILLED = "fulfilled", "已就诊"
    CANCELLED = "cancelled", "已取消"
    NOSHOW = "noshow", "爽约"


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
        # Money that came after the hold had run out: the place was still free (M1.6).
        (AppointmentStatus.CANCELLED, AppointmentStatus.BOOKED),
    }
)

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
    HOSPITAL = "hospital", "医院停诊"


class Channel(TextChoices):
    """渠道: where a booking was made."""

    WECHAT = "wechat", "微信"


class BookingKind(TextChoices):
    """预约 or 当日挂号, by whether the visit is on the day of booking."""

    ADVANCE = "advance", "预约"
    SAME_DAY = "same_day", "当日挂号"
