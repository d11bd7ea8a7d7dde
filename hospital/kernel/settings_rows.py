"""Configuration rows: every threshold the handbook marks [D] (law 14, domain decision 12).

An area declares a typed Setting with its default; rows in the database override it per scope
(hospital → department → service type → practitioner, the most specific wins) from a moment on.
A row without a value takes its scope's override back: the wider scope holds again, or the default.
Values are cached for at most a second per process.
"""

import datetime as dt
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from django.db import connection, transaction
from django.db.models import JSONField
from django.db.models import Value as Literally

from hospital.kernel import audit, clock
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, Stale
from hospital.kernel.models import ConfigurationRow

Value = TypeVar("Value", int, str, bool)
Rows = dict[tuple[str, str, int], object]

CACHE_SECONDS = 1.0
_registry: dict[str, "AnySetting"] = {}
_cache: tuple[float, Rows] = (-1.0, {})


@dataclass(frozen=True)
class Scope:
    """Where a value holds; kind is "department", "service_type" or "practitioner"."""

    kind: str
    id: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


HOSPITAL: Final = Scope("hospital", 0)


@dataclass(frozen=True)
class Setting(Generic[Value]):
    """A typed key ("registration.hold_minutes"), its label, default, unit and legal range;
    `pattern` is what all of a text must match.

    `scopes` are the kinds of scope its reader asks for besides the hospital, the most specific
    first. A policy is set by the security administrator, everything else by the system
    administrator (chapter 7). Money is whole fen here and yuan on the page.
    """

    key: str
    label: str
    default: Value
    unit: str = ""
    minimum: int | None = None
    maximum: int | None = None
    rule: str = ""
    pattern: str = ""
    scopes: tuple[str, ...] = ()
    is_policy: bool = False
    is_money: bool = False

    def __post_init__(self) -> None:
        known = _registry.setdefault(self.key, self)
        if known != self:
            raise ValueError(f"setting {self.key} is declared twice")

    def value(self, *scopes: Scope) -> Value:
        """The value now; `scopes` from the most specific to the widest."""
        assert {scope.kind for scope in scopes} <= set(self.scopes), f"{self.key} is not scoped so"
        rows = _rows()
        for scope in (*scopes, HOSPITAL):
            if (self.key, scope.kind, scope.id) in rows:
                found = rows[self.key, scope.kind, scope.id]
                assert isinstance(found, type(self.default))
                return found
        return self.default

    @property
    def area(self) -> str:
        """The area that declares it: what stands before the dot."""
        return self.key.partition(".")[0]

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


def setting(key: str) -> AnySetting | None:
    """The setting of a key, None when nobody declares it."""
    return _registry.get(key)


def set_value(
    *,
    setting: AnySetting,
    value: object,
    by: Actor,
    at: dt.datetime,
    scope: Scope = HOSPITAL,
    valid_from: dt.datetime | None = None,
    reason: str = "",
    seen: int | None = None,
) -> ConfigurationRow:
    """Put a value in force for a scope from `valid_from` (UTC) on, or at once.

    The value None takes the scope's override back. `seen` is the id of the scope's latest row as
    the page showed it (0 when there was none): somebody who changed it since raises Stale. Raises
    Invalid for a value out of range, a scope the setting does not know, a moment in the past.
    """
    _check(setting, value, scope=scope, valid_from=valid_from or at, at=at)
    with transaction.atomic():
        _lock(setting)
        rows = ConfigurationRow.objects.filter(
            key=setting.key, scope_kind=scope.kind, scope_id=scope.id
        )
        latest = rows.order_by("-pk").first()
        if seen is not None and seen != (latest.pk if latest else 0):
            raise Stale("这个参数刚刚被别人改过，请看过现在的值再决定。")
        if rows.filter(valid_from=valid_from or at).exists():
            raise Invalid({"valid_from": ["这个时间已经安排了一个值，请换一个时间。"]})
        in_force = rows.filter(valid_from__lte=at).order_by("-valid_from").first()
        row = ConfigurationRow.objects.create(
            key=setting.key,
            scope_kind=scope.kind,
            scope_id=scope.id,
            value=Literally(None, JSONField()) if value is None else value,
            valid_from=valid_from or at,
            set_by=str(by),
            set_at=at,
            reason=reason,
        )
        audit.record(
            act="kernel.set_configuration",
            subject=row,
            by=by,
            at=at,
            before={setting.key: in_force.value if in_force else setting.default},
            after={setting.key: value, **({} if scope == HOSPITAL else {"scope": str(scope)})},
            reason=reason,
        )
    row.value = value
    forget()
    return row


@dataclass(frozen=True)
class Standing:
    """How one scope of a setting stands: the row in force, None for the default, and what is
    planned after it, in order. `latest_id` is what a change hands back as `seen`."""

    scope: Scope
    row: ConfigurationRow | None
    planned: tuple[ConfigurationRow, ...]
    latest_id: int


def standings(*, at: dt.datetime, key: str = "") -> dict[str, list[Standing]]:
    """By key, of all settings or of one: the hospital's standing first, then every scope that has
    a row of its own (UTC `at`)."""
    rows = ConfigurationRow.objects.order_by("valid_from")
    by_key: dict[str, dict[Scope, list[ConfigurationRow]]] = {
        known: {HOSPITAL: []} for known in _registry if key in {"", known}
    }
    for row in rows.filter(key=key) if key else rows:
        scopes = by_key.get(row.key, {})  # a setting the product no longer has keeps its history
        scopes.setdefault(Scope(row.scope_kind, row.scope_id), []).append(row)
    return {
        known: [_standing(scope, found, at=at) for scope, found in scopes.items()]
        for known, scopes in by_key.items()
    }


def _standing(scope: Scope, rows: list[ConfigurationRow], *, at: dt.datetime) -> Standing:
    begun = [row for row in rows if row.valid_from <= at]
    return Standing(
        scope=scope,
        row=begun[-1] if begun and begun[-1].value is not None else None,
        planned=tuple(rows[len(begun) :]),
        latest_id=max((row.pk for row in rows), default=0),
    )


def history(*, setting: AnySetting) -> list[ConfigurationRow]:
    """Every row of a setting, the newest first: what stood, what stands, what is planned."""
    return list(ConfigurationRow.objects.filter(key=setting.key).order_by("-pk"))


def forget() -> None:
    """Drop this process's cached values; other processes see a change within a second."""
    global _cache
    _cache = (-1.0, {})


def _rows() -> Rows:
    global _cache
    read_at, rows = _cache
    if time.monotonic() - read_at < CACHE_SECONDS and read_at >= 0:
        return rows
    begun = ConfigurationRow.objects.filter(valid_from__lte=clock.now()).order_by("valid_from")
    latest = {(row.key, row.scope_kind, row.scope_id): row.value for row in begun}
    rows = {place: value for place, value in latest.items() if value is not None}
    _cache = (time.monotonic(), rows)
    return rows


def _check(
    setting: AnySetting, value: object, *, scope: Scope, valid_from: dt.datetime, at: dt.datetime
) -> None:
    if value is not None:
        setting.check(value)
    if scope != HOSPITAL and scope.kind not in setting.scopes:
        raise Invalid({"scope": [f"“{setting.label}”不能按这个范围单独设置。"]})
    if valid_from < at:
        raise Invalid({"valid_from": ["生效时间不能早于现在。"]})


def _lock(setting: AnySetting) -> None:
    """Two who change the same setting go one after the other; the second sees the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))", [setting.key])
