"""The rules of booking in M1.3's fixed order, each a refusal with a stable code; and of M1.7.

Pure: everything a rule needs is handed in, so the action decides under its locks and the tests
need no database. The first rule that says no wins.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hospital.kernel import clock
from hospital.kernel.errors import Refusal
from hospital.kernel.settings_rows import Scope
from hospital.patients import queries as patients
from hospital.patients.queries import LockedPatient
from hospital.patients.states import Assurance
from hospital.registration import thresholds
from hospital.registration.states import LIVE, AppointmentStatus, CancelReason
from hospital.scheduling.queries import SessionFacts, closes_at, offer_of
from hospital.scheduling.states import Offer

_COUNTED = (*LIVE, AppointmentStatus.FULFILLED, AppointmentStatus.NOSHOW)
LATE_NOTE: Final = "就诊当日退号，费用原路退回，将计一次当日退号。"
_SEX_WORDS = {"male": "男性", "female": "女性"}


class NotIdentified(Refusal):
    code = "NOT_IDENTIFIED"
    default_message = "请先添加就诊人并完成实名登记，再为其挂号。"


class NotRealName(Refusal):
    code = "NOT_REAL_NAME"
    default_message = (
        "该就诊人的档案还没有登记有效证件，实名后才能挂号。请携带就诊人的证件到挂号窗口补登。"
    )


class PatientInactive(Refusal):
    code = "PATIENT_INACTIVE"
    default_message = "该就诊人的档案已停用或已合并，请到挂号窗口核对。"


class DepartmentLimitSex(Refusal):
    code = "DEPARTMENT_LIMIT_SEX"
    default_message = "该科室不接诊此性别的患者。"


class DepartmentLimitAge(Refusal):
    code = "DEPARTMENT_LIMIT_AGE"
    default_message = "该科室不接诊此年龄的患者。"


class Restricted(Refusal):
    code = "RESTRICTED"
    default_message = "线上预约已暂停，可当日挂号或到挂号窗口办理。"


class Duplicate(Refusal):
    """`number` is the booking there is already."""

    code = "DUPLICATE"
    default_message = "该就诊人已预约这次出诊，请勿重复挂号。"


class LimitDepartmentDay(Refusal):
    code = "LIMIT_DEPARTMENT_DAY"
    default_message = "该就诊人当天已预约本科室，不能再约。"


class LimitDoctorDay(Refusal):
    code = "LIMIT_DOCTOR_DAY"
    default_message = "该就诊人当天已预约这位医生，不能再约。"


class LimitDay(Refusal):
    code = "LIMIT_DAY"
    default_message = "该就诊人当天的预约数已达上限。"


class LimitMonth(Refusal):
    code = "LIMIT_MONTH"
    default_message = "您本月的预约数已达上限，可到挂号窗口办理。"


class LimitUnpaidPatient(Refusal):
    """`number` is the booking that waits for payment."""

    code = "LIMIT_UNPAID_PATIENT"
    default_message = "该就诊人有一个预约待支付，请先支付或取消。"


class LimitUnpaidUser(Refusal):
    """`number` is a booking that waits for payment."""

    code = "LIMIT_UNPAID_USER"
    default_message = "您有多个预约待支付，请先支付或取消。"


class LimitRecentCancel(Refusal):
    """`until` is when the doctor's day opens again for this patient."""

    code = "LIMIT_RECENT_CANCEL"
    default_message = "刚退过这位医生当天的号，请稍后再约。"


class ChannelClosed(Refusal):
    code = "CHANNEL_CLOSED"
    default_message = "本次出诊已停止线上挂号。"


class SessionSuspended(Refusal):
    code = "SUSPENDED"
    default_message = "本次出诊已停诊，请选择其他时间。"


class NotReleased(Refusal):
    """`release_at` is when numbers come out (UTC)."""

    code = "NOT_RELEASED"
    default_message = "还没有放号。"


class CannotCancel(Refusal):
    code = "CANNOT_CANCEL"
    default_message = "该预约已不能退号。"


class CancelTooLate(CannotCancel):
    code = "CANCEL_TOO_LATE"
    default_message = "已过线上退号时间，请到挂号窗口办理。"


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier booking, as far as limits look at it."""

    number: str
    status: str
    patient_id: int
    wechat_user_id: int | None
    schedule_id: int
    department_id: int
    practitioner_id: int | None
    visit_date: dt.date
    cancel_reason: str
    cancelled_at: dt.datetime | None
    is_late_cancel: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: this patient, by this user, at this session, now."""

    patient_id: int
    wechat_user_id: int
    session: SessionFacts
    at: dt.datetime


def check(person: LockedPatient | None, wish: Wish, past: Sequence[Past]) -> None:
    """Every check before the slot, in M1.3's order; raises the first refusal."""
    known = check_person(person, wish.session, at=wish.at)
    check_restriction(known, wish, past)
    check_duplicate(wish, past)
    check_limits(wish, past)
    check_channel(wish.session, at=wish.at)


def check_person(
    person: LockedPatient | None, session: SessionFacts, *, at: dt.datetime
) -> LockedPatient:
    """Identity, patient active, sex and age on the visit date (M1.3, M1.12, M3.1)."""
    if person is None or person.assurance == Assurance.NONE:
        raise NotIdentified
    if patients.must_upgrade(person=person, at=at):
        raise NotRealName
    if not person.is_active:
        raise PatientInactive
    if session.sex_limit and person.sex != session.sex_limit:
        raise DepartmentLimitSex(
            f"{session.department_name}只接诊{_SEX_WORDS[session.sex_limit]}患者。"
        )
    months = age_in_months(person.birth_date, on=session.visit_date)
    youngest, oldest = session.min_age_months, session.max_age_months
    if (youngest is not None and months < youngest) or (oldest is not None and months >= oldest):
        raise DepartmentLimitAge(
            f"{session.department_name}只接诊{_ages(youngest, oldest)}的患者。"
        )
    return person


def check_restriction(person: LockedPatient, wish: Wish, past: Sequence[Past]) -> None:
    """Nobody blocked, and nobody who gave numbers back on the day too often (M1.10).

    Late cancellations only keep from booking in advance, never from the same day.
    """
    if person.user_is_blocked:
        raise Restricted("您的线上挂号已停用，请到挂号窗口办理。")
    until = restricted_until([row for row in past if row.patient_id == wish.patient_id])
    if until is None or wish.at >= until:
        return
    if wish.session.visit_date > clock.hospital_day(wish.at):
        day = clock.hospital_day(until)
        raise Restricted(
            f"该就诊人当日退号次数较多，{day.month}月{day.day}日前只能当日挂号。", until=until
        )


def restricted_until(past: Sequence[Past]) -> dt.datetime | None:
    """When a patient's latest restriction for late cancellations ends, None without any."""
    most = thresholds.LATE_CANCELS.value()
    within = dt.timedelta(days=thresholds.LATE_CANCEL_DAYS.value())
    lasting = dt.timedelta(days=thresholds.RESTRICTION_DAYS.value())
    moments = sorted(row.cancelled_at for row in past if row.is_late_cancel and row.cancelled_at)
    ends = [
        latest + lasting
        for first, latest in zip(moments, moments[most - 1 :], strict=False)
        if latest - first <= within
    ]
    return max(ends, default=None)


def check_duplicate(wish: Wish, past: Sequence[Past]) -> None:
    """One booking per patient and session."""
    for row in past:
        same = row.patient_id == wish.patient_id and row.schedule_id == wish.session.id
        if same and row.status in _COUNTED:
            raise Duplicate(number=row.number)


def check_limits(wish: Wish, past: Sequence[Past]) -> None:
    """M1.4, in the handbook's order."""
    session, day = wish.session, wish.session.visit_date
    scopes = [Scope("department", session.department_id)]
    mine = [row for row in past if row.patient_id == wish.patient_id]
    that_day = [row for row in mine if row.visit_date == day and row.status in _COUNTED]
    here = [row for row in that_day if row.department_id == session.department_id]
    if len(here) >= thresholds.LIMIT_DEPARTMENT_DAY.value(*scopes):
        raise LimitDepartmentDay
    with_doctor = [row for row in that_day if _same_doctor(row, session)]
    if len(with_doctor) >= thresholds.LIMIT_DOCTOR_DAY.value(*scopes):
        raise LimitDoctorDay
    if len(that_day) >= thresholds.LIMIT_DAY.value():
        raise LimitDay
    _check_user_limits(wish, past)
    _check_unpaid(wish, past)
    _check_recent_cancel(wish, mine)


def check_channel(session: SessionFacts, *, at: dt.datetime) -> None:
    """Whether this session takes bookings by patients at this moment (M1.11, M1.16)."""
    if session.walk_in_only:
        raise ChannelClosed(f"{session.department_name}只在现场挂号，请直接到院就诊。")
    if not session.is_bookable:
        raise ChannelClosed(f"{session.department_name}暂不开放线上挂号。")
    state = offer_of(session, at=at).state
    if state == Offer.SUSPENDED:
        raise SessionSuspended
    if state == Offer.ENDED:
        closed = clock.local(closes_at(session))
        raise ChannelClosed(f"本次出诊的线上挂号已于 {closed:%H:%M} 截止。")
    if state == Offer.NOT_RELEASED:
        opens = clock.local(session.release_at)
        raise NotReleased(
            f"{opens.month}月{opens.day}日 {opens:%H:%M} 放号，请届时再来。",
            release_at=session.release_at,
        )


def check_cancel(
    *, status: str, visit_date: dt.date, band_starts_at: dt.datetime, at: dt.datetime
) -> bool:
    """Whether the patient may still cancel (M1.7); True when it counts as a late cancellation.

    Until 24:00 of the day before: free. On the day until 30 min before the band: late. Raises
    CannotCancel or CancelTooLate.
    """
    if status == AppointmentStatus.PENDING:
        return False
    if status == AppointmentStatus.CHECKED_IN:
        raise CannotCancel("您已签到，如需退号请到挂号窗口办理。")
    if status != AppointmentStatus.BOOKED:
        raise CannotCancel
    if clock.hospital_day(at) < visit_date:
        return False
    minutes = thresholds.CANCEL_MINUTES.value()
    if at > band_starts_at - dt.timedelta(minutes=minutes):
        raise CancelTooLate(
            f"就诊当日须在时段开始 {minutes} 分钟前退号，现已超过时间，请到挂号窗口办理。"
        )
    return True


def free_note(visit_date: dt.date) -> str:
    """Until when cancelling is free, in words."""
    day = visit_date - dt.timedelta(days=1)
    return f"{day.month}月{day.day}日 24:00 前可免费退号，费用原路退回。"


def age_in_months(birth_date: dt.date, *, on: dt.date) -> int:
    """Whole months of age on a day."""
    months = (on.year - birth_date.year) * 12 + on.month - birth_date.month
    return months - (1 if on.day < birth_date.day else 0)


def _check_user_limits(wish: Wish, past: Sequence[Past]) -> None:
    day = wish.session.visit_date
    booked = [
        row
        for row in past
        if row.wechat_user_id == wish.wechat_user_id
        and row.status in _COUNTED
        and (row.visit_date.year, row.visit_date.month) == (day.year, day.month)
    ]
    if len(booked) >= thresholds.LIMIT_MONTH.value():
        raise LimitMonth


def _check_unpaid(wish: Wish, past: Sequence[Past]) -> None:
    unpaid = [row for row in past if row.status == AppointmentStatus.PENDING]
    of_patient = [row for row in unpaid if row.patient_id == wish.patient_id]
    if len(of_patient) >= thresholds.LIMIT_UNPAID_PATIENT.value():
        raise LimitUnpaidPatient(number=of_patient[0].number)
    of_user = [row for row in unpaid if row.wechat_user_id == wish.wechat_user_id]
    if len(of_user) >= thresholds.LIMIT_UNPAID_USER.value():
        raise LimitUnpaidUser(number=of_user[0].number)


def _check_recent_cancel(wish: Wish, mine: Sequence[Past]) -> None:
    lock = dt.timedelta(minutes=thresholds.CANCEL_LOCK_MINUTES.value())
    given_back = [
        row.cancelled_at
        for row in mine
        if row.cancel_reason == CancelReason.USER
        and row.cancelled_at is not None
        and row.visit_date == wish.session.visit_date
        and (_same_doctor(row, wish.session) or row.schedule_id == wish.session.id)
    ]
    until = max(given_back, default=None)
    if until is not None and wish.at < until + lock:
        opens = clock.local(until + lock)
        raise LimitRecentCancel(f"刚退过当天的号，{opens:%H:%M} 后可再约。", until=until + lock)


def _same_doctor(row: Past, session: SessionFacts) -> bool:
    doctor = session.practitioner_id
    return doctor is not None and row.practitioner_id == doctor


def _ages(youngest: int | None, oldest: int | None) -> str:
    if youngest is None:
        return f"{_age(oldest or 0)}以下"
    if oldest is None:
        return f"{_age(youngest)}及以上"
    return f"{_age(youngest)}至{_age(oldest)}"


def _age(months: int) -> str:
    years, rest = divmod(months, 12)
    if years == 0:
        return f"{rest}个月"
    return f"{years}岁" if rest == 0 else f"{years}岁{rest}个月"
