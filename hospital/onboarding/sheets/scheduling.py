"""Sheet of the weekly pattern: 排班模板, with the conflicts M15.2 forbids."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any, Final

from hospital.catalogue import queries as catalogue
from hospital.onboarding.kinds import Choice, Clock, Code, Day, Integer, YesNo
from hospital.onboarding.sheets.catalogue import SERVICE_FEES, SERVICE_TYPES
from hospital.onboarding.sheets.organisation import (
    DEPARTMENTS,
    LOCATIONS,
    PRACTITIONERS,
    active,
    refers,
)
from hospital.onboarding.tables import Book, Column, Problem, Row, Sheet
from hospital.scheduling import actions, queries
from hospital.scheduling.states import SessionPeriod

_DAY_MINUTES: Final = 24 * 60
_DAYS: Final = "一二三四五六日"
WEEKDAY: Final = Choice(
    hint="从下拉列表中选择",
    choices=tuple(f"周{name}" for name in _DAYS),
    words={f"周{name}": number for number, name in enumerate(_DAYS, start=1)},
    aliases={
        **{f"星期{name}": number for number, name in enumerate(_DAYS, start=1)},
        **{str(number): number for number in range(1, 8)},
        "周天": 7,
        "星期天": 7,
    },
)


def _times(book: Book) -> Iterator[Problem]:
    """Sessions of whole bands, on one day unless they are evening sessions."""
    for row in book.of(TEMPLATES.title):
        if not row.has("starts", "ends", "session_period"):
            continue
        values = row.values
        if values["ends"] <= values["starts"] and values["session_period"] != SessionPeriod.EVENING:
            yield row.problem("ends", "应晚于开始时间；只有晚上的班可以跨过零点")
        elif row.has("band_minutes", "capacity"):
            yield from _bands(row)


def _bands(row: Row) -> Iterator[Problem]:
    start, end = _minutes(row)
    count, rest = divmod(end - start, row.values["band_minutes"])
    if rest:
        reason = f"不能整除：出诊共 {end - start} 分钟，最后一个时段会剩 {rest} 分钟"
        yield row.problem("band_minutes", reason)
    elif row.values["capacity"] < count:
        yield row.problem("capacity", f"少于时段数：共 {count} 个时段，有的会没有号")


def _validity(book: Book) -> Iterator[Problem]:
    for row in book.of(TEMPLATES.title):
        if row.has("valid_from", "valid_to") and row.values["valid_to"] <= row.values["valid_from"]:
            yield row.problem("valid_to", "应晚于生效日期")


def _clashes(book: Book) -> Iterator[Problem]:
    """M15.2: nobody and no room twice at a time."""
    rows = [row for row in book.of(TEMPLATES.title) if _is_live(row)]
    yield from _twice(rows, "practitioner", "医生")
    yield from _twice(rows, "room", "诊室")


def _twice(rows: Iterable[Row], field: str, noun: str) -> Iterator[Problem]:
    same: dict[tuple[Any, int], list[Row]] = {}
    for row in rows:
        if row.has(field):
            same.setdefault((row.values[field], row.values["weekday"]), []).append(row)
    for group in same.values():
        for one, other in combinations(group, 2):
            if _valid_together(one, other) and _at_one_time(one, other):
                reason = f"同一{noun}在同一时间已有第 {one.number} 行的班"
                yield other.problem(field, reason)


def _is_live(row: Row) -> bool:
    needed = ("weekday", "session_period", "starts", "ends", "valid_from", "is_active")
    return row.has(*needed) and bool(row.values["is_active"])


def _valid_together(one: Row, other: Row) -> bool:
    def before(first: Row, second: Row) -> bool:
        end: dt.date | None = first.values.get("valid_to")
        return end is not None and end <= second.values["valid_from"]

    return not before(one, other) and not before(other, one)


def _at_one_time(one: Row, other: Row) -> bool:
    if one.values["session_period"] == other.values["session_period"]:
        return True
    (one_start, one_end), (other_start, other_end) = _minutes(one), _minutes(other)
    return one_start < other_end and other_start < one_end


def _minutes(row: Row) -> tuple[int, int]:
    """Start and end in minutes since midnight; an end not after the start is the next morning."""
    start, end = (
        row.values[name].hour * 60 + row.values[name].minute for name in ("starts", "ends")
    )
    return start, end if end > start else end + _DAY_MINUTES


def _switched_off(book: Book) -> Iterator[Problem]:
    nouns = (
        ("department", DEPARTMENTS, "科室"),
        ("practitioner", PRACTITIONERS, "医生"),
        ("room", LOCATIONS, "诊室"),
        ("service_type", SERVICE_TYPES, "号别"),
    )
    for field, sheet, noun in nouns:
        known = book.by_code(sheet.title)
        for row in book.of(TEMPLATES.title):
            used = known.get(row.values.get(field) or "")
            if used and row.values.get("is_active") and used.values.get("is_active") is False:
                yield row.problem(field, f"该{noun}已停用；请换一个，或把模板的“启用”改为“否”")


def _people(book: Book) -> dict[str, Mapping[str, Any]]:
    """Practitioners by code: saved ones, over them those of this workbook."""
    if not book.of(TEMPLATES.title):
        return {}
    saved = {str(row.values["code"]): row.values for row in PRACTITIONERS.saved(book.today)}
    here = {code: row.values for code, row in book.by_code(PRACTITIONERS.title).items()}
    return {**saved, **here}


def _members(book: Book) -> Iterator[Problem]:
    """A practitioner sits where they work, as this workbook says, or else as is saved."""
    people = _people(book)
    for row in book.of(TEMPLATES.title):
        person = people.get(row.values.get("practitioner") or "")
        if person is None or not row.has("department") or not row.values.get("is_active"):
            continue
        departments = person.get("departments")
        if departments is not None and row.values["department"] not in departments:
            yield row.problem("practitioner", "医生的“所属科室”里没有这个科室")


def _fees(book: Book) -> Iterator[Problem]:
    """Every session costs something known, if only zero: else it could not be booked (M2.5)."""
    priced = _priced(book)
    people = _people(book)
    for row in book.of(TEMPLATES.title):
        if not row.has("service_type") or not row.values.get("is_active"):
            continue
        person = people.get(row.values.get("practitioner") or "")
        title = str(person.get("title") or "") if person else ""
        kind = row.values["service_type"]
        if (kind, title) not in priced and (kind, "") not in priced:
            yield row.problem("service_type", "“挂号费”表里没有这个号别和医生职称的费用")


def _priced(book: Book) -> set[tuple[str, str]]:
    codes = {row.id: row.code for row in catalogue.service_types()}
    saved = catalogue.registration_fees(on=book.today)
    here = (row.values for row in book.of(SERVICE_FEES.title) if row.has("service_type"))
    return {
        *((codes[service_type_id], str(title)) for service_type_id, title in saved),
        *((values["service_type"], str(values.get("title") or "")) for values in here),
    }


CHECKS: Final[tuple[Callable[[Book], Iterable[Problem]], ...]] = (
    _times,
    _validity,
    _switched_off,
    _members,
    _fees,
    _clashes,
)

TEMPLATES = Sheet(
    title="排班模板",
    note="每周固定的班，一个班一行。系统据此提前生成每天的号源。",
    key=("code",),
    save=actions.save_template,
    park=actions.save_template,
    checks=CHECKS,
    slug="templates",
    saved=lambda _: queries.template_rows(),
    listed=(
        "code",
        "department",
        "practitioner",
        "service_type",
        "room",
        "weekday",
        "session_period",
        "capacity",
    ),
    acts=("scheduling.save_template",),
    columns=(
        Column("模板编码", "code", Code(longest=40), required=True, example="PWB-1A", width=16),
        refers("科室", "department", "科室", required=True, example="脾胃病科"),
        refers("医生", "practitioner", "医生", note="科室的普通号可以不填", example="陈知行"),
        refers("号别", "service_type", "号别", required=True, example="专家门诊"),
        refers("诊室", "room", "诊室", required=True, example="201诊室"),
        Column("星期", "weekday", WEEKDAY, required=True, example="周一", width=8),
        Column(
            "午别",
            "session_period",
            Choice.of(SessionPeriod),
            required=True,
            example="上午",
            width=8,
        ),
        Column("开始", "starts", Clock(), required=True, example="08:00", width=8),
        Column("结束", "ends", Clock(), required=True, example="12:00", width=8),
        Column(
            "限号",
            "capacity",
            Integer(least=1, most=500),
            required=True,
            note="这个班一共多少个号",
            example="24",
            width=8,
        ),
        Column(
            "时段(分钟)",
            "band_minutes",
            Integer(least=5, most=240),
            required=True,
            note="每个预约时段的长度，要能整除出诊时间",
            example="30",
            width=12,
        ),
        Column("生效日期", "valid_from", Day(), required=True, example="2026-01-01", width=14),
        Column("失效日期", "valid_to", Day(), note="从这一天起不再出诊；长期有效不填", width=14),
        Column(
            "节假日照常",
            "on_holidays",
            YesNo(),
            default=False,
            note="填“是”的班在法定节假日也出诊，如急诊；其他的班自动停一天",
            example="否",
            width=12,
            may_lack=True,
        ),
        active("班"),
    ),
)
