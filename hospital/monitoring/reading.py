"""What a probe is, and what it finds. Pure: no tables, no clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from hospital.kernel.settings_rows import Setting
from hospital.monitoring.states import Group, ProbeState


@dataclass(frozen=True, slots=True)
class Limits:
    """From which value on it is a warning, and severe: above them, or below for a floor."""

    warn: Setting[int]
    bad: Setting[int]
    is_floor: bool = False

    def judge(self, value: float) -> ProbeState:
        """The state a value means today."""
        if self._is_past(value, self.bad):
            return ProbeState.BAD
        return ProbeState.WARN if self._is_past(value, self.warn) else ProbeState.OK

    def text(self) -> str:
        """The limits in force, for people."""
        word = "低于" if self.is_floor else "达到"
        space = " " if self.warn.unit.isascii() else ""
        warn, bad = (amount(row.value(), row.unit) for row in (self.warn, self.bad))
        return f"{word} {warn}{space}提醒，{bad}{space}严重"

    def _is_past(self, value: float, limit: Setting[int]) -> bool:
        return value < limit.value() if self.is_floor else value >= limit.value()


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe found: a sentence, the value behind it in the probe's unit, and the state,
    which None leaves to the probe's limits (no value: it is well)."""

    text: str
    value: float | None = None
    state: ProbeState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One thing that is watched. `read` gets the moment (UTC) and may raise anything."""

    key: str
    group: Group
    label: str
    read: Callable[[dt.datetime], Finding]
    unit: str = ""
    limits: Limits | None = None

    def judge(self, finding: Finding) -> ProbeState:
        """The state of what was found."""
        if finding.state is not None:
            return finding.state
        if self.limits is None or finding.value is None:
            return ProbeState.OK
        return self.limits.judge(finding.value)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a probe said at one moment."""

    probe: Probe
    state: ProbeState
    text: str
    value: float | None


def lasting(seconds: float) -> str:
    """A stretch of time as people say it: 45 秒, 12 分钟, 3 小时, 2 天."""
    whole = max(0, int(seconds))
    for size, word in ((86400, "天"), (3600, "小时"), (60, "分钟")):
        if whole >= 2 * size or whole == size:
            return f"{whole // size} {word}"
    return f"{whole} 秒"


def amount(value: float, unit: str) -> str:
    """A value with its unit: 12 秒, 1.2%."""
    return f"{value:.10g}%" if unit == "%" else f"{value:.10g} {unit}".strip()


def size(count: float) -> str:
    """Bytes as people say them: 512 MB, 3.2 GB."""
    if count < 1024**3:
        return f"{count / 1024**2:.0f} MB"
    return f"{count / 1024**3:.1f} GB"
