"""短信: the text messages that arrived for the number in this phone."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from wechat_sandbox import people, sms
from wechat_sandbox.account_records import Sms
from wechat_sandbox.phone.pages import from_the_phone, held, no, sent
from wechat_sandbox.records import User
from wechat_sandbox.sandbox import Sandbox

_NUMBER = re.compile(r"1[3-9]\d{9}")


@from_the_phone
@held
async def set_number(request: Request, sandbox: Sandbox, user: User) -> Response:
    """Put another SIM card into the phone."""
    number = str((await sent(request)).get("number", "")).strip()
    if not _NUMBER.fullmatch(number):
        return no("请输入 11 位手机号")
    people.change(sandbox, user.openid, phone_number=number)
    sandbox.hub.publish(user.openid, "sms")
    return JSONResponse({})


def received(sandbox: Sandbox, user: User) -> list[Sms]:
    """What arrived on this phone, oldest first."""
    return sms.latest(sandbox, to=user.phone_number)
