"""Customer-service messages: free text within the window a person's own act opened."""

from __future__ import annotations

from typing import Any

from wechat_sandbox import conversation, messages, windows
from wechat_sandbox.official import ApiCall, Failed, known_user, require_token, route
from wechat_sandbox.sandbox import Sandbox

TEXT_BYTES = 2048
MEDIA = ("image", "voice", "video", "mpnews", "mpvideo", "wxcard")


def send(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """POST /cgi-bin/message/custom/send"""
    require_token(sandbox, call)
    user = known_user(sandbox, str(call.body.get("touser", "")))
    kind = str(call.body.get("msgtype", ""))
    content = call.body.get(kind)
    text, items = _content(kind, content if isinstance(content, dict) else {})
    window, now = windows.find(sandbox, user.openid), sandbox.clock.now()
    if not user.subscribed or window is None or window.until <= now:
        raise Failed(45015, "response out of time limit or subscription is canceled")
    if window.messages_left <= 0:
        raise Failed(45047, "out of response count limit")
    messages.check_reach(sandbox, call, user, follows=False)
    with sandbox.store.write():
        windows.used(sandbox, user.openid)
        conversation.answered(sandbox, user.openid, kind, text, items, source="customer")
    return {"errcode": 0, "errmsg": "ok"}


def _content(kind: str, content: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    if kind in MEDIA:
        raise Failed(40007, "invalid media_id")
    if kind == "text":
        return _text(content.get("content")), []
    if kind == "news":
        return _article(content.get("articles"))
    if kind == "msgmenu":
        return str(content.get("head_content", "")), list(content.get("list") or [])
    if kind == "miniprogrampage":
        return str(content.get("title", "")), [content]
    raise Failed(40008, "invalid message type")


def _article(listed: object) -> tuple[str, list[dict[str, Any]]]:
    if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], dict):
        raise Failed(45008, "article size out of limit")
    return str(listed[0].get("title", "")), listed


def _text(said: object) -> str:
    if not isinstance(said, str) or not said:
        raise Failed(44004, "empty content")
    if len(said.encode()) > TEXT_BYTES:
        raise Failed(45002, "content size out of limit")
    return said


routes = [route("/cgi-bin/message/custom/send", send, method="POST")]
