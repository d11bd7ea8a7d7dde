"""What messages and shared pages say of a visit: when, where and with whom, as it stands today."""

from hospital.registration.models import Appointment
from hospital.ui.wording import clock_text, day_text, weekday_text


def loaded(appointment_id: int, *more: str) -> Appointment:
    """A booking with all these words need, and `more`."""
    return Appointment.objects.select_related(
        "patient",
        "department",
        "practitioner",
        "slot__band",
        "schedule__service_type",
        "bill",
        *more,
    ).get(pk=appointment_id)


def day_of(row: Appointment) -> str:
    """The day with its weekday."""
    return f"{day_text(row.visit_date)} {weekday_text(row.visit_date)}"


def time_of(row: Appointment) -> str:
    """The day and the band."""
    band = row.slot.band
    return f"{day_of(row)} {clock_text(band.starts_at)}-{clock_text(band.ends_at)}"


def doctor_of(row: Appointment) -> str:
    """Who sits there; a clinic without a doctor by its kind."""
    return row.practitioner.name if row.practitioner else row.schedule.service_type.name


def place_of(row: Appointment) -> str:
    """Where to go."""
    parts = (row.department.location_text, row.schedule.room.name)
    return " ".join(part for part in parts if part)
