"""The stand-in for WeChat in tests: one process per test session, driven through its control API.

The fixture `wechat` points settings.WECHAT at it with short time limits and catches its notices in
a letter box, so that a test hands WeChat's own signed bytes to our callback when it wants to.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from hospital.testing import callbacks
from hospital.testing.sandbox import SandboxControl
from hospital.wechat import clients
from hospital.wechat.config import WeChatConfig, from_file

NOTICE_SECONDS = 10.0
REFUND_SECONDS = 1e6  # before pace: a refund ends when the test says so


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
    """A small web server that keeps what is posted to it and says what our doors say to what is
    good: 200 to what people do, 204 to the rest.

    `answers` are said instead to the next ones, so that WeChat tries again.
    """

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.answers: list[int] = []
        self._arrived = threading.Condition()
        box = self

        class Slot(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                box.keep(Letter(self.path, dict(self.headers.items()), body))
                usual = 200 if self.path.startswith(callbacks.ADDRESS) else 204
                self.send_response(box.answers.pop(0) if box.answers else usual)
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
            self.answers.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class StandIn(SandboxControl):
    """The running stand-in with the letter box its notices arrive in."""

    def __init__(self, folder: Path, letters: LetterBox, *arguments: str) -> None:
        super().__init__(folder, "--refund-delay", str(REFUND_SECONDS), *arguments)
        self.letters = letters

    def start(self) -> None:
        super().start()
        self._config = from_file(self.export)  # reading the keys costs more than many a test

    @property
    def config(self) -> WeChatConfig:
        """What the hospital needs to connect to it."""
        return self._config

    def reset(self) -> None:
        super().reset()
        self.letters.empty()

    def authorize(self, url: str, *, phone: str) -> str:
        """Open a log-in address as this openid's phone; where WeChat sends the browser back to."""
        with httpx.Client(trust_env=False) as browser:
            answer = browser.get(url.partition("#")[0], headers={"Cookie": f"phone={phone}"})
        assert answer.status_code in (302, 303), answer.text
        return answer.headers["location"]


@pytest.fixture(scope="session")
def wechat_stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """One stand-in for all tests of this process."""
    letters = LetterBox()
    with StandIn(tmp_path_factory.mktemp("wechat"), letters) as stand_in:
        yield stand_in
    letters.close()


@pytest.fixture
def wechat(wechat_stand_in: StandIn, settings: Settings) -> Iterator[StandIn]:
    """The hospital connected to a fresh stand-in; its notices wait in `wechat.letters`."""
    wechat_stand_in.reset()
    settings.WECHAT = dataclasses.replace(
        wechat_stand_in.config, connect_seconds=1.0, read_seconds=0.7, scan_read_seconds=0.7
    )
    settings.PUBLIC_URL = wechat_stand_in.letters.address
    settings.SMS_URL = wechat_stand_in.facts["sms_url"]
    settings.SMS_KEY = wechat_stand_in.facts["sms_key"]
    yield wechat_stand_in
    clients.disconnect()
    wechat_stand_in.reset()
