"""What can be appealed against, and until when (M1.10)."""

import datetime as dt

from hospital.registration import thresholds
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus


def happened_at(row: Appointment) -> dt.datetime | None:
    """When the no-show or the late cancellation was; None when there is neither."""
    if row.status == AppointmentStatus.NOSHOW:
        return row.schedule.ends_at
    return row.cancelled_at if row.is_late_cancel else None


def why_not(row: Appointment, *, at: dt.datetime) -> str:
    """Why one cannot (any more) appeal, in words; "" when one can."""
    moment = happened_at(row)
    if moment is None:
        return "这个预约没有爽约或当日退号的记录，不用申诉。"
    days = thresholds.APPEAL_DAYS.value()
    if at >= moment + dt.timedelta(days=days):
        return f"已超过 {days} 天的申诉时间，如有疑问请到门诊办公室。"
    return ""
