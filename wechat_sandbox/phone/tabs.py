"""Several phones in several tabs: pages opened by one of them keep their cookies to themselves.

Such a phone shows pages in a frame without the browser's cookies (`credentialless`): a jar of its
own that lives as long as the tab. The jar must learn who holds the phone, or web log-in would ask,
so the first address in it is a ticket of ours that sets the cookie and leads on.
"""

from __future__ import annotations

import json
import secrets
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from wechat_sandbox.phone.pages import from_the_phone, held, page, remember, sent
from wechat_sandbox.records import User
from wechat_sandbox.sandbox import Sandbox, sandbox_of

TICKET_LIFE_S = 60


@from_the_phone
@held
async def ticket(request: Request, sandbox: Sandbox, user: User) -> Response:
    """The address that opens `url` in a jar of its own; one use, one minute."""
    url = str((await sent(request)).get("url", ""))
    if urlsplit(url).scheme not in ("http", "https"):
        return JSONResponse({"says": "无法打开这个网址"}, 422)
    name = secrets.token_urlsafe(24)
    facts = {"openid": user.openid, "url": url, "until": sandbox.clock.now() + TICKET_LIFE_S}
    sandbox.store.set_meta(_key(name), json.dumps(facts))
    return JSONResponse({"address": f"/phone/page/{name}"})


async def use(request: Request) -> Response:
    """Follow a ticket."""
    sandbox, key = sandbox_of(request), _key(request.path_params["ticket"])
    facts = json.loads(sandbox.store.meta(key, "{}"))
    sandbox.store.run("DELETE FROM meta WHERE key = ?", key)
    if not facts or facts["until"] < sandbox.clock.now():
        return page("<!doctype html><title>网页</title><p>这个地址已经用过，请重新打开。</p>", 410)
    answer = RedirectResponse(facts["url"], 302, {"Cache-Control": "no-store"})
    remember(answer, facts["openid"])
    return answer


def _key(name: str) -> str:
    return f"phone:ticket:{name}"
