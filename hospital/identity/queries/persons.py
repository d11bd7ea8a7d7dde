"""Which accounts are one person's: four eyes and three administrators are people, not accounts.

Somebody may have two accounts (decision 0037). They are known by the practitioner both belong to,
or by the mobile number both carry.
"""

from __future__ import annotations

import re
from typing import Final

from django.db.models import Q

from hospital.identity.models import StaffAccount

_STAFF: Final = re.compile("staff:([1-9][0-9]{0,17})")


def accounts_of_person(*, account: StaffAccount) -> list[StaffAccount]:
    """The other accounts of whoever an account belongs to, also those switched off."""
    same = Q(pk__in=[])
    if account.practitioner_id is not None:
        same |= Q(practitioner_id=account.practitioner_id)
    if account.phone_index:
        same |= Q(phone_index=account.phone_index)
    return list(StaffAccount.objects.filter(same).exclude(pk=account.pk))


def is_one_person(one: str, other: str) -> bool:
    """Whether two actors ("staff:3", "staff:9") are accounts of one person."""
    ids = [int(found[1]) for text in (one, other) if (found := _STAFF.fullmatch(text))]
    if len(ids) < len((one, other)):
        return False
    if ids[0] == ids[1]:
        return True
    account = StaffAccount.objects.filter(pk=ids[0]).first()
    return account is not None and ids[1] in {row.pk for row in accounts_of_person(account=account)}
