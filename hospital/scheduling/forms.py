"""What the outpatient office's forms say, as values. Every sentence here is for its pages."""

import datetime as dt
from typing import Final

from django.utils.datastructures import MultiValueDict

from hospital.kernel.clock import at_local, local
from hospital.kernel.errors import Invalid
from hospital.scheduling.actions import BandWish
from hospital.scheduling.queries.numbers import BandRow
from hospital.scheduling.states import Pool
from hospital.ui.typed import typed, typed_id

Data = MultiValueDict[str, str]

_LONGEST_REASON: Final = 100
_MOST: Final = 500


def reason(data: Data) -> str:
    """Why something is done. Raises Invalid without words."""
    text = typed(data, "reason", most=_LONGEST_REASON)
    if not text:
        raise Invalid({"reason": ["请写明原因。"]}, "请写明原因，变更记录里会留下。")
    return text


def count(data: Data, name: str) -> int:
    """A whole number from 0 to 500. Raises Invalid."""
    return _number(data, name, what="号数", most=_MOST)


def percent(data: Data, name: str) -> int:
    """A whole number from 0 to 100. Raises Invalid."""
    return _number(data, name, what="比例", most=100)


def whole(data: Data, name: str) -> int:
    """A version the page carries; −1, which no page has, for anything else."""
    number = typed_id(data.get(name, ""))
    return -1 if number is None else number


def band_wishes(data: Data, rows: tuple[BandRow, ...]) -> list[BandWish]:
    """What every band of a session should become. Raises Invalid."""
    return [
        BandWish(
            band_id=row.band.id,
            capacity=count(data, f"capacity-{row.band.id}"),
            seen=count(data, f"seen-{row.band.id}"),
            ends_at=_moment(data, f"ends-{row.band.id}", row.band.starts_at),
            seen_ends_at=_moment(data, f"seen-ends-{row.band.id}", row.band.starts_at),
        )
        for row in rows
        if f"capacity-{row.band.id}" in data
    ]


def pool_counts(data: Data, prefix: str) -> dict[Pool, int]:
    """A number for every pool the form names; pools with none are left out. Raises Invalid."""
    found = {pool: count(data, f"{prefix}-{pool}") for pool in Pool if f"{prefix}-{pool}" in data}
    return {pool: number for pool, number in found.items() if number}


def ids(data: Data, name: str) -> list[int]:
    """The ids of everything ticked."""
    found = (typed_id(text) for text in data.getlist(name))
    return sorted({one for one in found if one is not None})


def _number(data: Data, name: str, *, what: str, most: int) -> int:
    text = typed(data, name, most=6)
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= most:
        sentence = f"{what}请填 0 到 {most} 的整数。"
        raise Invalid.of(name, sentence)
    return number


def _moment(data: Data, name: str, starts_at: dt.datetime) -> dt.datetime | None:
    """A time of day at or after the band's start: past midnight it is the next morning's."""
    text = typed(data, name, most=8)
    if not text:
        return None
    try:
        time = dt.time.fromisoformat(text)
    except ValueError as error:
        raise Invalid(
            {name: ["请填时间，如 09:30。"]}, "时段的结束时间请填成 09:30 的样子。"
        ) from error
    begun = local(starts_at)
    day = begun.date() if time > begun.time() else begun.date() + dt.timedelta(days=1)
    return at_local(day, time)
