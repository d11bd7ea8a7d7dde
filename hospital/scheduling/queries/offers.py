"""Reads of scheduling for patients: ready rows for pages, and the facts booking decides on.

They come from facts at most a second old (law 13; M1.2 allows five). Moments are UTC.
"""

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hospital.catalogue import queries as catalogue
from hospital.catalogue.queries import FeeQuote, NoFee
from hospital.kernel import clock
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import NotFound
from hospital.kernel.moment_cache import MomentCache
from hospital.scheduling import sessions, thresholds
from hospital.scheduling.models import Schedule
from hospital.scheduling.sessions import (
    BandFacts,
    Offered,
    SessionFacts,
    band_left,
    list_closes_at,
    offer_of,
)
from hospital.scheduling.states import Channel, Offer, ScheduleStatus

_BY_USE: Final = (Offer.AVAILABLE, Offer.NOT_RELEASED, Offer.FULL, Offer.SUSPENDED, Offer.ENDED)
_FEW: Final = 4

DatedOffer = tuple[Offered, dt.datetime]
_of_department: MomentCache[tuple[int, dt.date], list[SessionFacts]] = MomentCache(
    name="scheduling.sessions"
)
_of_hospital: MomentCache[dt.date, dict[int, dict[dt.date, list[DatedOffer]]]] = MomentCache(
    most=4, name="scheduling.places"
)
_of_schedule: MomentCache[int, list[SessionFacts]] = MomentCache()
_departments: MomentCache[int, int | None] = MomentCache()
_fees: MomentCache[dt.date, dict[tuple[int, str], FeeQuote]] = MomentCache(
    most=100, name="scheduling.fees"
)


@dataclass(frozen=True, slots=True)
class DayCell:
    """A day of the date strip: `state` is None when nobody holds a session that day."""

    day: dt.date
    is_today: bool
    state: Offer | None
    left: int
    release_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class SessionCell:
    """One session of a doctor's day; `fee_fen` is None when nobody priced it: not bookable.

    `walk_in_only` sessions take patients at the hospital only (M1.11), whatever is left. One
    that is full and `can_wait` has a line to stand in for what comes free.
    """

    schedule_id: int
    day: dt.date
    session_period: str
    period_label: str
    service_name: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    state: Offer
    left: int
    is_few: bool
    fee_fen: int | None
    release_at: dt.datetime
    suspend_reason: str
    place: str
    walk_in_only: bool
    can_book: bool
    can_wait: bool


@dataclass(frozen=True, slots=True)
class DoctorCard:
    """A doctor (or a clinic without one: empty code and title) with the sessions of one day.

    `next_session` is the earliest later one with places, for the days this one has none.
    """

    practitioner_code: str
    name: str
    title_label: str
    specialty: str
    photo: str
    service_kind: str
    service_name: str
    sessions: tuple[SessionCell, ...]
    next_session: SessionCell | None


@dataclass(frozen=True, slots=True)
class DoctorDay:
    """One day of a doctor's coming sessions."""

    day: dt.date
    is_today: bool
    sessions: tuple[SessionCell, ...]


@dataclass(frozen=True, slots=True)
class BandCell:
    """One band of the picker."""

    band_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    left: int
    is_over: bool


@dataclass(frozen=True, slots=True)
class BandSheet:
    """The band picker of one session."""

    session: SessionFacts
    cell: SessionCell
    bands: tuple[BandCell, ...]


@dataclass(frozen=True, slots=True)
class FreeBand:
    """A band that still has places, offered instead of one that has none."""

    schedule_id: int
    band_id: int
    visit_date: dt.date
    starts_at: dt.datetime
    ends_at: dt.datetime
    doctor: str
    title_label: str
    left: int


def shown_days(today: dt.date) -> list[dt.date]:
    return [
        today + dt.timedelta(days=ahead) for ahead in range(thresholds.HORIZON_DAYS.value() + 1)
    ]


def date_strip(*, department_id: int, at: dt.datetime) -> list[DayCell]:
    """The days patients may look at, today to the horizon, each with its best state (M1.2)."""
    today = hospital_day(at)
    offers: dict[dt.date, list[DatedOffer]] = {}
    for session in _department_sessions(department_id, at):
        offered = offer_of(session, at=at), session.release_at
        offers.setdefault(session.visit_date, []).append(offered)
    return [_day_cell(day, today, offers.get(day, [])) for day in shown_days(today)]


def open_sessions(*, department_id: int, day: dt.date, at: dt.datetime) -> list[DoctorCard]:
    """Who sits on a day in a department: those with places first, then by pinyin.

    A day beyond the horizon is empty.
    """
    found = _department_sessions(department_id, at)
    grouped: dict[tuple[int | None, int], list[SessionFacts]] = {}
    for session in found:
        if session.visit_date == day:
            key = session.practitioner_id, session.service_type_id
            grouped.setdefault(key, []).append(session)
    cards = [_doctor_card(group, found, at) for group in grouped.values()]
    order = {id(card): _card_order(card, index) for index, card in enumerate(cards)}
    return sorted(cards, key=lambda card: order[id(card)])


def practitioner_days(*, practitioner_id: int, at: dt.datetime) -> list[DoctorDay]:
    """The days within the horizon on which a doctor sits, over all departments."""
    today = hospital_day(at)
    days = shown_days(today)
    found = [
        session
        for department_id in sessions.departments_of(
            practitioner_id=practitioner_id, first=days[0], latest=days[-1]
        )
        for session in _department_sessions(department_id, at)
        if session.practitioner_id == practitioner_id
    ]
    found.sort(key=lambda session: (session.starts_at, session.id))
    return [
        DoctorDay(day, day == today, tuple(_cell(session, at) for session in held))
        for day in days
        if (held := [session for session in found if session.visit_date == day])
    ]


def bands(*, schedule_id: int, at: dt.datetime) -> BandSheet:
    """The band picker of a session. Raises NotFound."""
    session = session_facts(schedule_id=schedule_id)
    return BandSheet(session, _cell(session, at), tuple(_band_cells(session, at)))


def bands_of_day(
    *, department_id: int, day: dt.date, at: dt.datetime
) -> dict[int, tuple[BandCell, ...]]:
    """Schedule id → its bands, for a page that shows all of a day. From the same moment as
    `open_sessions`: no statement more, however many sit."""
    found = _department_sessions(department_id, at)
    return {one.id: tuple(_band_cells(one, at)) for one in found if one.visit_date == day}


def session_facts(*, schedule_id: int) -> SessionFacts:
    """All that is known of one session, at most a second old. Raises NotFound."""
    at = clock.now()
    department_id = _departments.get(
        schedule_id, lambda: sessions.department_of(schedule_id=schedule_id)
    )
    for session in _department_sessions(department_id, at) if department_id else ():
        if session.id == schedule_id:
            return session
    found = _of_schedule.get(  # nobody sees it yet, or any more
        schedule_id, lambda: sessions.load(Schedule.objects.filter(pk=schedule_id))
    )
    if not found:
        raise NotFound("没有找到这次出诊，请返回重新选择。")
    return found[0]


def band_of(session: SessionFacts, band_id: int) -> BandFacts:
    """One band of a session. Raises NotFound."""
    for band in session.bands:
        if band.id == band_id:
            return band
    raise NotFound("没有找到这个时段，请返回重新选择。")


def fee_of(session: SessionFacts) -> FeeQuote:
    """What registering for a session costs on its visit date (M2.5). Raises catalogue NoFee."""
    quote = _fee(session)
    if quote is None:
        raise NoFee
    return quote


def alternatives(
    *,
    schedule_id: int,
    band_id: int | None,
    channel: Channel = Channel.WECHAT,
    reserved_from: dt.date | None = None,
    at: dt.datetime,
    most: int = 3,
) -> list[FreeBand]:
    """The nearest bands with places for a channel instead of a full one (M1.2), and for a patient
    who may have reserved numbers from a visit day on.

    Nearest: the same session, then the same doctor, then the department; within each by time.
    """
    wanted = session_facts(schedule_id=schedule_id)
    starts_at = band_of(wanted, band_id).starts_at if band_id else wanted.starts_at
    offer = functools.partial(offer_of, channel=channel, reserved_from=reserved_from, at=at)
    left = functools.partial(band_left, channel=channel, reserved_from=reserved_from, at=at)
    found = [
        (session, band)
        for session in _department_sessions(wanted.department_id, at)
        if offer(session).state == Offer.AVAILABLE
        for band in session.bands
        if band.id != band_id and left(session, band) > 0
    ]

    def distance(pair: tuple[SessionFacts, BandFacts]) -> tuple[int, dt.timedelta]:
        session, band = pair
        doctor = wanted.practitioner_id
        nearness = (
            session.id == wanted.id,
            doctor is not None and session.practitioner_id == doctor,
            True,
        )
        return nearness.index(True), abs(band.starts_at - starts_at)

    return [_free_band(*pair, left=left(*pair)) for pair in sorted(found, key=distance)[:most]]


def next_useful_day(strip: Iterable[DayCell], *, after: dt.date) -> dt.date | None:
    """The first day of a date strip after `after` with places left, for a department's empty
    days."""
    return next(
        (cell.day for cell in strip if cell.day > after and cell.state == Offer.AVAILABLE), None
    )


def places_left(*, at: dt.datetime) -> dict[int, dict[dt.date, DayCell]]:
    """Department id → day → cell, for the department list: who has numbers, who is suspended."""
    today = hospital_day(at)
    days = shown_days(today)
    found = _of_hospital.get(today, lambda: sessions.load_places(days[0], days[-1], at=at))
    return {
        department_id: {day: _day_cell(day, today, offers) for day, offers in by_day.items()}
        for department_id, by_day in found.items()
    }


def _department_sessions(department_id: int, at: dt.datetime) -> list[SessionFacts]:
    days = shown_days(hospital_day(at))
    return _of_department.get(
        (department_id, days[0]),
        lambda: sessions.load_department(
            department_id=department_id, first=days[0], latest=days[-1]
        ),
    )


def _fee(session: SessionFacts) -> FeeQuote | None:
    day = session.visit_date
    quotes = _fees.get(day, lambda: catalogue.registration_fees(on=day))
    return quotes.get((session.service_type_id, session.title))


def is_late_release(session: SessionFacts, *, at: dt.datetime) -> bool:
    """Whether a session's release moment has passed and no job has released it yet."""
    return session.status == ScheduleStatus.PUBLISHED and session.release_at <= at


def _best(states: Iterable[Offer]) -> Offer | None:
    found = set(states)
    return next((state for state in _BY_USE if state in found), None)


def _day_cell(day: dt.date, today: dt.date, offers: Sequence[DatedOffer]) -> DayCell:
    return DayCell(
        day=day,
        is_today=day == today,
        state=_best(offered.state for offered, _ in offers),
        left=sum(offered.left for offered, _ in offers),
        release_at=min((release_at for _, release_at in offers), default=None),
    )


def _cell(session: SessionFacts, at: dt.datetime) -> SessionCell:
    offer, quote = offer_of(session, at=at), _fee(session)
    return SessionCell(
        schedule_id=session.id,
        day=session.visit_date,
        session_period=session.session_period,
        period_label=session.period_label,
        service_name=session.service_name,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        state=offer.state,
        left=offer.left,
        is_few=0 < offer.left <= _FEW,
        fee_fen=quote.total_fen if quote else None,
        release_at=session.release_at,
        suspend_reason=session.suspend_reason,
        place=session.place,
        walk_in_only=session.walk_in_only,
        can_book=session.is_bookable and quote is not None and offer.left > 0,
        can_wait=session.is_bookable
        and not session.walk_in_only
        and quote is not None
        and offer.state == Offer.FULL
        and at < list_closes_at(session, at=at),
    )


def _doctor_card(
    group: Sequence[SessionFacts], all_sessions: Sequence[SessionFacts], at: dt.datetime
) -> DoctorCard:
    first = group[0]
    cells = tuple(_cell(session, at) for session in group)
    later = (
        session
        for session in all_sessions
        if session.starts_at > group[-1].starts_at
        and session.practitioner_id == first.practitioner_id
        and session.service_type_id == first.service_type_id
        and offer_of(session, at=at).state == Offer.AVAILABLE
    )
    following = next(later, None)
    return DoctorCard(
        practitioner_code=first.practitioner_code,
        name=first.doctor_label,
        title_label=first.title_label,
        specialty=first.specialty,
        photo=first.photo,
        service_kind=first.service_kind,
        service_name=first.service_name,
        sessions=cells,
        next_session=_cell(following, at) if following else None,
    )


def _card_order(card: DoctorCard, place: int) -> tuple[int, int]:
    """Cards arrive by start and pinyin; those one can book come first."""
    best = _best(cell.state for cell in card.sessions)
    return (_BY_USE.index(best) if best else len(_BY_USE)), place


def _band_cells(session: SessionFacts, at: dt.datetime) -> list[BandCell]:
    state = offer_of(session, at=at).state
    open_now = state in {Offer.AVAILABLE, Offer.FULL}
    return [
        BandCell(
            band_id=band.id,
            starts_at=band.starts_at,
            ends_at=band.ends_at,
            left=band_left(session, band, at=at) if open_now else 0,
            is_over=band.ends_at <= at,
        )
        for band in session.bands
    ]


def _free_band(session: SessionFacts, band: BandFacts, *, left: int) -> FreeBand:
    return FreeBand(
        schedule_id=session.id,
        band_id=band.id,
        visit_date=session.visit_date,
        starts_at=band.starts_at,
        ends_at=band.ends_at,
        doctor=session.doctor_label,
        title_label=session.title_label,
        left=left,
    )
