"""Search parameters and headers: what each may look like, and what it means as a value.

One given too often, not of its pattern or with a modifier is refused (400). One nobody declared is
passed over and named in the answer, or refused where `Prefer: handling=strict` asks for that.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Literal

from hospital.kernel import clock
from hospital.kernel.errors import Refusal
from hospital.scheduling.queries.listed import Cut, Span

_DAY: Final = "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"
_TIME: Final = rf"T{_CLOCK}(:[0-5][0-9](\.[0-9]{{1,6}})?)?(Z|[+-]{_CLOCK})"
_PREFIX: Final = "(eq|ge|gt|le|lt)?"
#: The largest whole number an id of ours can be is longer, but nobody will see it.
ID: Final = "[0-9]{1,18}"
MOST_ON_A_PAGE: Final = 100
PAGE: Final = 20


class BadParameter(Refusal):
    """A search parameter or header that is not known, or not of its form."""

    code: ClassVar[str] = "BAD_PARAMETER"
    default_message: ClassVar[str] = "查询条件不正确。"


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of an operation; `pattern` is all of a value, `most` how often it may come."""

    name: str
    pattern: str
    about: str
    example: str
    place: Literal["query", "header", "path"] = "query"
    is_required: bool = False
    most: int = 1
    whole: tuple[int, int] | None = None

    @property
    def schema(self) -> dict[str, Any]:
        """The parameter in JSON Schema."""
        one: dict[str, Any] = {"type": "string", "pattern": f"^{self.pattern}$"}
        if self.whole:
            one = {"type": "integer", "minimum": self.whole[0], "maximum": self.whole[1]}
        return one if self.most == 1 else {"type": "array", "items": one, "maxItems": self.most}

    def fits(self, value: str) -> bool:
        """Whether a value is of the pattern, and a whole number within its range."""
        if not re.fullmatch(self.pattern, value, re.ASCII):
            return False
        return self.whole is None or self.whole[0] <= int(value) <= self.whole[1]


Asked = Mapping[str, Sequence[str]]


def read(params: Sequence[Param], given: Asked, *, place: str = "query") -> Asked:
    """The values of a question, each of its form. Raises BadParameter."""
    known = {one.name: one for one in params if one.place == place}
    found: dict[str, Sequence[str]] = {}
    for name, param in known.items():
        values = given.get(name, ())
        if param.is_required and not values:
            raise BadParameter(f"缺少 {name}。")
        if len(values) > param.most:
            raise BadParameter(f"{name} 最多给 {param.most} 次。")
        if not all(param.fits(value) for value in values):
            raise BadParameter(f"{name} 的格式不正确，例如 {param.example}。")
        found[name] = values
    return found


def passed_over(params: Sequence[Param], given: Asked, *, is_strict: bool) -> list[str]:
    """The names nobody declared. Raises BadParameter for a strict asker, and for a modifier of a
    parameter we do know: without it the question is another one."""
    known = {one.name for one in params if one.place == "query"}
    others = [name for name in given if name not in known]
    for name in others:
        if is_strict or name.partition(":")[0] in known:
            raise BadParameter(f"不支持的查询参数：{_shown(name)}。")
    return [_shown(name) for name in others]


def one(asked: Asked, name: str) -> str:
    """The only value of a parameter, "" without one."""
    return next(iter(asked.get(name, ())), "")


def token(asked: Asked, name: str) -> tuple[str, str]:
    """System and code of a token ("system|code"), the system "" where none is told."""
    system, _, code = one(asked, name).rpartition("|")
    return system, code


def code(asked: Asked, name: str) -> str:
    """The code of a token, whose pattern knows but one system."""
    return token(asked, name)[1]


def reference(asked: Asked, name: str) -> str:
    """The id of a reference ("Slot/12")."""
    return one(asked, name).rpartition("/")[2]


def number(asked: Asked, name: str) -> int | None:
    """The id of a reference as a number, None without one."""
    text = reference(asked, name)
    return int(text) if text else None


def tag(headers: Asked, name: str) -> str:
    """The version an entity tag names, "" without one or where any will do."""
    return one(headers, name).removeprefix("W/").strip('"*')


def is_same(headers: Asked, version: str) -> bool:
    """Whether the asker of a read has this version already (`If-None-Match`)."""
    known = one(headers, "If-None-Match")
    return bool(known and version) and (known == "*" or tag(headers, "If-None-Match") == version)


def many(asked: Asked, name: str) -> list[str]:
    """The values of a parameter that may hold several, by comma."""
    text = one(asked, name)
    return text.split(",") if text else []


def cut(asked: Asked) -> Cut:
    """Which page is asked for."""
    ids = many(asked, "_id")
    return Cut(
        after=int(one(asked, "_after") or 0),
        most=int(one(asked, "_count") or PAGE),
        ids=[int(text) for text in ids] if ids else None,
    )


def days(asked: Asked, name: str) -> Span:
    """The days all values of a date parameter leave. Raises BadParameter."""
    starts: list[dt.date] = []
    ends: list[dt.date] = []
    for text in asked.get(name, ()):
        prefix, day = _split(text)
        first = _date(name, day)
        _bound(prefix, first, first + dt.timedelta(days=1), starts, ends)
    return Span(max(starts, default=None), min(ends, default=None))


def moments(asked: Asked, name: str) -> Span:
    """The moments all values of a date or time parameter leave. Raises BadParameter."""
    starts: list[dt.datetime] = []
    ends: list[dt.datetime] = []
    for text in asked.get(name, ()):
        prefix, rest = _split(text)
        if "T" not in rest:
            day = _date(name, rest)
            period = clock.day_period(day)
            assert period.end is not None, "a day ends"
            _bound(prefix, period.start, period.end, starts, ends)
            continue
        try:
            first = dt.datetime.fromisoformat(rest).astimezone(dt.UTC)
        except (ValueError, OverflowError) as problem:
            raise BadParameter(f"{name} 中的时间不存在。") from problem
        width = dt.timedelta(minutes=1) if rest.count(":") - _offset(rest) == 1 else _SECOND
        _bound(prefix, first, first + width, starts, ends)
    return Span(max(starts, default=None), min(ends, default=None))


_SECOND: Final = dt.timedelta(seconds=1)


def _offset(text: str) -> int:
    return 0 if text.endswith("Z") else 1


def _split(text: str) -> tuple[str, str]:
    return (text[:2], text[2:]) if text[:2].isalpha() else ("eq", text)


def _date(name: str, text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as problem:
        raise BadParameter(f"{name} 中的日期不存在。") from problem


def _bound(prefix: str, first: Any, after: Any, starts: list[Any], ends: list[Any]) -> None:
    """Narrow by one value, which lies from `first` on and before `after` (its own precision)."""
    if prefix in ("eq", "ge"):
        starts.append(first)
    if prefix == "gt":
        starts.append(after)
    if prefix in ("eq", "le"):
        ends.append(after)
    if prefix == "lt":
        ends.append(first)


def _shown(name: str) -> str:
    return "".join(sign for sign in name[:40] if sign.isprintable())


def _words(*allowed: str) -> str:
    either = "|".join(allowed)
    return f"({either})(,({either})){{0,{len(allowed) - 1}}}"


def status_param(*allowed: str) -> Param:
    """`status`, one of these words or several by comma."""
    return Param("status", _words(*allowed), "FHIR status; several by comma.", allowed[0])


COUNT: Final = Param(
    "_count",
    "[0-9]{1,9}",
    "How many resources a page holds.",
    "20",
    whole=(1, MOST_ON_A_PAGE),
)
AFTER: Final = Param("_after", ID, "Where the next page begins; taken from the link `next`.", "812")
FORMAT: Final = Param(
    "_format",
    r"(json|application/(fhir[+ ])?json)",
    "Overrides the header Accept; JSON is all there is.",
    "json",
)
IDS: Final = Param("_id", f"{ID}(,{ID}){{0,49}}", "Ids, several by comma.", "812,813")
DATE: Final = Param(
    "date",
    f"{_PREFIX}{_DAY}",
    "Hospital day of the visit with a prefix eq, ge, gt, le or lt; twice for a span.",
    "ge2026-11-24",
    most=2,
)
START: Final = Param(
    "start",
    f"{_PREFIX}{_DAY}({_TIME})?",
    "When the band begins: a hospital day or a moment with its offset; twice for a span.",
    "ge2026-11-24T08:00:00+08:00",
    most=2,
)
LAST_UPDATED: Final = Param(
    "_lastUpdated",
    START.pattern,
    "When the booking last changed: a hospital day or a moment with its offset; twice for a span.",
    START.example,
    most=2,
)
SPECIALTY: Final = Param(
    "specialty",
    r"(urn:xinglin:department\|)?[^|,\x00-\x20\x7f]{1,20}",
    "Code of the department.",
    "urn:xinglin:department|ZJ",
)
SERVICE: Final = Param(
    "service-type",
    r"(urn:xinglin:service-type\|)?[a-z_]{1,20}",
    "Kind of the clinic.",
    "specialist",
)
ACTOR: Final = Param(
    "actor", "(Practitioner/)?[A-Za-z0-9.-]{1,64}", "The doctor.", "Practitioner/D001"
)
PRACTITIONER: Final = replace(ACTOR, name="practitioner", about="The doctor of the booking.")
ACTIVE: Final = Param("active", "(true|false)", "Neither over nor called off.", "true")
SCHEDULE: Final = Param("schedule", f"(Schedule/)?{ID}", "The session.", "Schedule/31")
SLOT: Final = Param("slot", f"(Slot/)?{ID}", "The number that was booked.", "Slot/812")
IDENTIFIER: Final = Param(
    "identifier",
    r"([a-zA-Z0-9:./_-]{0,100}\|)?[!-{}~]{1,64}",
    "The appointment's number, or your own number of it.",
    "order-20261123-0001",
)
PATH_ID: Final = Param(
    "id", "[A-Za-z0-9.-]{1,64}", "The logical id.", "812", place="path", is_required=True
)
IDEMPOTENCY_KEY: Final = Param(
    "Idempotency-Key",
    "[!-~]{8,64}",
    "Yours, another one for every booking: the same key and body again gets the same answer.",
    "5b0f6c1e-7c58-4f0e-9a58-3a1d0f6b8e21",
    place="header",
    is_required=True,
)
_TAG: Final = r"(\*|(W/)?\"[A-Za-z0-9.-]{1,64}\")"
IF_MATCH: Final = Param(
    "If-Match",
    _TAG,
    "The ETag of the booking you have seen; refused (412) when it is another by now.",
    'W/"1f0c3a5b7d9e2f46"',
    place="header",
)
IF_NONE_MATCH: Final = replace(
    IF_MATCH, name="If-None-Match", about="The ETag you have; 304 when it is still the same."
)
