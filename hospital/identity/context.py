"""What every template knows about its visitor: large type, theme, and who is logged in.

Large type and theme live on the WeChatUser and, so that public pages and the very first paint
know them too, in a cookie (handbook/front.md 2.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hospital.identity import actions, queries, sessions
from hospital.identity.models import StaffAccount, WeChatUser
from hospital.identity.states import Role, Theme

if TYPE_CHECKING:
    from django.http import HttpRequest  # noqa: TID251  a type only, no HTTP happens here

CARE_COOKIE: Final = "care"
THEME_COOKIE: Final = "theme"


def viewer(request: HttpRequest) -> dict[str, object]:
    """Return `care`, `theme` ("", "light", "dark"), `wechat_user`, `staff`, `staff_roles`.

    Pages of staff also get `lock`, what the lock over a page nobody works at needs (ui/lock.js),
    and `own_topics`, by which they hear on the live channel that their log-in has ended.

    Reads the database only on staff pages, whose roles the access mark has read already.
    """
    actor = getattr(request, "actor", None)
    user: WeChatUser | None = getattr(request, "wechat_user", None)
    care = user.care_mode if user is not None else request.COOKIES.get(CARE_COOKIE) == "1"
    theme = user.theme if user is not None else request.COOKIES.get(THEME_COOKIE, "")
    staff = request.user if actor is not None and actor.kind == "staff" else None
    return {
        "care": care,
        "theme": theme if theme in {Theme.LIGHT, Theme.DARK} else "",
        "wechat_user": user,
        "staff": staff,
        "staff_roles": _roles(staff) if isinstance(staff, StaffAccount) else [],
        **(_lock(request, staff) if isinstance(staff, StaffAccount) else {}),
    }


def _roles(account: StaffAccount) -> list[str]:
    roles = queries.roles_of(account=account)
    labels = queries.role_labels() if set(roles) - set(Role.values) else dict(Role.choices)
    return [labels[role] for role in roles]


def _lock(request: HttpRequest, account: StaffAccount) -> dict[str, object]:
    session_id = sessions.staff_session_id(request.session)
    return {
        "lock": {
            "account": account.pk,
            "name": account.display_name,
            "session": session_id,
            "seconds": sessions.STAFF_IDLE_MINUTES.value() * 60,
        },
        "own_topics": [actions.session_topic(session_id)] if session_id is not None else [],
    }
