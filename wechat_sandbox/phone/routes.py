"""The phone's addresses: the root page, `/phone/…`, and the script hospital pages load."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from wechat_sandbox.phone import (
    account_talk,
    desk,
    doors,
    news,
    paycode,
    scanning,
    screens,
    tabs,
    texts,
)
from wechat_sandbox.phone.pages import FOLDER

STATIC = FOLDER / "static"


async def bridge_script(_: Request) -> Response:
    """What a hospital page includes instead of res.wx.qq.com's script."""
    return FileResponse(
        STATIC / "jweixin.js",
        media_type="text/javascript",
        headers={"Cache-Control": "no-cache", "Cross-Origin-Resource-Policy": "cross-origin"},
    )


class UncachedFiles(StaticFiles):
    """Files a browser asks for again each time, so that an edit is seen at once."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """The file, to be checked before each use."""
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        answer.headers["Cache-Control"] = "no-cache"
        return answer


routes: list[BaseRoute] = [
    Route("/", screens.phone, name="phone"),
    Route("/open/js/jweixin.js", bridge_script),
    Route("/phone/choose", screens.choose, name="phone-choose"),
    Route("/phone/cashier", screens.cashier_page, name="phone-cashier"),
    Route("/phone/home", screens.home),
    Route("/phone/holders", screens.holders),
    Route("/phone/chat/{name}", screens.chat),
    Route("/phone/account", screens.account),
    Route("/phone/services", screens.services),
    Route("/phone/wallet", screens.wallet),
    Route("/phone/settings", screens.settings),
    Route("/phone/bills", screens.bill_list),
    Route("/phone/bills/{out_trade_no}", screens.bill),
    Route("/phone/apps", screens.apps),
    Route("/phone/sms", screens.messages),
    Route("/phone/minis", screens.minis),
    Route("/phone/scan", scanning.screen),
    Route("/phone/scan/text", scanning.scan, methods=["POST"]),
    Route("/phone/paycode", paycode.screen),
    Route("/phone/paycode/waiting", paycode.waiting),
    Route("/phone/paycode/enter", paycode.enter, methods=["POST"]),
    Route("/phone/paycode/{out_trade_no}", paycode.heard),
    Route("/phone/drawer", desk.panel),
    Route("/phone/drawer/drop", desk.drop_fault, methods=["POST"]),
    Route("/phone/drawer/forget", desk.forget_struck, methods=["POST"]),
    Route("/phone/page", tabs.ticket, methods=["POST"]),
    Route("/phone/page/{ticket}", tabs.use),
    Route("/phone/news", news.news),
    Route("/phone/hold", doors.hold, methods=["POST"]),
    Route("/phone/people", doors.new_person, methods=["POST"]),
    Route("/phone/leave", doors.leave, methods=["POST"]),
    Route("/phone/follow", account_talk.follow, methods=["POST"]),
    Route("/phone/block", doors.block, methods=["POST"]),
    Route("/phone/balance", doors.balance, methods=["POST"]),
    Route("/phone/card", doors.card, methods=["POST"]),
    Route("/phone/seen", doors.seen, methods=["POST"]),
    Route("/phone/say", account_talk.say, methods=["POST"]),
    Route("/phone/tap", account_talk.tap, methods=["POST"]),
    Route("/phone/consent", account_talk.popup),
    Route("/phone/consent/answer", account_talk.answer_popup, methods=["POST"]),
    Route("/phone/number", texts.set_number, methods=["POST"]),
    Route("/phone/pay/open", doors.open_sheet, methods=["POST"]),
    Route("/phone/pay", doors.pay, methods=["POST"]),
    Route("/phone/pay/forgot", doors.forgot, methods=["POST"]),
    Route("/phone/jsconfig", doors.js_config, methods=["POST"]),
    Route("/phone/avatar/{openid}", screens.avatar),
    Mount("/phone/static", UncachedFiles(directory=STATIC)),
]
