"""The stand-in for WeChat as a process a test owns: start it, pull its levers, stop it.

No import from the product: tests of the stand-in itself, journeys and the demo's checks use it too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0
WAIT_SECONDS = 10.0


class SandboxControl:
    """A running `python -m wechat_sandbox` on a free port; `facts` is what it exported.

    `pace` multiplies WeChat's waits between repeated notices. A port of 0 takes a free one.
    """

    def __init__(
        self, folder: Path, *arguments: str, pace: float = 0.02, port: int = 0, log: str = "warning"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.export = folder / "wechat.json"
        self.export.unlink(missing_ok=True)
        self._command = [
            *(sys.executable, "-m", "wechat_sandbox", "--port", str(port)),
            *("--data", str(folder / "state"), "--export", str(self.export)),
            *("--notify-scale", str(pace), "--log-level", log, *arguments),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._http = httpx.Client(timeout=10.0, trust_env=False)
        self.facts: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def base(self) -> str:
        """The one address everything is served at."""
        return str(self.facts["base"])

    def start(self) -> None:
        """Start the program and wait until it answers; AssertionError when it does not."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(self._command, cwd=ROOT, env=environment)
        self._http = httpx.Client(timeout=10.0, trust_env=False)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, "the stand-in for WeChat did not start"
            assert time.monotonic() < deadline, "the stand-in for WeChat did not come up in time"
            time.sleep(0.03)

    def stop(self) -> None:
        """Stop the program, if it runs, and wait for its end."""
        self._http.close()
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=15)
            self._process = None

    def pay(self, out_trade_no: str, *, openid: str = "", mode: str = "success") -> dict[str, Any]:
        """Pay as the person would: `success`, `cancel`, `wrong_password`, `not_enough`, or `late`:
        a payment that was under way when the order was closed."""
        return self.post("pay", out_trade_no=out_trade_no, openid=openid, mode=mode)

    def pay_code_url(self, code_url: str, *, openid: str = "") -> dict[str, Any]:
        """Scan a Native order's QR and pay it."""
        return self.post("pay", code_url=code_url, openid=openid)

    def scan_code(self, openid: str = "") -> str:
        """A fresh payment code (18 digits) on this person's phone, good for a minute."""
        return str(self.post("scan_code", openid=openid)["code"])

    def micropay_password(self, out_trade_no: str, decision: str = "enter") -> dict[str, Any]:
        """Answer the question of an order that waits for the password: `enter`, `cancel`,
        `wrong`."""
        return self.post("micropay_password", out_trade_no=out_trade_no, decision=decision)

    def fault(self, kind: str, **options: Any) -> dict[str, Any]:
        """Let something go wrong: `times=`, `seconds=`, `match=`, `value=`."""
        return self.post("fault", kind=kind, **options)

    def bill(self, day: str = "", kind: str = "ALL") -> str:
        """The stand-in's own bill of a Beijing day (YYYY-MM-DD), today's when not said, as far as
        it has come. `kind`: ALL, SUCCESS, REFUND, or BASIC for the fund flow."""
        answer = self._http.get(f"{self.base}/_ctl/bill", params={"day": day, "kind": kind})
        return str(self._read(answer)["text"])

    def certificates(self, action: str) -> dict[str, Any]:
        """Change the platform certificates: `rotate` (a new one signs, the old one stays listed),
        `retire` (only the signing one is listed), `withdraw` (none is: 404). `reset` undoes it."""
        return self.post("certificates", action=action)

    def calm(self) -> None:
        """Drop every waiting fault."""
        self.post("calm")

    def moments(self, match: str = "") -> list[str]:
        """Where faults could have struck, at calls and notices with `match` in them."""
        answer = self._http.get(f"{self.base}/_ctl/moments", params={"match": match})
        return list(self._read(answer)["moments"])

    def refund_state(self, out_refund_no: str, status: str) -> dict[str, Any]:
        """End a refund (SUCCESS, ABNORMAL, CLOSED) or hold it (PROCESSING)."""
        return self.post("refund_state", out_refund_no=out_refund_no, status=status)

    def user(self, **facts: Any) -> dict[str, Any]:
        """Make or change a person: `openid=`, `nickname=`, `subscribed=`, `snapshot=` and more."""
        return self.post("user", **facts)

    def clock(self, offset_s: float, *, wire: bool = False) -> dict[str, Any]:
        """Shift the stand-in's clock; `wire` shifts the stamps of its signatures too."""
        return self.post("clock", offset_s=offset_s, wire=wire)

    def notify_mode(self, mode: str) -> dict[str, Any]:
        """Sign notices with the `public_key` or the `certificate`."""
        return self.post("notify_mode", mode=mode)

    def reset(self) -> None:
        """Forget everything but the keys."""
        self.post("reset")

    def state(self, out_trade_no: str = "") -> dict[str, Any]:
        """Orders, refunds, notices, users, messages, tokens, faults."""
        return self._get("state", out_trade_no)

    def deliveries(self, out_trade_no: str = "") -> list[dict[str, Any]]:
        """Every attempt to deliver a notice, oldest first."""
        attempts: list[dict[str, Any]] = self._get("deliveries", out_trade_no)["deliveries"]
        return attempts

    def until(self, what: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
        """Wait for something to become true; AssertionError when it does not."""
        deadline = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)

    def post(self, lever: str, **said: Any) -> dict[str, Any]:
        """Pull any lever; AssertionError with the stand-in's sentence when it refuses."""
        return self._read(self._http.post(f"{self.base}/_ctl/{lever}", json=said))

    def _get(self, lever: str, out_trade_no: str) -> dict[str, Any]:
        query = {"out_trade_no": out_trade_no} if out_trade_no else {}
        return self._read(self._http.get(f"{self.base}/_ctl/{lever}", params=query))

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.is_success, f"{answer.status_code} {answer.text}"
        document: dict[str, Any] = answer.json()
        return document

    def _answers(self) -> bool:
        if not self.export.exists():
            return False
        self.facts = json.loads(self.export.read_text("utf-8"))
        try:
            return self._http.get(f"{self.base}/_ctl/state").is_success
        except httpx.TransportError:
            return False

    # The account's side: what people do towards it, and what the merchant's server is told.

    def inbound(self, openid: str, kind: str, **fields: Any) -> dict[str, Any]:
        """A person does something: `text` (text=), `click` (key=), `view` (url=), `scan` and
        `subscribe` (scene= or ticket=), `unsubscribe`, `subscribe_popup` (accepted=, rejected=),
        `subscribe_change` (rejected=), `template_result` (msgid=, status=), `message` (msg_type=,
        fields=), `event` (event=, fields=)."""
        return self.post("inbound", openid=openid, type=kind, **fields)

    def callback_url(self, url: str, *, patience_s: float = 5.0) -> dict[str, Any]:
        """Where messages and events go, and how long an answer may take."""
        return self.post("callback_url", url=url, patience_s=patience_s)

    def callback_mode(self, mode: str) -> dict[str, Any]:
        """`plain`, `compatible` or `aes`."""
        return self.post("callback_mode", mode=mode)

    def callback_check(self, *, sealed: bool = False) -> dict[str, Any]:
        """Check the callback address with an `echostr`, as the console does; `ok` says."""
        return self.post("callback_check", sealed=sealed)

    def callbacks(self, openid: str = "") -> list[dict[str, Any]]:
        """Every attempt to deliver a message or event, oldest first."""
        attempts: list[dict[str, Any]] = self._narrowed("callbacks", openid=openid)["deliveries"]
        return attempts

    def chat(self, openid: str = "") -> list[dict[str, Any]]:
        """What was said in the account's chat by both sides, oldest first."""
        lines: list[dict[str, Any]] = self._narrowed("chat", openid=openid)["lines"]
        return lines

    def consent(self, openid: str, template_id: str, **how_many: Any) -> dict[str, Any]:
        """Set what somebody agreed to get: `left=` messages, or `permanent=True`."""
        return self.post("consent", openid=openid, template_id=template_id, **how_many)

    def template(self, template_id: str, keys: dict[str, str], **more: Any) -> dict[str, Any]:
        """Approve a template: `title=`, `product=` template, subscription or any, `permanent=`."""
        return self.post("template", template_id=template_id, keys=keys, **more)

    def mini_code(self, openid: str, kind: str = "login") -> str:
        """A code as the mini program's page gets it: `login` or `phone`."""
        return str(self.post("mini_code", openid=openid, kind=kind)["code"])

    def sms(self, to: str = "") -> list[dict[str, Any]]:
        """The text messages that were sent, oldest first."""
        found: list[dict[str, Any]] = self._narrowed("sms", to=to)["sms"]
        return found

    def account(self) -> dict[str, Any]:
        """Callback settings, inbound, QR codes, consents and templates."""
        return self._narrowed("account")

    def _narrowed(self, lever: str, **query: str) -> dict[str, Any]:
        return self._read(self._http.get(f"{self.base}/_ctl/{lever}", params=query))
