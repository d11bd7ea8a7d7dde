"""The clients of the account this hospital is connected to (settings.WECHAT), one per process.

Areas ask here; nobody else builds a client. A hospital without a WeChat account refuses politely.
"""

import threading

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
    return _clients(config())[0]


def official_account() -> OfficialAccount:
    """Raises WeChatNotConnected."""
    return _clients(config())[1]


def notices() -> NoticeReader:
    """Raises WeChatNotConnected."""
    return NoticeReader(key_of=pay().keyring.key_of, apiv3_key=config().apiv3_key)


def disconnect() -> None:
    """Close every connection of this process; the next call opens new ones."""
    with _lock:
        for pay_client, account in _known.values():
            pay_client.close_connections()
            account.close_connections()
        _known.clear()


_lock = threading.Lock()
_known: dict[WeChatConfig, tuple[Pay, OfficialAccount]] = {}


def _clients(connected: WeChatConfig) -> tuple[Pay, OfficialAccount]:
    with _lock:
        if connected not in _known:
            _known[connected] = Pay(connected), OfficialAccount(connected)
        return _known[connected]
