"""Writes about people who came through WeChat: coming in, following, how pages look, blocking."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q

from hospital.identity.models import WeChatUser
from hospital.identity.states import Theme
from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotAllowed


def sign_in_wechat_user(
    *, appid: str, openid: str, unionid: str = "", at: dt.datetime
) -> WeChatUser:
    """Return the WeChat user of an openid WeChat has vouched for, making it at the first visit."""
    user, is_new = WeChatUser.objects.get_or_create(
        appid=appid, openid=openid, defaults={"unionid": unionid, "created_at": at}
    )
    if unionid and not is_new and user.unionid != unionid:
        user.unionid = unionid
        user.save(update_fields=["unionid"])
    return user


def record_following(
    *, wechat_user_id: int, is_following: bool, changed_at: dt.datetime, by: Actor, at: dt.datetime
) -> bool:
    """Remember that somebody began or ceased to follow the account at `changed_at` (UTC).

    Events overtake each other: an older one than the last known changes nothing. Says whether it
    is the newest. Not audited, it is WeChat's word about the user's own choice.
    """
    is_newer = Q(following_changed_at__isnull=True) | Q(following_changed_at__lte=changed_at)
    rows = WeChatUser.objects.filter(is_newer, pk=wechat_user_id)
    return bool(rows.update(is_following=is_following, following_changed_at=changed_at))


def set_display(
    *,
    wechat_user_id: int,
    by: Actor,
    care_mode: bool | None = None,
    theme: Theme | None = None,
) -> None:
    """Remember how a WeChat user wants pages to look; None leaves a choice as it is.

    Only the user may do so: raises NotAllowed. Not audited, it touches nobody's data.
    """
    changes: dict[str, object] = {}
    if care_mode is not None:
        changes["care_mode"] = care_mode
    if theme is not None:
        changes["theme"] = theme
    if by != Actor("patient", wechat_user_id):
        raise NotAllowed
    WeChatUser.objects.filter(pk=wechat_user_id).update(**changes)


def set_blocked(
    *, wechat_user_id: int, is_blocked: bool, reason: str, by: Actor, at: dt.datetime
) -> None:
    """Stop or resume serving a WeChat user online (audited)."""
    with transaction.atomic():
        user = WeChatUser.objects.select_for_update().get(pk=wechat_user_id)
        before = user.is_blocked
        user.is_blocked = is_blocked
        user.save(update_fields=["is_blocked"])
        audit.record(
            act="identity.set_blocked",
            subject=user,
            by=by,
            at=at,
            before={"is_blocked": before},
            after={"is_blocked": is_blocked},
            reason=reason,
        )
