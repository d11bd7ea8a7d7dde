"""From which networks a role may be used (H1.2, X10)."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Final

from django.db import connection, transaction

from hospital.identity import networks, queries
from hospital.identity.models import NetworkRule
from hospital.identity.states import Role
from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, Refusal

#: As much as the column holds.
MOST_TEXT: Final = 500


class LocksYouOut(Refusal):
    """The security administrators' own role would no longer work where this change is made from."""

    code: ClassVar[str] = "LOCKS_YOU_OUT"
    default_message: ClassVar[str] = (
        "这样会把您自己关在外面：安全管理员的网络必须包含您现在使用的这台电脑。"
    )


@transaction.atomic
def set_networks(
    *, role: str, text: str, reason: str, address: str, by: Actor, at: dt.datetime
) -> bool:
    """Let a role be used from these networks only, from now on; "" from everywhere. Say if changed.

    `address` is where the change is made from: whoever changes the security administrators' rule
    stays inside it, so that one of them can always take a mistake back.

    Raises Invalid, LocksYouOut.
    """
    errors = {}
    if role not in queries.role_labels(with_retired=False):
        errors["role"] = ["没有这个角色。"]
    try:
        wanted = networks.written(text)
    except ValueError:
        wanted = ""
        errors["networks"] = ["网络要写成 10.1.2.0/24 或 10.1.2.3 的样子，几个之间用逗号分开。"]
    if len(wanted) > MOST_TEXT:
        errors["networks"] = ["网络太多了，请合并成较大的网段。"]
    if not reason.strip():
        errors["reason"] = ["请填写原因。"]
    if errors:
        raise Invalid(errors)
    if role == Role.SECURITY_ADMIN and wanted and not networks.contains(wanted, address):
        raise LocksYouOut
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"net:{role}"])
    present = queries.network_rules().get(role)
    before = present.networks if present else ""
    if before == wanted:
        return False
    rule = NetworkRule.objects.create(
        role=role, networks=wanted, set_by=str(by), set_at=at, reason=reason.strip()[:200]
    )
    audit.record(
        act="identity.set_networks",
        subject=rule,
        by=by,
        at=at,
        before={"role": role, "networks": before},
        after={"role": role, "networks": wanted},
        reason=reason.strip()[:200],
    )
    return True
