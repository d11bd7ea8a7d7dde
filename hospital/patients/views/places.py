"""The tabs of the card desk."""

from __future__ import annotations

from typing import Final

from django.urls import reverse

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest
from hospital.patients.permissions import EDIT_PATIENT, FIND_PATIENT

_PLACES: Final = (
    ("patients-desk", "查找", FIND_PATIENT),
    ("patients-new", "新患者", EDIT_PATIENT),
    ("patients-newborn", "新生儿", EDIT_PATIENT),
    ("patients-unidentified", "身份不明", EDIT_PATIENT),
    ("patients-upgrades", "待补实名", FIND_PATIENT),
)


def tabs(request: StaffRequest, here: str) -> list[dict[str, object]]:
    """Return the places of the card desk that the account may open."""
    return [
        {"label": label, "url": reverse(name), "active": name == here, "count": ""}
        for name, label, permission in _PLACES
        if identity.may(request.user, permission)
    ]
