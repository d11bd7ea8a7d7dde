"""A few pages as a hospital would serve them, under the strictest policy, for the phone to open.

`/` is a menu page, `/pay` has a button that pays through the bridge, `/sdk` one that pays through
`wx.chooseWXPay`, `/subscribe` the open tag. What the callback heard is written into the page.
"""

from __future__ import annotations

import json
import threading
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.sandbox.merchant import Merchant

SCRIPT = """
const out = document.querySelector("output");
const say = (text) => { out.textContent = text; };
const button = document.querySelector("button");
const fields = JSON.parse((button && button.dataset.fields) || "{}");
const whenBridge = (run) => {
  if (window.WeixinJSBridge) run();
  else document.addEventListener("WeixinJSBridgeReady", run, { once: true });
};
if (button && button.id === "bridge") {
  button.addEventListener("click", () => whenBridge(() => {
    WeixinJSBridge.invoke("getBrandWCPayRequest", fields, (answer) => {
      say([answer.err_msg, answer.err_desc].filter(Boolean).join(" | "));
    });
  }));
}
if (button && button.id === "sdk") {
  wx.config(JSON.parse(button.dataset.config));
  wx.error((problem) => say(problem.errMsg));
  wx.ready(() => say("config:ok"));
  button.addEventListener("click", () => wx.chooseWXPay({
    timestamp: fields.timeStamp, nonceStr: fields.nonceStr, package: fields.package,
    signType: fields.signType, paySign: fields.paySign,
    success: (answer) => say(answer.errMsg),
    cancel: (answer) => say(answer.errMsg),
    fail: (answer) => say(answer.errMsg),
  }));
}
document.addEventListener("wxpay:return", (event) => say("return:" + event.detail.result));
const subscribe = document.querySelector("wx-open-subscribe");
if (subscribe) {
  wx.config(JSON.parse(document.querySelector("[data-config]").dataset.config));
  wx.error((problem) => say(problem.errMsg));
  wx.ready(() => say("config:ok"));
  subscribe.addEventListener("success", (event) => say(event.detail.subscribeDetails));
  subscribe.addEventListener("error", (event) => say(event.detail.errMsg));
}
const rename = document.querySelector("#rename");
if (rename) rename.addEventListener("click", () => { document.title = "改了标题"; });
const close = document.querySelector("#close");
if (close) close.addEventListener("click", () => {
  whenBridge(() => WeixinJSBridge.call("closeWindow"));
});
"""

STYLE = """
body { font: 17px/1.5 sans-serif; margin: 0; padding: 16px; background: #f2f3f5; }
button, a { display: block; margin: 12px 0; padding: 12px; border: 0; border-radius: 10px;
  background: #018942; color: #fff; font: inherit; text-align: center; text-decoration: none; }
"""

SUBSCRIBE = """<wx-open-subscribe template="S_QUEUE"><template slot="style">
button { padding: 12px 24px; border: 0; background: #018942; color: #fff; font-size: 17px; }
</template><template><button type="button">开启提醒</button></template></wx-open-subscribe>"""

PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/page.css">
<script src="{base}/open/js/jweixin.js"></script></head>
<body><h1>{title}</h1>{body}<output></output><script src="/page.js"></script></body></html>"""


class Clinic:
    """Serves on a free port until closed; set `fields` before a page asks for money."""

    def __init__(self, base: str, port: int = 0) -> None:
        self.base = base
        self.fields: dict[str, str] = {}
        self.config: dict[str, Any] = {}
        clinic = self

        class Door(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, text = clinic.answer(self.path.partition("?")[0])
                body = text.encode()
                self.send_response(200 if kind else 404)
                self.send_header("Content-Type", f"{kind or 'text/plain'}; charset=utf-8")
                self.send_header("Content-Security-Policy", clinic.policy())
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Door)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def policy(self) -> str:
        """No inline script, no eval, no foreign frame but the phone."""
        return (
            f"default-src 'none'; script-src 'self' {self.base}; style-src 'self'; img-src data:;"
            f" frame-ancestors {self.base}; form-action 'self'; base-uri 'none'"
        )

    def answer(self, path: str) -> tuple[str, str]:
        """Content type and text of a path; an empty type is not found."""
        fields, config = escape(json.dumps(self.fields)), escape(json.dumps(self.config))
        pages = {
            "/": (
                "在线服务",
                '<a href="/second" target="_blank">我的挂号</a><a href="/pay">去缴费</a>',
            ),
            "/second": ("我的挂号", '<button type="button" id="rename">改标题</button>'),
            "/pay": ("门诊缴费", f'<button id="bridge" data-fields="{fields}">微信支付</button>'),
            "/sdk": (
                "门诊缴费",
                f'<button id="sdk" data-fields="{fields}" data-config="{config}">微信支付</button>',
            ),
            "/subscribe": (
                "消息提醒",
                f'<p data-config="{config}">订阅后提醒您候诊。</p>{SUBSCRIBE}',
            ),
            "/done": ("完成", '<a id="close" href="#x">关闭页面</a>'),
        }
        if path == "/page.js":
            return "text/javascript", SCRIPT
        if path == "/page.css":
            return "text/css", STYLE
        if path not in pages:
            return "", ""
        title, body = pages[path]
        return "text/html", PAGE.format(title=title, body=body, base=self.base)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def pay_fields(merchant: Merchant, prepay_id: str, **change: str) -> dict[str, str]:
    """The six fields a page needs, signed by the merchant; `change` spoils them after signing."""
    fields = {
        "appId": str(merchant.facts["appid"]),
        "timeStamp": "1795400000",
        "nonceStr": "5K8264ILTKCH16CQ2502SI8ZNMTM67VS",
        "package": f"prepay_id={prepay_id}",
    }
    return {
        **fields,
        "signType": "RSA",
        "paySign": merchant.sign(*fields.values()),
        **change,
    }
