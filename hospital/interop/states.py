"""What a partner may be allowed to do: SMART scopes of version 2, by resource and verb."""

from __future__ import annotations

from django.db.models import TextChoices


class Scope(TextChoices):
    """One permission of a partner; c, r, u and s are create, read, update and search."""

    SCHEDULES = "system/Schedule.rs", "查看出诊"
    SLOTS = "system/Slot.rs", "查看号源"
    OWN_BOOKINGS = "system/Appointment.rs", "查看本平台的预约"
    BOOK = "system/Appointment.cu", "预约和退号"
