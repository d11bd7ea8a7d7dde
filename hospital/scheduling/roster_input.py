"""What the grid and its forms send, as values: cells, sessions, typed words."""

import datetime as dt
from collections.abc import Mapping
from typing import Final

from hospital.kernel.errors import Invalid, NotFound
from hospital.scheduling.actions.roster_steps import Wanted
from hospital.scheduling.actions.rosters import Place
from hospital.scheduling.models import RosterEntry
from hospital.scheduling.queries.roster_forms import Options, Suggestion
from hospital.scheduling.roster_typing import understand
from hospital.scheduling.states import SessionPeriod
from hospital.ui.typed import typed, typed_id

_LONGEST: Final = 80
_MOST_DIGITS: Final = 4

Data = Mapping[str, str]


def place(text: str) -> Place:
    """A cell by its key, "2026-12-15_am_12"; practitioner 0 is the clinic's own row. Raises
    NotFound."""
    day, _, rest = text.partition("_")
    period, _, person = rest.partition("_")
    person_id = typed_id(person)
    if period not in SessionPeriod.values or person_id is None:
        raise NotFound("没有找到这个格子。")
    return Place(_day(day), period, person_id or None)


def key_of(place: Place) -> str:
    return f"{place.visit_date.isoformat()}_{place.session_period}_{place.practitioner_id or 0}"


def wanted_from_words(
    text: str, *, place: Place, entry: RosterEntry | None, like: Suggestion, options: Options
) -> Wanted:
    """The session somebody means who typed a few words into a cell: what is not said stays as it
    is there, or is as usual. Raises Invalid."""
    said = understand(text[:_LONGEST], services=options.services, rooms=options.rooms)
    if said.unknown:
        unknown = "”“".join(said.unknown)
        raise Invalid({"text": [f"没有看懂“{unknown}”：请写号别、诊室、时间、限号。"]})
    known = entry or like
    starts, ends = said.hours or (known.starts, known.ends)
    service, room = (
        said.service_id or known.service_type_id,
        said.room_id or known.room_id,
    )
    if service is None or room is None:
        raise Invalid({"text": ["请写明号别和诊室，例如“专家 201 30”。"]})
    return Wanted(
        visit_date=place.visit_date,
        session_period=place.session_period,
        practitioner_id=place.practitioner_id,
        service_type_id=service,
        room_id=room,
        starts=starts,
        ends=ends,
        capacity=said.capacity or known.capacity,
        band_minutes=known.band_minutes,
    )


def wanted_from_form(data: Data) -> Wanted:
    """The session a cell's form describes. Raises Invalid."""
    errors: dict[str, list[str]] = {}
    hours = {name: _time(data.get(name, "")) for name in ("starts", "ends")}
    errors |= {name: ["请填写时间，如 08:00。"] for name, at in hours.items() if at is None}
    sizes = {name: _number(data.get(name, "")) for name in ("capacity", "band_minutes")}
    errors |= {name: ["请填写数字。"] for name, size in sizes.items() if size is None}
    for name in ("service_type", "room"):
        if typed_id(data.get(name, "")) is None:
            errors[name] = ["请选择。"]
    starts, ends, capacity, band = hours["starts"], hours["ends"], *sizes.values()
    if errors or starts is None or ends is None or capacity is None or band is None:
        raise Invalid(errors)
    return Wanted(
        visit_date=_day(data.get("day", "")),
        session_period=typed(data, "period", most=10),
        practitioner_id=typed_id(data.get("practitioner", "")) or None,
        service_type_id=typed_id(data.get("service_type", "")) or 0,
        room_id=typed_id(data.get("room", "")) or 0,
        starts=starts,
        ends=ends,
        capacity=capacity,
        band_minutes=band,
    )


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise NotFound("没有找到这一天。") from None


def _time(text: str) -> dt.time | None:
    """Hours and minutes of a time field; whatever follows them says nothing here."""
    try:
        return dt.time.fromisoformat(text.strip()[:5])
    except ValueError:
        return None


def _number(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if is_number else None
