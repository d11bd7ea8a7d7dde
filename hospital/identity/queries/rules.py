"""Reads of the rules from which networks a role may be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q

from hospital.identity.models import NetworkRule, RoleAssignment
from hospital.kernel import clock

if TYPE_CHECKING:
    from django.db.models import QuerySet

_MOST_ROWS: Final = 200


def network_rules() -> dict[str, NetworkRule]:
    """The rule in force of every role that ever had one."""
    rows = NetworkRule.objects.order_by("role", "-pk").distinct("role")
    return {row.role: row for row in rows}


def network_history(*, role: str) -> list[NetworkRule]:
    """Every rule of a role, the newest first."""
    return list(NetworkRule.objects.filter(role=role).order_by("-pk")[:_MOST_ROWS])


def rules_of(account: Any) -> QuerySet[NetworkRule]:
    """The rules in force for an account's roles of today; `account` is its id, or refers to it."""
    day = clock.today()
    held = RoleAssignment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=day), account=account, valid_from__lte=day
    )
    rows = NetworkRule.objects.filter(role__in=held.values("role"))
    return rows.order_by("role", "-pk").distinct("role")
