"""The rules of booking in M1.3's fixed order, each a refusal with a stable code; and of M1.7.

Pure: everything a rule needs is handed in, so the action decides under its locks and the tests
need no database. The first rule that says no wins.
"""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import Refusal
from hospital.kernel.settings_rows import Scope
from hospital.patients import queries as patients
from hospital.patients.queries import LockedPatient
from hospital.patients.states import Assurance
from hospital.registration import ages, thresholds
from hospital.registration.states import (
    LIVE,
    AppointmentStatus,
    CancelReason,
    RestrictionCause,
    WayBack,
)
from hospital.scheduling.queries import SessionFacts, closes_at, offer_of
from hospital.scheduling.states import ONLINE, Channel, Offer, ScheduleStatus

_COUNTED: Final = (*LIVE, AppointmentStatus.FULFILLED, AppointmentStatus.NOSHOW)
_WHERE: Final = {True: "线上", False: ""}
_GONE: Final = (ScheduleStatus.DRAFT, ScheduleStatus.CANCELLED, ScheduleStatus.CLOSED)
_WHY_RESTRICTED: Final = {
    RestrictionCause.NOSHOW: "多次预约后没有来就诊",
    RestrictionCause.LATE_CANCEL: "多次在就诊当日退号",
}
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
    """`number` is the booking there is already."""

    code = "LIMIT_DEPARTMENT_DAY"
    default_message = "该就诊人当天已预约本科室，不能再约。"


class LimitDoctorDay(Refusal):
    """`number` is the booking there is already."""

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
    made_by: str

    @property
    def is_own_hold(self) -> bool:
        """Whether it is a number somebody took and has not paid for. Nothing but the waiting list
        books for a WeChat user in the house's own name: what it offers, nobody has taken yet."""
        is_offer = self.wechat_user_id is not None and self.made_by == str(SYSTEM)
        return self.status == AppointmentStatus.PENDING and not is_offer


@dataclass(frozen=True, slots=True)
class InForce:
    """Why and until when a patient does not book in advance online (M1.10)."""

    cause: RestrictionCause
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class History:
    """What is known of patient and user when a number is asked for."""

    past: Sequence[Past] = ()
    restriction: InForce | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: this patient, at this session, now; by a WeChat user or by the house.

    `set_aside` are codes of rules the outpatient office lets pass this once (H3.1). `is_extra`: a
    number is made for the patient, so neither pools nor the release have a say (M2.4).
    """

    patient_id: int
    wechat_user_id: int | None
    session: SessionFacts
    at: dt.datetime
    channel: Channel = Channel.WECHAT
    set_aside: frozenset[str] = frozenset()
    is_extra: bool = False


# Who the patient is, who has booked what, and what is released bind everybody.
MAY_BE_SET_ASIDE: Final = frozenset(
    refusal.code
    for refusal in (
        DepartmentLimitSex,
        DepartmentLimitAge,
        LimitDepartmentDay,
        LimitDoctorDay,
        LimitDay,
        LimitUnpaidPatient,
        LimitRecentCancel,
    )
)


def check(person: LockedPatient | None, wish: Wish, history: History) -> list[str]:
    """Every check before the slot, in M1.3's order; raises the first refusal that holds.

    Returns the codes of the rules that said no and were set aside.
    """
    known = check_identity(person, at=wish.at)
    passed: list[str] = []
    for step in _steps(known, wish, history):
        try:
            step()
        except Refusal as refusal:
            if refusal.code not in wish.set_aside & MAY_BE_SET_ASIDE:
                raise
            passed.append(refusal.code)
    return passed


def check_waiting(
    person: LockedPatient | None, wish: Wish, history: History, *, is_offer: bool = False
) -> None:
    """The checks of M1.3 for somebody in line; raises the first refusal that holds.

    Waiting is no hold, and an offer is the hospital's own doing: what is still unpaid stands in
    the way of neither, and a number given back since does not cost the place in line.
    """
    passes = (LimitUnpaidPatient, LimitUnpaidUser, *((LimitRecentCancel,) if is_offer else ()))
    known = check_identity(person, at=wish.at)
    for step in _steps(known, wish, history):
        with contextlib.suppress(*passes):
            step()


def _steps(person: LockedPatient, wish: Wish, history: History) -> Iterator[Callable[[], None]]:
    session, day, past = wish.session, wish.session.visit_date, history.past
    mine = [row for row in past if row.patient_id == wish.patient_id]
    that_day = [row for row in mine if row.visit_date == day and row.status in _COUNTED]
    yield lambda: check_sex(person, session)
    yield lambda: check_age(person, session)
    yield lambda: check_restriction(person, wish, history.restriction)
    yield lambda: check_duplicate(wish, past)
    yield lambda: _check_department_day(session, that_day)
    yield lambda: _check_doctor_day(session, that_day)
    yield lambda: _check_day(that_day)
    if wish.wechat_user_id is not None:
        yield lambda: _check_month(wish, past)
    yield lambda: _check_unpaid_patient(mine)
    if wish.wechat_user_id is not None:
        yield lambda: _check_unpaid_user(wish, past)
    yield lambda: _check_recent_cancel(wish, mine)
    if wish.is_extra:
        yield lambda: check_not_over(session, at=wish.at)
    else:
        yield lambda: check_channel(session, channel=wish.channel, at=wish.at)


def check_identity(person: LockedPatient | None, *, at: dt.datetime) -> LockedPatient:
    """Somebody known by name, whose record is in use (M1.3) and waits for no document (M3.1)."""
    if person is None or person.assurance == Assurance.NONE:
        raise NotIdentified
    if patients.must_upgrade(person=person, at=at):
        raise NotRealName
    if not person.is_active:
        raise PatientInactive
    return person


def check_sex(person: LockedPatient, session: SessionFacts) -> None:
    """Gynaecology and andrology see one sex only (M1.12)."""
    if session.sex_limit and person.sex != session.sex_limit:
        raise DepartmentLimitSex(
            f"{session.department_name}只接诊{_SEX_WORDS[session.sex_limit]}患者。"
        )


def check_age(person: LockedPatient, session: SessionFacts) -> None:
    """The department's ages, on the visit date (M1.12)."""
    limits = ages.Limits(
        session.min_age_months, session.max_age_months, session.min_age_days, session.max_age_days
    )
    if not limits.admit(person.birth_date, on=session.visit_date):
        raise DepartmentLimitAge(f"{session.department_name}只接诊{limits.words}的患者。")


def reserved_from(born: dt.date, *, channel: Channel) -> dt.date | None:
    """From which visit day on somebody may have the numbers kept for the elderly (M2.2): old enough
    on that day, at the window. None by any other channel: there who telephones or was sent has
    them whatever the age, and online nobody."""
    if channel != Channel.WINDOW:
        return None
    return ages.birthday(born, thresholds.RESERVED_AGE.value())


def check_restriction(person: LockedPatient, wish: Wish, restriction: InForce | None) -> None:
    """Nobody blocked, and nobody who stayed away or gave numbers back on the day too often (M1.10).

    A restriction only keeps from booking in advance online: never from the same day, never at the
    window, never from an emergency.
    """
    if wish.channel not in ONLINE:
        return
    if person.user_is_blocked:
        raise Restricted("您的线上挂号已停用，请到挂号窗口办理。")
    if restriction is None or wish.at >= restriction.until:
        return
    if wish.session.visit_date > clock.hospital_day(wish.at):
        day = clock.local(restriction.until)
        raise Restricted(
            f"该就诊人{_WHY_RESTRICTED[restriction.cause]}，"
            f"{day.month}月{day.day}日前线上只能挂当日号，也可到挂号窗口预约。",
            until=restriction.until,
        )


def check_duplicate(wish: Wish, past: Sequence[Past]) -> None:
    """One booking per patient and session."""
    for row in past:
        same = row.patient_id == wish.patient_id and row.schedule_id == wish.session.id
        if same and row.status in _COUNTED:
            raise Duplicate(number=row.number)


def check_channel(session: SessionFacts, *, channel: Channel, at: dt.datetime) -> None:
    """Whether this session takes bookings by a channel at this moment (M1.11, M1.16)."""
    if channel in ONLINE and session.walk_in_only:
        raise ChannelClosed(f"{session.department_name}只在现场挂号，请直接到院就诊。")
    if channel in ONLINE and not session.is_bookable:
        raise ChannelClosed(f"{session.department_name}暂不开放线上挂号。")
    state = offer_of(session, channel=channel, at=at).state
    if state == Offer.SUSPENDED:
        raise SessionSuspended
    if state == Offer.ENDED:
        closed = clock.local(closes_at(session, channel=channel))
        raise ChannelClosed(f"本次出诊的{_WHERE[channel in ONLINE]}挂号已于 {closed:%H:%M} 截止。")
    if state == Offer.NOT_RELEASED:
        opens = clock.local(session.release_at)
        raise NotReleased(
            f"{opens.month}月{opens.day}日 {opens:%H:%M} 放号，请届时再来。",
            release_at=session.release_at,
        )


def check_not_over(session: SessionFacts, *, at: dt.datetime) -> None:
    """Whether the session still takes place: neither called off nor over."""
    if session.status == ScheduleStatus.SUSPENDED:
        raise SessionSuspended
    if session.status in _GONE or session.ends_at <= at:
        raise ChannelClosed("本次出诊已经结束，不能再挂号。")


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


def cancel_note(visit_date: dt.date, *, is_late: bool, way_back: WayBack) -> str:
    """Until when cancelling is free, or that it counts as late, and how the money comes back, in
    words."""
    day = visit_date - dt.timedelta(days=1)
    when = "就诊当日退号" if is_late else f"{day.month}月{day.day}日 24:00 前可免费退号"
    counts = "将计一次当日退号" if is_late else ""
    return "，".join(part for part in (when, str(way_back.label), counts) if part) + "。"


def _check_department_day(session: SessionFacts, that_day: Sequence[Past]) -> None:
    here = [row for row in that_day if row.department_id == session.department_id]
    if len(here) >= thresholds.LIMIT_DEPARTMENT_DAY.value(_department(session)):
        raise LimitDepartmentDay(number=here[0].number)


def _check_doctor_day(session: SessionFacts, that_day: Sequence[Past]) -> None:
    with_doctor = [row for row in that_day if _same_doctor(row, session)]
    if len(with_doctor) >= thresholds.LIMIT_DOCTOR_DAY.value(_department(session)):
        raise LimitDoctorDay(number=with_doctor[0].number)


def _check_day(that_day: Sequence[Past]) -> None:
    if len(that_day) >= thresholds.LIMIT_DAY.value():
        raise LimitDay


def _check_month(wish: Wish, past: Sequence[Past]) -> None:
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


def _check_unpaid_patient(mine: Sequence[Past]) -> None:
    unpaid = [row for row in mine if row.is_own_hold]
    if len(unpaid) >= thresholds.LIMIT_UNPAID_PATIENT.value():
        raise LimitUnpaidPatient(number=unpaid[0].number)


def _check_unpaid_user(wish: Wish, past: Sequence[Past]) -> None:
    unpaid = [row for row in past if row.is_own_hold and row.wechat_user_id == wish.wechat_user_id]
    if len(unpaid) >= thresholds.LIMIT_UNPAID_USER.value():
        raise LimitUnpaidUser(number=unpaid[0].number)


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


def _department(session: SessionFacts) -> Scope:
    return Scope("department", session.department_id)


def _same_doctor(row: Past, session: SessionFacts) -> bool:
    doctor = session.practitioner_id
    return doctor is not None and row.practitioner_id == doctor
