"""What people did to a session and its numbers, in one Chinese sentence an audit entry. Pure."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from hospital.kernel import acts, clock
from hospital.kernel.models import AuditEntry
from hospital.scheduling.states import Pool


def sentence(
    entry: AuditEntry, *, bands: Mapping[int, dt.datetime], rooms: Mapping[int, str]
) -> str:
    """The change in words; `bands` are the starts (UTC) of the session's bands, by id."""
    verb = entry.act.partition(".")[2]
    before, after = entry.before, entry.after
    band = _band(after.get("band"), bands)
    if verb == "change_capacity":
        return f"{band}号数 {before['capacity']} → {after['capacity']}"
    if verb == "move_band_end":
        return f"{band}结束 {_time(before['ends_at'])} → {_time(after['ends_at'])}"
    if verb == "change_room":
        return f"诊室 {_room(before, rooms)} → {_room(after, rooms)}"
    if verb == "share_numbers":
        return f"未约号源 {_shares(before)} → {_shares(after)}"
    if verb == "add_slot":
        return f"加号 {after['number']}（{band.strip()}）"
    if verb in {"block_numbers", "unblock_numbers"}:
        numbers = after.get("numbers", [])
        shown = "、".join(str(number) for number in numbers) or "没有"
        return f"{acts.label(entry.act)} {shown}（{len(numbers)} 个）"
    return acts.label(entry.act)


def _band(band_id: object, bands: Mapping[int, dt.datetime]) -> str:
    starts_at = bands.get(band_id) if isinstance(band_id, int) else None
    return f"{clock.local(starts_at):%H:%M} 时段 " if starts_at else ""


def _time(text: object) -> str:
    return f"{clock.local(dt.datetime.fromisoformat(str(text))):%H:%M}"


def _room(values: Mapping[str, Any], rooms: Mapping[int, str]) -> str:
    return rooms.get(values["room"], "已停用的诊室")


def _shares(values: Mapping[str, Any]) -> str:
    found = [f"{Pool(pool).label} {count}" for pool, count in values.items() if count]
    return "、".join(found) or "没有"
