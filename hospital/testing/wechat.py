"""The stand-in for WeChat in tests: one process per test session, driven through its control API.

The fixture `wechat` points settings.WECHAT at it with short time limits and catches its notices in
a letter box, so that a test hands WeChat's own signed bytes to our callback when it wants to.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from hospital.wechat import clients
from hospital.wechat.config import WeChatConfig, from_file

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0
NOTICE_SECONDS = 10.0
PACE = 0.02  # of WeChat's own pace between repeated notices
REFUND_SECONDS = 1e6  # a refund ends when the test says so


@dataclasses.dataclass(frozen=True)
class Letter:
    """A notice as it arrived: the path it was posted to and its exact bytes."""

    path: str
    headers: dict[str, str]
    body: bytes

    def hand_to(self, client: Client) -> HttpResponse:
        """Post it to our own callback, in the test's transaction."""
        answer = client.post(
            self.path, data=self.body, content_type="application/json", headers=self.headers
        )
        assert isinstance(answer, HttpResponse)
        return answer


class LetterBox:
    """A small web server that keeps what is posted to it and says 204."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self._arrived = threading.Condition()
        box = self

        class Slot(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                box.keep(Letter(self.path, dict(self.headers.items()), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Slot)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def keep(self, letter: Letter) -> None:
        with self._arrived:
            self.letters.append(letter)
            self._arrived.notify_all()

    def wait(self, count: int = 1) -> list[Letter]:
        """The first `count` letters; fails the test when they do not come."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: len(self.letters) >= count, NOTICE_SECONDS)
            assert came, f"{len(self.letters)} of {count} notices after {NOTICE_SECONDS} s"
            return list(self.letters)

    def empty(self) -> None:
        with self._arrived:
            self.letters.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class StandIn:
    """The running process and its control API."""

    def __init__(self, base: str, config: WeChatConfig, letters: LetterBox) -> None:
        self.base = base
        self.config = config
        self.letters = letters
        self._control = httpx.Client(base_url=base, timeout=10.0, trust_env=False)

    def pay(self, out_trade_no: str, *, openid: str = "", mode: str = "") -> dict[str, Any]:
        """Pay an order as its payer would on the phone."""
        options = {"openid": openid, "mode": mode}
        given = {name: value for name, value in options.items() if value}
        return self._post("/_ctl/pay", {"out_trade_no": out_trade_no, **given})

    def fault(self, kind: str, **options: Any) -> dict[str, Any]:
        """Let the next call (times=, seconds=, match=) go wrong."""
        return self._post("/_ctl/fault", {"kind": kind, **options})

    def refund_state(self, out_refund_no: str, status: str) -> dict[str, Any]:
        return self._post("/_ctl/refund_state", {"out_refund_no": out_refund_no, "status": status})

    def clock(self, offset_seconds: float, *, wire: bool = False) -> dict[str, Any]:
        """Shift WeChat's clock; with `wire` also the stamps of its signatures."""
        return self._post("/_ctl/clock", {"offset_s": offset_seconds, "wire": wire})

    def sign_notices_with(self, mode: str) -> dict[str, Any]:
        """`public_key` or `certificate`."""
        return self._post("/_ctl/notify_mode", {"mode": mode})

    def user(self, openid: str = "", **facts: Any) -> dict[str, Any]:
        """Make or change a person: nickname, subscribed, blocked, snapshot, balance_fen."""
        return self._post("/_ctl/user", {"openid": openid, **facts})

    def reset(self) -> None:
        self._post("/_ctl/reset", {})
        self.letters.empty()

    def state(self, out_trade_no: str = "") -> dict[str, Any]:
        """Orders, refunds, notices, users, messages; with a number only what belongs to it."""
        return self._read(self._control.get("/_ctl/state", params={"out_trade_no": out_trade_no}))

    def deliveries(self) -> dict[str, Any]:
        return self._read(self._control.get("/_ctl/deliveries"))

    def authorize(self, url: str, *, phone: str) -> str:
        """Open a log-in address as this openid's phone; where WeChat sends the browser back to."""
        answer = self._control.get(url.partition("#")[0], headers={"Cookie": f"phone={phone}"})
        assert answer.status_code in (302, 303), answer.text
        return answer.headers["location"]

    def close(self) -> None:
        self._control.close()

    def _post(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        return self._read(self._control.post(path, json=content))

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.is_success, f"{answer.status_code} {answer.text}"
        facts = answer.json() if answer.content else {}
        return facts if isinstance(facts, dict) else {"items": facts}


@contextlib.contextmanager
def running_stand_in(folder: Path, *arguments: str) -> Iterator[tuple[str, WeChatConfig]]:
    """Start the stand-in on a free port with its state in `folder`; stop it at the end."""
    export = folder / "wechat.json"
    command = [
        *(sys.executable, "-m", "wechat_sandbox", "--port", "0", "--data", str(folder / "state")),
        *("--export", str(export), "--notify-scale", str(PACE)),
        *("--refund-delay", str(REFUND_SECONDS), *arguments),
    ]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        config = _wait_for(export, process)
        yield config.pay_base, config
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(export: Path, process: subprocess.Popen[bytes]) -> WeChatConfig:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the stand-in for WeChat did not start"
        if export.exists():
            config = from_file(export)
            address = urlsplit(config.pay_base)
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"http://{address.netloc}/_ctl/state", trust_env=False)
                return config
        time.sleep(0.05)
    raise AssertionError("the stand-in for WeChat did not come up in time")


@pytest.fixture(scope="session")
def wechat_stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """One stand-in for all tests of this process."""
    letters = LetterBox()
    with running_stand_in(tmp_path_factory.mktemp("wechat")) as (base, config):
        stand_in = StandIn(base, config, letters)
        yield stand_in
        stand_in.close()
    letters.close()


@pytest.fixture
def wechat(wechat_stand_in: StandIn, settings: Settings) -> Iterator[StandIn]:
    """The hospital connected to a fresh stand-in; its notices wait in `wechat.letters`."""
    wechat_stand_in.reset()
    settings.WECHAT = dataclasses.replace(
        wechat_stand_in.config, connect_seconds=1.0, read_seconds=0.7
    )
    settings.PUBLIC_URL = wechat_stand_in.letters.address
    yield wechat_stand_in
    clients.disconnect()
    wechat_stand_in.reset()
