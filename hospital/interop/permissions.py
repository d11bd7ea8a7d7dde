"""Who looks after outside platforms: partners, their keys and quotas, what they called."""

from __future__ import annotations

from hospital.kernel.permissions import Permission

MANAGE_PARTNERS = Permission(
    code="interop.manage_partners", label="外部平台接入", roles=("system_admin",)
)
