"""What a patient is told right after an act."""

from hospital.registration.queries import AppointmentRow
from hospital.registration.states import AppointmentStatus


def given_back(row: AppointmentRow) -> str:
    """After giving a number back; `row` is the booking as it was before."""
    if row.status == AppointmentStatus.PENDING:
        return "已取消预约。"
    return "，".join(part for part in ("已退号", str(row.way_back.label)) if part) + "。"
