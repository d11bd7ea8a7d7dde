"""The chat between a person and the account: what was typed, and what came back."""

from __future__ import annotations

import json
from typing import Any

from wechat_sandbox.account_records import ChatLine
from wechat_sandbox.sandbox import Sandbox

HOLDER, ACCOUNT = "holder", "account"
OUT_OF_ORDER = "该公众号提供的服务出现故障，请稍后再试"


def lines(sandbox: Sandbox, openid: str) -> list[ChatLine]:
    """Everything said in this chat, oldest first."""
    return sandbox.store.all(
        ChatLine, "SELECT * FROM chat_lines WHERE openid = ? ORDER BY id", openid
    )


def everything(sandbox: Sandbox) -> list[ChatLine]:
    """All chats, in the order things were said."""
    return sandbox.store.all(ChatLine, "SELECT * FROM chat_lines ORDER BY id")


def typed(sandbox: Sandbox, openid: str, text: str) -> int:
    """The person wrote; the line's id."""
    return _add(sandbox, openid, HOLDER, "text", text, [], "typed")


def answered(
    sandbox: Sandbox,
    openid: str,
    kind: str,
    text: str,
    items: list[dict[str, Any]],
    *,
    source: str,
) -> int:
    """The account said something; `source` is passive or customer."""
    return _add(sandbox, openid, ACCOUNT, kind, text, items, source)


def trouble(sandbox: Sandbox, openid: str) -> int:
    """Nobody answered: what WeChat tells the person then."""
    return _add(sandbox, openid, ACCOUNT, "text", OUT_OF_ORDER, [], "trouble")


def _add(
    sandbox: Sandbox,
    openid: str,
    side: str,
    kind: str,
    text: str,
    items: list[dict[str, Any]],
    source: str,
) -> int:
    row = sandbox.store.insert(
        "chat_lines",
        openid=openid,
        side=side,
        kind=kind,
        text=text,
        items=json.dumps(items, ensure_ascii=False),
        source=source,
        at=sandbox.clock.now(),
    )
    sandbox.hub.publish(openid, "chat", str(row))
    return row
