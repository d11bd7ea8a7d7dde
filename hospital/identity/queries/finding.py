"""Finding accounts by what somebody typed, and where they work, also those that left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from django.db.models import Q

from hospital.identity.models import RoleAssignment, StaffAccount

_AT_MOST: Final = 50


def account_ids(text: str) -> list[int]:
    """Ids of accounts whose name or user name holds the text, at most fifty."""
    wanted = Q(display_name__icontains=text) | Q(username__icontains=text.lower())
    rows = StaffAccount.objects.filter(wanted).order_by("-is_active", "username")
    return list(rows.values_list("pk", flat=True)[:_AT_MOST])


def workplaces(*, account_ids: Iterable[int], on: dt.date) -> dict[int, str]:
    """Names of the departments accounts were assigned to on a hospital day, by account.

    For people outside who may know where somebody works, not who it is; accounts whose roles are
    for the whole hospital are left out.
    """
    in_force = Q(valid_from__lte=on) & (Q(valid_to__isnull=True) | Q(valid_to__gt=on))
    rows = RoleAssignment.objects.filter(
        in_force, account_id__in=set(account_ids), department__isnull=False
    )
    found: dict[int, list[str]] = {}
    names = rows.order_by("account_id", "department_id").values_list(
        "account_id", "department__name"
    )
    for account_id, name in names.distinct():
        found.setdefault(account_id, []).append(name)
    return {account_id: "、".join(names) for account_id, names in found.items()}
