"""Configuration rows: every threshold the handbook marks [D] (law 14, domain decision 12).

An area declares a typed Setting with its default; rows in the database override it per scope
(hospital → department → service type → practitioner, the most specific wins) from a moment on.
Values are cached for at most a second per process.
"""

import datetime as dt
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from hospital.kernel import audit, clock
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid
from hospital.kernel.models import ConfigurationRow

Value = TypeVar("Value", int, str, bool)
Rows = dict[tuple[str, str, int], object]

HOSPITAL: Final = ("hospital", 0)
CACHE_SECONDS = 1.0
_registry: dict[str, "AnySetting"] = {}
_cache: tuple[float, Rows] = (-1.0, {})


@dataclass(frozen=True)
class Scope:
    """Where a value holds; kind is "department", "service_type" or "practitioner"."""

    kind: str
    id: int


@dataclass(frozen=True)
class Setting(Generic[Value]):
    """A typed key ("registration.hold_minutes"), its label, default, unit and legal range;
    `pattern` is what all of a text must match."""

    key: str
    label: str
    default: Value
    unit: str = ""
    minimum: int | None = None
    maximum: int | None = None
    rule: str = ""
    pattern: str = ""

    def __post_init__(self) -> None:
        known = _registry.setdefault(self.key, self)
        if known != self:
            raise ValueError(f"setting {self.key} is declared twice")

    def value(self, *scopes: Scope) -> Value:
        """The value now; `scopes` from the most specific to the widest."""
        rows = _rows()
        for kind, scope_id in [*((scope.kind, scope.id) for scope in scopes), HOSPITAL]:
            if (self.key, kind, scope_id) in rows:
                found = rows[self.key, kind, scope_id]
                assert isinstance(found, type(self.default))
                return found
        return self.default

    def check(self, value: object) -> None:
        """Raises Invalid unless the value is of the right kind and in range."""
        if type(value) is not type(self.default):
            raise Invalid({"value": [f"“{self.label}”的类型不正确。"]})
        if type(value) is int and not self._in_range(value):
            raise Invalid({"value": [f"“{self.label}”应在 {self._range()} 之间。"]})
        if type(value) is str and self.pattern and not re.fullmatch(self.pattern, value):
            raise Invalid({"value": [f"“{self.label}”应填写成“{self.default}”的样子。"]})

    def _in_range(self, value: int) -> bool:
        return (self.minimum is None or self.minimum <= value) and (
            self.maximum is None or value <= self.maximum
        )

    def _range(self) -> str:
        return f"{self.minimum}–{self.maximum}{self.unit}"


AnySetting = Setting[int] | Setting[str] | Setting[bool]


def all_settings() -> Sequence[AnySetting]:
    """Every declared setting, by key."""
    return [_registry[key] for key in sorted(_registry)]


def set_value(
    *,
    setting: AnySetting,
    value: object,
    by: Actor,
    at: dt.datetime,
    scope: Scope | None = None,
    reason: str = "",
) -> ConfigurationRow:
    """Put a value in force from `at` (UTC) on. Raises Invalid."""
    setting.check(value)
    kind, scope_id = (scope.kind, scope.id) if scope else HOSPITAL
    before = _rows().get((setting.key, kind, scope_id), setting.default)
    row = ConfigurationRow.objects.create(
        key=setting.key,
        scope_kind=kind,
        scope_id=scope_id,
        value=value,
        valid_from=at,
        set_by=str(by),
        set_at=at,
        reason=reason,
    )
    audit.record(
        act="kernel.set_configuration",
        subject=row,
        by=by,
        at=at,
        before={setting.key: before},
        after={setting.key: value},
        reason=reason,
    )
    forget()
    return row


def forget() -> None:
    """Drop this process's cached values; other processes see a change within a second."""
    global _cache
    _cache = (-1.0, {})


def _rows() -> Rows:
    global _cache
    read_at, rows = _cache
    if time.monotonic() - read_at < CACHE_SECONDS and read_at >= 0:
        return rows
    in_force = ConfigurationRow.objects.filter(valid_from__lte=clock.now()).order_by("valid_from")
    rows = {(row.key, row.scope_kind, row.scope_id): row.value for row in in_force}
    _cache = (time.monotonic(), rows)
    return rows
