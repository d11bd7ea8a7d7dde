"""Which machines there are, and which one a secret belongs to."""

from __future__ import annotations

from hospital.identity.models import Device
from hospital.kernel.sealed import blind_index


def device_of(*, secret: str) -> Device | None:
    """The machine that keeps this secret, None for whatever is none of ours."""
    if not secret:
        return None
    index = blind_index(secret, "identity.device")
    return Device.objects.filter(secret_index=index, revoked_at__isnull=True).first()


def devices() -> list[Device]:
    """Every machine: those that work first, by name."""
    return sorted(Device.objects.all(), key=lambda row: (row.revoked_at is not None, row.name))


def device_names() -> dict[int, str]:
    """What machines are called, by id."""
    return dict(Device.objects.values_list("pk", "name"))
