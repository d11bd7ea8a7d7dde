"""wechatpy, unmodified, aimed at the stand-in.

Its hosts are constants in the library; an adapter mounted on its session sends them here.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from wechatpy import WeChatClient

from hospital.testing.sandbox import SandboxControl

HOSTS = ("https://api.weixin.qq.com", "https://open.weixin.qq.com")


class Elsewhere(HTTPAdapter):
    """Sends a request for Tencent's host to the stand-in."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    def send(self, request: requests.PreparedRequest, *rest: Any, **more: Any) -> Any:
        parts = urlsplit(request.url or "")
        address = f"{self._base}{parts.path}"
        request.url = f"{address}?{parts.query}" if parts.query else address
        return super().send(request, *rest, **more)


def aim(client: Any, base: str) -> Any:
    """Let the library's session speak to the stand-in."""
    for host in HOSTS:
        client._http.mount(host, Elsewhere(base))
    return client


def account_client(control: SandboxControl) -> Any:
    """The client of the Official Account."""
    return aim(WeChatClient(control.facts["appid"], control.facts["secret"]), control.base)


def mini_client(control: SandboxControl) -> Any:
    """The client of the mini program."""
    return aim(WeChatClient(control.facts["mp_appid"], control.facts["mp_secret"]), control.base)
