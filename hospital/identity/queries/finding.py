"""Finding accounts by what somebody typed, also those that left."""

from __future__ import annotations

from typing import Final

from django.db.models import Q

from hospital.identity.models import StaffAccount

_AT_MOST: Final = 50


def account_ids(text: str) -> list[int]:
    """Ids of accounts whose name or user name holds the text, at most fifty."""
    wanted = Q(display_name__icontains=text) | Q(username__icontains=text.lower())
    rows = StaffAccount.objects.filter(wanted).order_by("-is_active", "username")
    return list(rows.values_list("pk", flat=True)[:_AT_MOST])
