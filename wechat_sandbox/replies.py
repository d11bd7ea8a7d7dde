"""The merchant server's passive reply: what stands in the answer to a callback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from wechat_sandbox import inbound, sealing, xml
from wechat_sandbox.account_records import Inbound
from wechat_sandbox.sandbox import Sandbox

SAFE, PLAIN = "aes", "plain"
NOTHING = (b"", b"success")
TEXT_BYTES = 2048
MOST_ARTICLES = 8
MEDIA = {"image": "Image", "voice": "Voice", "video": "Video", "music": "Music"}


class Unusable(Exception):
    """WeChat would tell the person that the service is out of order; the message says why."""


@dataclass(frozen=True)
class Reply:
    """What the chat shows; `items` are the articles of `news`."""

    kind: str
    text: str
    items: list[dict[str, Any]]


def read(sandbox: Sandbox, message: Inbound, answer: bytes, mode: str) -> Reply | None:
    """The reply, None for silence; raises Unusable."""
    if answer.strip() in NOTHING:
        return None
    try:
        root = xml.read(answer)
        if xml.text(root, "Encrypt"):
            root = xml.read(_opened(sandbox, root, mode))
        elif mode == SAFE:
            raise Unusable("not sealed, in safe mode")
    except xml.BadXml as bad:
        raise Unusable(str(bad)) from bad
    if xml.text(root, "ToUserName") != message.openid:
        raise Unusable("ToUserName is not the person")
    if xml.text(root, "FromUserName") != inbound.account_name(sandbox):
        raise Unusable("FromUserName is not the account")
    if not xml.text(root, "CreateTime").isdecimal():
        raise Unusable("CreateTime is no number")
    return _content(root)


def _opened(sandbox: Sandbox, root: Element, mode: str) -> bytes:
    if mode == PLAIN:
        raise Unusable("sealed, in plain mode")
    sealed = xml.text(root, "Encrypt")
    expected = sealing.signature(
        sandbox.keys.token, xml.text(root, "TimeStamp"), xml.text(root, "Nonce"), sealed
    )
    if xml.text(root, "MsgSignature") != expected:
        raise Unusable("wrong MsgSignature")
    try:
        message, appid = sealing.unseal(sandbox.keys.aes_key, sealed)
    except sealing.BadSeal as bad:
        raise Unusable(f"cannot be opened: {bad}") from bad
    if appid != sandbox.keys.appid:
        raise Unusable("sealed for another appid")
    return message


def _content(root: Element) -> Reply | None:
    kind = xml.text(root, "MsgType")
    if kind == "transfer_customer_service":
        return None
    if kind == "text":
        said = root.findtext("Content") or ""
        if not said or len(said.encode()) > TEXT_BYTES:
            raise Unusable(f"Content is empty or longer than {TEXT_BYTES} bytes")
        return Reply(kind, said, [])
    if kind == "news":
        return _news(root)
    if kind in MEDIA:
        named = root.find(MEDIA[kind])
        if named is None:
            raise Unusable(f"{MEDIA[kind]} is missing")
        return Reply(kind, xml.text(named, "Title") or f"[{kind}]", [])
    raise Unusable(f"MsgType {kind!r} is not known")


def _news(root: Element) -> Reply:
    articles = [
        {
            "title": xml.text(item, "Title"),
            "description": xml.text(item, "Description"),
            "picurl": xml.text(item, "PicUrl"),
            "url": xml.text(item, "Url"),
        }
        for item in root.findall("Articles/item")
    ]
    if not 0 < len(articles) <= MOST_ARTICLES:
        raise Unusable(f"news needs 1 to {MOST_ARTICLES} articles")
    return Reply("news", articles[0]["title"], list(articles))
