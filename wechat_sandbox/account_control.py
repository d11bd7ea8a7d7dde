"""The levers of the account's side: what people do, how callbacks are sent, what was said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from wechat_sandbox import (
    acts,
    callbacks,
    consents,
    conversation,
    inbound,
    messages,
    mini,
    people,
    qr_codes,
    sms,
    templates,
)
from wechat_sandbox.account_records import Inbound, QrCode
from wechat_sandbox.control import Misused, lever
from wechat_sandbox.records import User
from wechat_sandbox.sandbox import Sandbox, sandbox_of

Act = Callable[[Sandbox, User, dict[str, Any]], int | None]


def act(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """A person does something: `{openid, type, …}`; types and their fields are those of ACTS."""
    kind = str(said["type"])
    if kind not in ACTS:
        raise Misused(400, f"type must be one of {', '.join(sorted(ACTS))}")
    try:
        row = ACTS[kind](sandbox, _person(sandbox, said), said)
    except acts.NotPossible as impossible:
        raise Misused(409, str(impossible)) from impossible
    if row is None:
        return {"queued": False, "id": None, "msg_id": None}
    queued = sandbox.store.one(Inbound, "SELECT * FROM inbound WHERE id = ?", row)
    return {"queued": True, "id": row, "msg_id": queued.msg_id if queued else None}


def set_callback_mode(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """The console's message mode: `plain`, `compatible` or `aes` (also called `safe`)."""
    wanted = {"safe": callbacks.SAFE}.get(str(said["mode"]), str(said["mode"]))
    if wanted not in callbacks.MODES:
        raise Misused(400, f"mode must be one of {', '.join(callbacks.MODES)}")
    sandbox.store.set_meta("callback_mode", wanted)
    return {"mode": wanted}


def set_callback_url(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """Where callbacks go: `{url, patience_s?}`; an empty url switches them off."""
    sandbox.store.set_meta("callback_url", str(said["url"]))
    if "patience_s" in said:
        sandbox.store.set_meta("callback_patience_s", str(float(said["patience_s"])))
    return {"url": inbound.callback_url(sandbox), "patience_s": callbacks.patience_s(sandbox)}


async def check_callback(request: Request) -> Response:
    """Ask the callback address for its echo, as the console does before it saves it."""
    sandbox = sandbox_of(request)
    if not inbound.callback_url(sandbox):
        return JSONResponse({"error": "no callback address is set"}, 409)
    body = await request.body()
    sealed = bool(json.loads(body).get("sealed")) if body else False
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client:
        return JSONResponse(await callbacks.check(sandbox, client, sealed_echo=sealed))


def delivered(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """Every attempt to deliver a callback; `openid` narrows it."""
    openid = str(said.get("openid") or "")
    return {
        "deliveries": [
            asdict(one) for one in callbacks.logged(sandbox) if openid in ("", one.openid)
        ]
    }


def chat(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """What was said in the account's chat; `openid` narrows it."""
    openid = str(said.get("openid") or "")
    lines = conversation.lines(sandbox, openid) if openid else conversation.everything(sandbox)
    return {"lines": [asdict(line) | {"items": json.loads(line.items)} for line in lines]}


def consent(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """Set a consent without a popup: `{openid, template_id, left | permanent}`.

    The openid is that of the account or of the mini program, as the message's will be.
    """
    _person(sandbox, said)
    openid, template_id = str(said["openid"]), str(said["template_id"])
    consents.take_back(sandbox, openid, template_id)
    permanent = said.get("permanent") is True
    for _ in range(1 if permanent else int(said.get("left", 1))):
        consents.give(sandbox, openid, template_id, permanent=permanent)
    return {"consents": [asdict(one) for one in consents.all_of(sandbox, openid)]}


def template(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """Approve a template: `{template_id, title, keys: {key: label}, product?, permanent?}`."""
    product = str(said.get("product") or templates.TEMPLATE)
    if product not in templates.PRODUCTS:
        raise Misused(400, f"product must be one of {', '.join(templates.PRODUCTS)}")
    keys = {str(key): str(label) for key, label in dict(said["keys"]).items()}
    templates.register(
        sandbox,
        str(said["template_id"]),
        str(said.get("title") or "服务通知"),
        keys,
        product=product,
        permanent=said.get("permanent") is True,
    )
    return {"templates": [asdict(one) for one in templates.approved(sandbox)]}


def mini_code(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """A code as the mini program gets it on a phone: `{openid, kind: login | phone}`."""
    kind = str(said.get("kind") or "login")
    if kind not in mini.CODE_KINDS:
        raise Misused(400, f"kind must be one of {', '.join(mini.CODE_KINDS)}")
    return {"code": mini.new_code(sandbox, _person(sandbox, said), kind)}


def text_messages(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """Every text message that was sent; `to` narrows it to a number."""
    return {"sms": [asdict(one) for one in sms.latest(sandbox, str(said.get("to") or ""))]}


def account(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """The account as a whole: callback settings, what is on its way, codes, consents, templates."""
    del said
    return {
        "callback": {
            "url": inbound.callback_url(sandbox),
            "mode": callbacks.mode(sandbox),
            "patience_s": callbacks.patience_s(sandbox),
            "account": inbound.account_name(sandbox),
        },
        "inbound": [
            asdict(one) for one in sandbox.store.all(Inbound, "SELECT * FROM inbound ORDER BY id")
        ],
        "qr_codes": [asdict(one) for one in qr_codes.made(sandbox)],
        "consents": [asdict(one) for one in consents.everything(sandbox)],
        "templates": [asdict(one) for one in templates.approved(sandbox)],
    }


def _person(sandbox: Sandbox, said: dict[str, Any]) -> User:
    try:
        return people.ensure(sandbox, str(said["openid"]))
    except people.NoOpenid as bad:
        raise Misused(400, f"not an openid: {bad}") from bad


def _text(sandbox: Sandbox, user: User, said: dict[str, Any]) -> int | None:
    return acts.say(sandbox, user, str(said.get("text") or said["content"]))


def _click(sandbox: Sandbox, user: User, said: dict[str, Any]) -> int | None:
    return acts.click(sandbox, user, str(said["key"]))


def _view(sandbox: Sandbox, user: User, said: dict[str, Any]) -> int | None:
    return acts.view(sandbox, user, str(said["url"]))


def _scan(sandbox: Sandbox, user: User, said: dict[str, Any]) -> int | None:
    return acts.scan(sandbox, user, _code(sandbox, said))


def _subscribe(sandbox: Sandbox, user: User, said: dict[str, Any]) -> int | None:
    code = _code(sandbox, said) if {"scene", "ticket", "url"} & said.keys() else None
    return acts.follow(sandbox, user, code)


def _unsubscribe(sandbox: Sandbox, user: User, said: dict[str, Any]) -> int | None:
    del said
    return acts.unfollow(sandbox, user)


def _popup(sandbox: Sandbox, user: User, said: dict[str, Any]) -> int | None:
    choices = {str(one): True for one in said.get("accepted") or ()}
    choices |= {str(one): False for one in said.get("rejected") or ()}
    if not choices:
        raise Misused(400, "name the templates in accepted and rejected")
    return acts.answer_popup(sandbox, user, choices, permanent=said.get("permanent") is True)


def _change(sandbox: Sandbox, user: User, said: dict[str, Any]) -> int | None:
    return acts.refuse_templates(sandbox, user, [str(one) for one in said["rejected"]])


def _template_result(sandbox: Sandbox, user: User, said: dict[str, Any]) -> int | None:
    """A result as somebody else's server might claim it: any MsgID, any status."""
    return messages.tell_result(sandbox, user.openid, int(said["msgid"]), str(said["status"]))


def _any_message(sandbox: Sandbox, user: User, said: dict[str, Any]) -> int | None:
    """A message of any MsgType with any fields: location, image, voice, link and the like."""
    fields = [(str(name), str(value)) for name, value in dict(said.get("fields") or {}).items()]
    return inbound.message(sandbox, user.openid, str(said["msg_type"]), fields)


def _any_event(sandbox: Sandbox, user: User, said: dict[str, Any]) -> int | None:
    fields = [(str(name), str(value)) for name, value in dict(said.get("fields") or {}).items()]
    return inbound.event(sandbox, user.openid, str(said["event"]), fields)


def _code(sandbox: Sandbox, said: dict[str, Any]) -> QrCode:
    code = (
        qr_codes.find(sandbox, str(said.get("ticket") or ""))
        or qr_codes.find_by_url(sandbox, str(said.get("url") or ""))
        or qr_codes.find_by_scene(sandbox, str(said.get("scene") or ""))
    )
    if code is None:
        raise Misused(404, "no QR code with this ticket, url or scene; make one at qrcode/create")
    return code


ACTS: dict[str, Act] = {
    "text": _text,
    "click": _click,
    "view": _view,
    "scan": _scan,
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "subscribe_popup": _popup,
    "subscribe_change": _change,
    "template_result": _template_result,
    "message": _any_message,
    "event": _any_event,
}

routes = [
    lever("inbound", act),
    lever("callback_mode", set_callback_mode),
    lever("callback_url", set_callback_url),
    Route("/_ctl/callback_check", check_callback, methods=["POST"]),
    lever("callbacks", delivered, method="GET"),
    lever("chat", chat, method="GET"),
    lever("consent", consent),
    lever("template", template),
    lever("mini_code", mini_code),
    lever("sms", text_messages, method="GET"),
    lever("account", account, method="GET"),
]
