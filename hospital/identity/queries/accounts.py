"""Reads of staff accounts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hospital.identity.models import StaffAccount
from hospital.kernel.actors import Actor

if TYPE_CHECKING:
    from collections.abc import Iterable

_STAFF: Final = re.compile("staff:([1-9][0-9]{0,17})")


def staff_account(*, username: str) -> StaffAccount | None:
    """Return the account of a user name (case does not matter), None when there is none."""
    return StaffAccount.objects.filter(username=username.strip().lower()).first()


def staff_names(*, actors: Iterable[str]) -> dict[str, str]:
    """Return "staff:3" → the display name, for pages that show who did something.

    One query for them all. Whoever is not staff or has no account is left out: what stands there
    instead is the page's word.
    """
    ids = [int(found[1]) for text in set(actors) if (found := _STAFF.fullmatch(text))]
    rows = StaffAccount.objects.filter(pk__in=ids).values_list("pk", "display_name")
    return {str(Actor("staff", pk)): name for pk, name in rows}
