"""A session of a roster in words, for cells, differences and history."""

from hospital.scheduling.models import RosterEntry
from hospital.scheduling.states import SessionPeriod
from hospital.ui.wording import clock_text, weekday_text

NOBODY = "不指定医生"


def place_text(entry: RosterEntry) -> str:
    """周二上午."""
    return f"{weekday_text(entry.visit_date)}{SessionPeriod(entry.session_period).label}"


def who_text(entry: RosterEntry) -> str:
    return entry.practitioner.name if entry.practitioner else NOBODY


def hours_text(entry: RosterEntry) -> str:
    return f"{clock_text(entry.starts)}–{clock_text(entry.ends)}"


def what_text(entry: RosterEntry) -> str:
    """专家门诊 201诊室 08:00–12:00 限30."""
    parts = (entry.service_type.name, entry.sits_in.name, hours_text(entry), f"限{entry.places}")
    return " ".join(parts)


def line_text(entry: RosterEntry) -> str:
    """周二上午 陈知行 专家门诊 201诊室 08:00–12:00 限30."""
    return f"{place_text(entry)} {who_text(entry)} {what_text(entry)}"
