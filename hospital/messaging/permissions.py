"""Who may decide what the account shows and answers."""

from __future__ import annotations

from hospital.kernel.permissions import Permission

MANAGE_ACCOUNT = Permission(
    code="messaging.manage_account",
    label="公众号菜单与自动回复",
    roles=("system_admin",),
)
