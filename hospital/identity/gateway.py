"""The conversation with WeChat about who is standing there: code → openid → WeChatUser.

No transaction is open while WeChat is asked; the answer goes through one action.
"""

from __future__ import annotations

import datetime as dt
import logging
from enum import Enum
from typing import Final

from hospital.identity import actions
from hospital.identity.models import WeChatUser
from hospital.wechat import clients, official, outcomes

logger = logging.getLogger(__name__)

#: WeChat's numbers for a code that is over, used up or not its own: coming in anew helps.
_CODE_IS_OVER: Final = frozenset({"40029", "40163", "41008", "42003"})


class Problem(Enum):
    """Why nobody could be signed in."""

    NOT_CONNECTED = "not_connected"
    UNREACHABLE = "unreachable"
    REJECTED = "rejected"
    SNAPSHOT = "snapshot"


def authorize_url(*, return_url: str, state: str) -> str | Problem:
    """Return WeChat's log-in address for one state."""
    try:
        account = clients.official_account()
    except clients.WeChatNotConnected:
        return Problem.NOT_CONNECTED
    return account.authorize_url(redirect_uri=return_url, state=state)


def sign_in(*, code: str, at: dt.datetime) -> WeChatUser | Problem:
    """Exchange a code from WeChat for the user it stands for, or say what stood in the way.

    A snapshot visitor's openid is made up, so nobody is signed in with it.
    """
    outcome = clients.official_account().exchange_code(code=code)
    if isinstance(outcome, outcomes.Unknown):
        return Problem.UNREACHABLE
    if isinstance(outcome, outcomes.Refused):
        if outcome.code in _CODE_IS_OVER:
            logger.info("WeChat refused a log-in code", extra={"errcode": outcome.code})
            return Problem.REJECTED
        # The account's own trouble, such as a quota used up or a wrong secret.
        logger.error("WeChat refused a log-in", extra={"errcode": outcome.code})
        return Problem.UNREACHABLE
    if outcome.is_snapshot:
        return Problem.SNAPSHOT
    return _user(outcome, at=at)


def _user(visitor: official.Visitor, *, at: dt.datetime) -> WeChatUser:
    return actions.sign_in_wechat_user(
        appid=clients.config().appid, openid=visitor.openid, unionid=visitor.unionid, at=at
    )
