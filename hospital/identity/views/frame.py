"""What the pages about access share: tabs."""

from __future__ import annotations

from django.urls import reverse

from hospital.identity.models import StaffAccount

_PERSON = (
    ("identity-person", "资料"),
    ("identity-person-roles", "岗位"),
    ("identity-person-may", "能做什么"),
)
_LOG_INS = (
    ("identity-log-ins", "正在登录"),
    ("identity-locked", "锁定与动态口令"),
    ("identity-networks", "岗位网络"),
    ("identity-devices", "自助机"),
)
_ACCESS = (("identity-requests", "待批准"), ("identity-access", "谁能做什么"))


def person_tabs(account: StaffAccount, here: str, *, may_edit: bool) -> list[dict[str, object]]:
    """The pages about one person; the form of roles is for those who may ask for them."""
    return [
        {"label": label, "url": reverse(name, args=[account.pk]), "active": name == here}
        for name, label in _PERSON
        if may_edit or name != "identity-person-roles"
    ]


def access_tabs(here: str, *, waiting: int) -> list[dict[str, object]]:
    """The pages about everybody's access."""
    return [
        {
            "label": label,
            "url": reverse(name),
            "active": name == here,
            "count": waiting if name == "identity-requests" and waiting else "",
        }
        for name, label in _ACCESS
    ]


def log_in_tabs(here: str) -> list[dict[str, object]]:
    """The security administrator's pages about log-ins."""
    return [
        {"label": label, "url": reverse(name), "active": name == here} for name, label in _LOG_INS
    ]
