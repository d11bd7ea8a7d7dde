"""Reads of staff accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hospital.identity.models import StaffAccount

if TYPE_CHECKING:
    from collections.abc import Iterable


def staff_account(*, username: str) -> StaffAccount | None:
    """Return the account of a user name (case does not matter), None when there is none."""
    return StaffAccount.objects.filter(username=username.strip().lower()).first()


def staff_names(*, account_ids: Iterable[int]) -> dict[int, str]:
    """Return display names by account id, for pages that show who did something."""
    rows = StaffAccount.objects.filter(pk__in=list(account_ids))
    return dict(rows.values_list("pk", "display_name"))
