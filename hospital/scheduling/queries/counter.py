"""What a window or a kiosk may book now: read fresh, because the patient stands there.

The same sessions and the same judgement as on a phone (law 13), by the numbers of the counter's
own pool (M2.2), for a patient who may have reserved ones from a visit day on (`reserved_from`) by
those as well. Moments are UTC, money is fen.
"""

import datetime as dt
from dataclasses import dataclass

from hospital.catalogue.queries import NoFee
from hospital.kernel.clock import hospital_day
from hospital.scheduling import sessions
from hospital.scheduling.models import Schedule
from hospital.scheduling.queries.offers import fee_of, shown_days
from hospital.scheduling.sessions import SessionFacts, band_left, offer_of
from hospital.scheduling.states import Channel, Offer


@dataclass(frozen=True, slots=True)
class CounterBand:
    """A band of a session and what the channel may still have of it."""

    band_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    left: int


@dataclass(frozen=True, slots=True)
class CounterOffer:
    """One session as the counter may book it; `fee_fen` is None when nobody priced it."""

    session: SessionFacts
    state: Offer
    left: int
    fee_fen: int | None
    bands: tuple[CounterBand, ...]

    @property
    def can_book(self) -> bool:
        """Numbers are left and somebody has said what they cost."""
        return self.state == Offer.AVAILABLE and self.fee_fen is not None


@dataclass(frozen=True, slots=True)
class CounterDay:
    """A day of a department: what is left for the channel, None without sessions."""

    day: dt.date
    left: int | None


def counter_offers(
    *,
    department_id: int,
    day: dt.date,
    channel: Channel,
    reserved_from: dt.date | None = None,
    at: dt.datetime,
) -> list[CounterOffer]:
    """The sessions of a department on a day that are not over: those with numbers first, then by
    start and the doctor's pinyin."""
    found = sessions.load(Schedule.objects.filter(department_id=department_id, visit_date=day))
    offers = [_offer(session, channel, reserved_from, at) for session in found]
    shown = [offer for offer in offers if offer.state != Offer.ENDED]
    return sorted(shown, key=lambda offer: not offer.can_book)


def counter_days(
    *,
    department_id: int,
    channel: Channel,
    reserved_from: dt.date | None = None,
    at: dt.datetime,
) -> tuple[CounterDay, ...]:
    """Today to the horizon, each with the numbers the channel may still have."""
    days = shown_days(hospital_day(at))
    found = sessions.load(
        Schedule.objects.filter(department_id=department_id, visit_date__range=(days[0], days[-1]))
    )
    left: dict[dt.date, int] = {}
    for session in found:
        offered = offer_of(session, channel=channel, reserved_from=reserved_from, at=at)
        if offered.state != Offer.ENDED:
            left[session.visit_date] = left.get(session.visit_date, 0) + offered.left
    return tuple(CounterDay(day, left.get(day)) for day in days)


def counter_places(*, day: dt.date, channel: Channel, at: dt.datetime) -> dict[int, int]:
    """Department id → the numbers a channel may still have of a day; two statements. Departments
    whose sessions are all over, or that have none, are left out."""
    left: dict[int, int] = {}
    for session in sessions.load(Schedule.objects.filter(visit_date=day)):
        offered = offer_of(session, channel=channel, at=at)
        if offered.state != Offer.ENDED:
            left[session.department_id] = left.get(session.department_id, 0) + offered.left
    return left


def _offer(
    session: SessionFacts, channel: Channel, reserved_from: dt.date | None, at: dt.datetime
) -> CounterOffer:
    offered = offer_of(session, channel=channel, reserved_from=reserved_from, at=at)
    is_open = offered.state == Offer.AVAILABLE
    return CounterOffer(
        session=session,
        state=offered.state,
        left=offered.left,
        fee_fen=_fee_fen(session),
        bands=tuple(
            CounterBand(
                band_id=band.id,
                starts_at=band.starts_at,
                ends_at=band.ends_at,
                left=band_left(session, band, channel=channel, reserved_from=reserved_from, at=at),
            )
            for band in session.bands
            if is_open and band.ends_at > at
        ),
    )


def _fee_fen(session: SessionFacts) -> int | None:
    try:
        return fee_of(session).total_fen
    except NoFee:  # shown as "not priced", so that somebody notices
        return None
