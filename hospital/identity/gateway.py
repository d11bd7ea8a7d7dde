"""The conversation with WeChat about who is standing there: code → openid → WeChatUser.

No transaction is open while WeChat is asked; the answer goes through one action.
"""

from __future__ import annotations

import datetime as dt
import logging
from enum import Enum

from django.conf import settings

from hospital.identity.models import WeChatUser

logger = logging.getLogger(__name__)


class Problem(Enum):
    """Why nobody could be signed in."""

    NOT_CONNECTED = "not_connected"
    UNREACHABLE = "unreachable"
    REJECTED = "rejected"
    SNAPSHOT = "snapshot"


def authorize_url(*, return_url: str, state: str) -> str | None:
    """Return WeChat's log-in address, None when the hospital has no Official Account yet."""
    if settings.WECHAT is None:
        return None
    from hospital.wechat import official

    return official.authorize_url(settings.WECHAT, redirect_uri=return_url, state=state)


def sign_in(*, code: str, at: dt.datetime) -> WeChatUser | Problem:
    """Exchange a code from WeChat for the user it stands for, or say what stood in the way."""
    raise NotImplementedError
