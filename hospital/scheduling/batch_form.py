"""What the batch form says, as a wish; and the other way round, for the page after the preview."""

import datetime as dt
from dataclasses import replace
from typing import Final

from django.utils.datastructures import MultiValueDict

from hospital.kernel.errors import Invalid
from hospital.scheduling.queries.batches import BatchWish
from hospital.scheduling.states import BatchKind, Pool, SessionPeriod
from hospital.ui.typed import typed, typed_id

Data = MultiValueDict[str, str]

WEEKDAYS: Final = tuple(enumerate(("周一", "周二", "周三", "周四", "周五", "周六", "周日"), 1))
#: Everything that makes the wish: the preview carries it to the act.
FIELDS: Final = (
    *("kind", "first", "latest", "department", "weekday", "period", "set_to", "change_by"),
    *("wechat", "kiosk", "reserved", "pool", "after", "before", "room"),
)
_MOST: Final = 500


def wish(data: Data) -> BatchWish:
    """The wish of a form. Raises Invalid, a sentence a field."""
    kind = typed(data, "kind", most=10)
    if kind not in BatchKind.values:
        raise Invalid.of("kind", "请选择要做什么。")
    found = BatchWish(
        kind=BatchKind(kind),
        first=_day(data, "first"),
        latest=_day(data, "latest"),
        department_ids=_departments(data),
        weekdays=tuple(number for number, _ in WEEKDAYS if str(number) in data.getlist("weekday")),
        periods=tuple(one for one in SessionPeriod.values if one in data.getlist("period")),
        after=_time(data, "after"),
        before=_time(data, "before"),
        pool=pool if (pool := typed(data, "pool", most=10)) in Pool.values else "",
    )
    return _with_amounts(found, data)


def _with_amounts(found: BatchWish, data: Data) -> BatchWish:
    """The wish with the numbers its kind needs."""
    if found.kind == BatchKind.CAPACITY:
        size, step = _number(data, "set_to"), _number(data, "change_by")
        if (size is None) == (step is None or step == 0):
            sentence = "每时段号数和增减号数，请填其中一个。"
            raise Invalid.of("set_to", sentence)
        if size is not None and size < 0:
            raise Invalid.of("set_to", "号数不能是负数。")
        return replace(found, set_to=size, change_by=step or 0)
    if found.kind == BatchKind.SHARES:
        percents = {
            pool: _number(data, pool) or 0 for pool in (Pool.WECHAT, Pool.KIOSK, Pool.RESERVED)
        }
        if min(percents.values()) < 0 or sum(percents.values()) > 100:
            sentence = "比例不能是负数，合计不能超过 100%，余下的归窗口。"
            raise Invalid.of("wechat", sentence)
        return replace(found, percents=tuple(percents.items()))
    if found.kind == BatchKind.ROOM:
        room_id = typed_id(data.get("room", ""))
        if room_id is None:
            raise Invalid.of("room", "请选择诊室。")
        return replace(found, room_id=room_id)
    return found


def kept_fields(data: Data) -> list[tuple[str, str]]:
    """The form once more, as hidden fields."""
    return [(name, value) for name in FIELDS for value in data.getlist(name) if value]


def _departments(data: Data) -> tuple[int, ...]:
    """The departments ticked: what names none must not come to mean all."""
    found = [typed_id(text) for text in data.getlist("department")]
    if None in found:
        raise Invalid.of("department", "请重新选择科室。")
    return tuple(pk for pk in found if pk is not None)


def _day(data: Data, name: str) -> dt.date:
    try:
        return dt.date.fromisoformat(typed(data, name, most=10))
    except ValueError as error:
        raise Invalid({name: ["请填日期。"]}, "请填开始和结束日期。") from error


def _time(data: Data, name: str) -> dt.time | None:
    text = typed(data, name, most=8)
    if not text:
        return None
    try:
        return dt.time.fromisoformat(text)
    except ValueError as error:
        raise Invalid({name: ["请填时间，如 09:30。"]}, "时间请填成 09:30 的样子。") from error


def _number(data: Data, name: str) -> int | None:
    """A whole number with a sign, None for nothing."""
    text = typed(data, name, most=6)
    if not text:
        return None
    digits = text.removeprefix("-").removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and int(digits) <= _MOST):
        sentence = f"请填 {_MOST} 以内的整数。"
        raise Invalid.of(name, sentence)
    return int(text)
