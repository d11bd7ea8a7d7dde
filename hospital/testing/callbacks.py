"""What WeChat posts to the account's callback, signed and sealed as it would be."""

from __future__ import annotations

import datetime as dt
import itertools
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from hospital.kernel import clock
from hospital.wechat import sealing
from hospital.wechat.config import WeChatConfig
from hospital.wechat.xml import write_xml

ADDRESS = "/callback/wechat/account"
_numbers = itertools.count(24_000_000_000_000_000)


def message(openid: str, *, at: dt.datetime | None = None, **fields: str) -> bytes:
    """The document of a text message, or of whatever `fields` make it."""
    said = {"MsgType": "text", "MsgId": str(next(_numbers))} | fields
    return write_xml(_head(openid, at) | said)


def event(openid: str, name: str, *, at: dt.datetime | None = None, **fields: str) -> bytes:
    """The document of an event."""
    return write_xml(_head(openid, at) | {"MsgType": "event", "Event": name} | fields)


def nested(document: bytes, inner: str) -> bytes:
    """The document with more markup at its end, as the events about consents have."""
    return document.replace(b"</xml>", f"{inner}</xml>".encode())


def signed(
    document: bytes, *, at: dt.datetime | None = None, nonce: str = "n", appid: str = ""
) -> tuple[dict[str, str], bytes]:
    """Query and body in safe mode; `appid` is the one sealed inside."""
    connected = settings.WECHAT
    assert isinstance(connected, WeChatConfig)
    stamp = str(int((at or clock.now()).timestamp()))
    key = sealing.aes_key(connected.aes_key)
    sealed = sealing.seal(document, key=key, appid=appid or connected.appid)
    query = {
        "signature": sealing.signature(connected.token, stamp, nonce),
        "timestamp": stamp,
        "nonce": nonce,
        "encrypt_type": "aes",
        "msg_signature": sealing.signature(connected.token, stamp, nonce, sealed),
    }
    return query, write_xml({"ToUserName": "gh_0123456789ab", "Encrypt": sealed})


def post(client: Client, query: dict[str, str], body: bytes, **headers: str) -> HttpResponse:
    """Hand it to our own callback, in the test's transaction."""
    answer = client.post(
        f"{ADDRESS}?{urlencode(query)}", data=body, content_type="text/xml", headers=headers
    )
    assert isinstance(answer, HttpResponse)
    return answer


def deliver(client: Client, document: bytes, *, times: int = 1) -> None:
    """WeChat posts a document so many times, newly signed each time; each answer ends it."""
    for _ in range(times):
        answer = post(client, *signed(document))
        assert (answer.status_code, answer.content) == (200, b"")


def _head(openid: str, at: dt.datetime | None) -> dict[str, str]:
    return {
        "ToUserName": "gh_0123456789ab",
        "FromUserName": openid,
        "CreateTime": str(int((at or clock.now()).timestamp())),
    }
