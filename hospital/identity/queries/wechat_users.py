"""Reads of WeChat users."""

from __future__ import annotations

from hospital.identity.models import WeChatUser
from hospital.kernel.errors import NotFound

# Written out: every page of a patient begins with it, and building it anew costs more than asking.
_BY_ID = "SELECT * FROM identity_wechatuser WHERE id = %s"


def wechat_user(*, user_id: int) -> WeChatUser | None:
    """Return one WeChat user, None when there is none."""
    return next(iter(WeChatUser.objects.raw(_BY_ID, [user_id])), None)


def lock_wechat_user(*, user_id: int) -> WeChatUser:
    """Return one WeChat user, locked to the end of the caller's transaction. Raises NotFound.

    The lock under which everything counted per user is counted: patients, unpaid holds.
    """
    user = WeChatUser.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if user is None:
        raise NotFound
    return user
