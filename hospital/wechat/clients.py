"""The clients of the account this hospital is connected to (settings.WECHAT), one per process.

Areas ask here; nobody else builds a client. A hospital without a WeChat account refuses politely.
"""

import functools

from django.conf import settings

from hospital.kernel.errors import Refusal
from hospital.wechat.config import WeChatConfig
from hospital.wechat.notices import NoticeReader
from hospital.wechat.official import OfficialAccount
from hospital.wechat.pay import Pay


class WeChatNotConnected(Refusal):
    """The installation has no WeChat account."""

    code = "WECHAT_NOT_CONNECTED"
    default_message = "医院暂未开通微信服务，请到窗口办理。"


def config() -> WeChatConfig:
    """Raises WeChatNotConnected."""
    connected = settings.WECHAT
    if connected is None:
        raise WeChatNotConnected
    assert isinstance(connected, WeChatConfig)
    return connected


def pay() -> Pay:
    """Raises WeChatNotConnected."""
    return _pay(config())


def official_account() -> OfficialAccount:
    """Raises WeChatNotConnected."""
    return _official_account(config())


def notices() -> NoticeReader:
    """Raises WeChatNotConnected."""
    return NoticeReader(key_of=pay().keyring.key_of, apiv3_key=config().apiv3_key)


# A handful of configurations at most: one in production, one per sandbox in tests.
@functools.lru_cache(maxsize=8)
def _pay(connected: WeChatConfig) -> Pay:
    return Pay(connected)


@functools.lru_cache(maxsize=8)
def _official_account(connected: WeChatConfig) -> OfficialAccount:
    return OfficialAccount(connected)
