"""The clients of the account this hospital is connected to (settings.WECHAT), one per process.

Areas ask here; nobody else builds a client. A hospital without a WeChat account refuses politely.
"""

import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from django.conf import settings

from hospital.kernel.errors import Refusal
from hospital.wechat.callbacks import CallbackReader
from hospital.wechat.config import WeChatConfig
from hospital.wechat.mini import MiniProgram
from hospital.wechat.notices import NoticeReader
from hospital.wechat.official import OfficialAccount
from hospital.wechat.pay import Pay
from hospital.wechat.scan import ScanPay


class WeChatNotConnected(Refusal):
    """The installation has no WeChat account."""

    code = "WECHAT_NOT_CONNECTED"
    default_message = "医院暂未开通微信服务，请到窗口办理。"


class ScansNotTaken(Refusal):
    """The account has no cashier-scan product, or not all it needs."""

    code = "SCANS_NOT_TAKEN"
    default_message = "医院暂未开通付款码收款，请用其他方式支付。"


def config() -> WeChatConfig:
    """Raises WeChatNotConnected."""
    connected = settings.WECHAT
    if connected is None:
        raise WeChatNotConnected
    assert isinstance(connected, WeChatConfig)
    return connected


def pay() -> Pay:
    """Raises WeChatNotConnected."""
    return _client(Pay)


def official_account() -> OfficialAccount:
    """Raises WeChatNotConnected."""
    return _client(OfficialAccount)


def mini_program() -> MiniProgram:
    """Raises WeChatNotConnected, also when the hospital has no mini program."""
    connected = config()
    if not (connected.mini_appid and connected.mini_secret):
        raise WeChatNotConnected
    return _client(MiniProgram)


def callback_reader() -> CallbackReader:
    """Raises WeChatNotConnected."""
    connected = config()
    return CallbackReader(
        appid=connected.appid,
        token=connected.token,
        aes_key=connected.aes_key,
        mode=connected.message_mode,
    )


def scan() -> ScanPay:
    """Raises WeChatNotConnected, ScansNotTaken."""
    if not config().takes_scans:
        raise ScansNotTaken
    return _client(_make_scan)


def _make_scan(connected: WeChatConfig) -> ScanPay:
    return ScanPay(connected, pay())


def notices() -> NoticeReader:
    """Raises WeChatNotConnected."""
    return NoticeReader(key_of=pay().keyring.key_of, apiv3_key=config().apiv3_key)


def disconnect() -> None:
    """Close every connection of this process; the next call opens new ones."""
    with _lock:
        for client in _known.values():
            client.close_connections()
        _known.clear()


class _Client(Protocol):
    def close_connections(self) -> None: ...


_Made = TypeVar("_Made", bound=_Client)

_lock = threading.RLock()
_known: dict[tuple[WeChatConfig, Callable[[WeChatConfig], _Client]], Any] = {}


def _client(make: Callable[[WeChatConfig], _Made]) -> _Made:
    """The client that `make` makes for the account in use, made once. Raises WeChatNotConnected."""
    connected = config()
    with _lock:
        if (connected, make) not in _known:
            _known[connected, make] = make(connected)
        made: _Made = _known[connected, make]
        return made
