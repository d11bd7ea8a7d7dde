"""Template messages: what the Official Account sends and what the phone shows of it.

Value limits are WeChat's typed keys (`thing1`, `amount2`, ...); beyond them the answer is 47003.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from wechat_sandbox.faults import Point
from wechat_sandbox.official import ApiCall, Failed, known_user, require_token, route
from wechat_sandbox.records import Message
from wechat_sandbox.sandbox import Sandbox

REMEMBERED_S = 600
# What a typed key may hold, as whole-value patterns.
TYPES = {
    "thing": r".{1,20}",
    "character_string": r"[\x21-\x7e]{1,32}",
    "number": r"\d{1,32}(\.\d+)?",
    "letter": r"[A-Za-z]{1,32}",
    "symbol": r"[^\w\s]{1,5}",
    "name": r"[A-Za-z .·]{1,20}|[^A-Za-z]{1,10}|.{1,10}",
    "phrase": r"[\u3400-\u9fff]{1,5}",
    "phone_number": r"[\d+\-*]{1,17}",
    "car_number": r".{1,8}",
    "amount": r"[¥￥$€]?\d{1,10}(,\d{3})*(\.\d{1,2})?元?",
    "time": r"(\d{4}年\d{1,2}月\d{1,2}日 ?)?\d{1,2}:\d{2}(:\d{2})?"
    r"|\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{2}(:\d{2})?|\d{4}年\d{1,2}月\d{1,2}日",
    "date": r"\d{4}(年|-|/)\d{1,2}(月|-|/)\d{1,2}日?( \d{1,2}:\d{2}(:\d{2})?)?",
    "const": r".{1,20}",
}
_KEY = re.compile(r"([a-z_]+?)(\d+)")


@dataclass(frozen=True)
class Line:
    """One row of a message card."""

    label: str
    value: str


@dataclass(frozen=True)
class Card:
    """A message as the phone shows it; `url` opens on tap, may be empty."""

    msgid: int
    title: str
    lines: list[Line]
    url: str
    at: float


def send_template(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """POST /cgi-bin/message/template/send"""
    require_token(sandbox, call)
    body = call.body
    user = known_user(sandbox, str(body.get("touser", "")))
    template_id, data = str(body.get("template_id", "")), body.get("data")
    _check_template(sandbox, template_id, data)
    repeated = _sent_before(sandbox, user.openid, str(body.get("client_msg_id", "")))
    if repeated is not None:
        return _accepted(repeated.msgid)
    if not user.subscribed:
        raise Failed(43004, "require subscribe")
    if user.blocked or sandbox.faults.strikes(Point.MESSAGE, call.subject):
        raise Failed(43019, "require remove blacklist")
    msgid = sandbox.store.insert(
        "messages",
        openid=user.openid,
        template_id=template_id,
        url=str(body.get("url") or ""),
        miniprogram=json.dumps(body.get("miniprogram") or {}, ensure_ascii=False),
        data=json.dumps(data, ensure_ascii=False),
        client_msg_id=str(body.get("client_msg_id", "")),
        at=sandbox.clock.now(),
    )
    sandbox.hub.publish(user.openid, "message", str(msgid))
    return _accepted(msgid)


def received(sandbox: Sandbox, openid: str) -> list[Card]:
    """What this person's phone got, oldest first."""
    found = sandbox.store.all(
        Message, "SELECT * FROM messages WHERE openid = ? ORDER BY msgid", openid
    )
    return [_card(sandbox, message) for message in found]


def _accepted(msgid: int) -> dict[str, Any]:
    return {"errcode": 0, "errmsg": "ok", "msgid": 3_000_000_000_000_000_000 + msgid}


def _check_template(sandbox: Sandbox, template_id: str, data: object) -> None:
    known = sandbox.settings.templates
    if not template_id or (known is not None and template_id not in known):
        raise Failed(40037, "invalid template_id")
    if not isinstance(data, dict) or not data:
        raise Failed(47003, "argument invalid! data is empty")
    for key, entry in data.items():
        value = entry.get("value") if isinstance(entry, dict) else None
        _check_value(key, value)
    if known is not None:
        odd = data.keys() ^ known[template_id].keys.keys()
        if odd:
            raise Failed(47003, f"argument invalid! data.{sorted(odd)[0]} is invalid")


def _check_value(key: str, value: object) -> None:
    """Old templates have free keys; the typed ones have their limits."""
    if not isinstance(value, str) or value == "" or "\n" in value:
        raise Failed(47003, f"argument invalid! data.{key}.value invalid")
    typed = _KEY.fullmatch(key)
    pattern = TYPES.get(typed[1]) if typed else None
    if pattern is not None and not re.fullmatch(pattern, value):
        raise Failed(47003, f"argument invalid! data.{key}.value invalid")


def _sent_before(sandbox: Sandbox, openid: str, client_msg_id: str) -> Message | None:
    if not client_msg_id:
        return None
    return sandbox.store.one(
        Message,
        "SELECT * FROM messages WHERE openid = ? AND client_msg_id = ? AND at > ?",
        openid,
        client_msg_id,
        sandbox.clock.now() - REMEMBERED_S,
    )


def _card(sandbox: Sandbox, message: Message) -> Card:
    template = (sandbox.settings.templates or {}).get(message.template_id)
    labels = {} if template is None else template.keys
    data: dict[str, Any] = json.loads(message.data)
    return Card(
        msgid=message.msgid,
        title="服务通知" if template is None else template.title,
        lines=[Line(labels.get(key, key), str(entry["value"])) for key, entry in data.items()],
        url=message.url,
        at=message.at,
    )


routes = [route("/cgi-bin/message/template/send", send_template, method="POST")]
