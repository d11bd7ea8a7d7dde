"""Which accounts need a department or a practitioner, for whoever wants to switch one off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from hospital.identity.models import RoleAssignment, StaffAccount

if TYPE_CHECKING:
    import datetime as dt


def accounts_narrowed_to(*, department_id: int, on: dt.date) -> list[str]:
    """Return the display names of active accounts with a role in a department on a day or later."""
    held = RoleAssignment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=on),
        department_id=department_id,
        account__is_active=True,
    )
    return sorted(set(held.values_list("account__display_name", flat=True)))


def accounts_of_practitioner(*, practitioner_id: int) -> list[str]:
    """Return the display names of the active accounts that belong to a practitioner."""
    rows = StaffAccount.objects.filter(practitioner_id=practitioner_id, is_active=True)
    return list(rows.order_by("username").values_list("display_name", flat=True))


def account_ids_of_practitioner(*, practitioner_id: int) -> list[int]:
    """Return the ids of the active accounts of a practitioner, to tell them something."""
    rows = StaffAccount.objects.filter(practitioner_id=practitioner_id, is_active=True)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def holders_of_role(*, role: str, on: dt.date) -> list[StaffAccount]:
    """Return the active accounts that have a role on a day or later, by name."""
    held = RoleAssignment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=on), role=role, account__is_active=True
    )
    people = StaffAccount.objects.filter(pk__in=held.values("account_id"))
    return list(people.order_by("pinyin", "username"))
