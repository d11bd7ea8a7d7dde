"""Where accounts work, for those who are told about an act but not who did it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from hospital.identity.models import RoleAssignment


def department_names(*, account_ids: Iterable[int], on: dt.date) -> dict[int, list[str]]:
    """The departments in which accounts hold a role on a day; accounts of the whole house: none."""
    rows = RoleAssignment.objects.filter(
        account_id__in=set(account_ids), department__isnull=False, valid_from__lte=on
    )
    names: dict[int, list[str]] = {}
    for account_id, name, until in rows.order_by("pk").values_list(
        "account_id", "department__name", "valid_to"
    ):
        if (until is None or until > on) and name not in names.setdefault(account_id, []):
            names[account_id].append(name)
    return names
