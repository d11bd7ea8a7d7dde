"""Untrusted input of the identity pages as typed values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hospital.identity.states import Theme
from hospital.kernel.errors import Invalid

if TYPE_CHECKING:
    from django.http import QueryDict  # noqa: TID251  a type only

_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Login:
    """What the staff log-in page sends."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Display:
    """How a patient wants pages to look; None = not asked for in this request."""

    care_mode: bool | None
    theme: Theme | None


def login(data: QueryDict) -> Login:
    """Read the log-in form. Raises Invalid."""
    username = data.get("username", "").strip()
    password = data.get("password", "")
    errors: dict[str, list[str]] = {}
    if not username:
        errors["username"] = ["请输入用户名。"]
    if not password:
        errors["password"] = ["请输入密码。"]
    if len(username) > _LONGEST or len(password) > _LONGEST:
        errors["username"] = ["用户名或密码太长。"]
    if errors:
        raise Invalid(errors)
    return Login(username=username, password=password)


def display(data: QueryDict) -> Display:
    """Read the switch for large type ("on", "off") and theme. Raises Invalid."""
    care, theme = data.get("care"), data.get("theme")
    if care not in {None, "on", "off"} or (theme is not None and theme not in Theme.values):
        raise Invalid({"": ["没有这种显示方式。"]})
    return Display(
        care_mode=None if care is None else care == "on",
        theme=None if theme is None else Theme(theme),
    )
