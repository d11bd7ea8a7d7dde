"""Permissions of the identity area."""

from __future__ import annotations

from hospital.identity.states import Role
from hospital.kernel.permissions import Permission

#: Every working account has it: pages that only need "somebody of the staff".
SIGNED_IN = Permission(
    code="identity.signed_in", label="登录工作台", roles=tuple(role.value for role in Role)
)
