"""A merchant's callback address for tests: keeps what comes and answers as told."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Received:
    """One notice as it arrived."""

    headers: dict[str, str]
    body: bytes
    at: float


class Receiver:
    """`answers` are used up one by one, then `always`; `delay_s` before each answer."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: list[int] = []
        self.always = 204
        self.text = b""
        self.delay_s = 0.0
        self.most_at_once = 0
        self._at_once = 0
        self._changed = threading.Condition()
        receiver = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.take(Received(dict(self.headers.items()), body, time.monotonic()))
                time.sleep(receiver.delay_s)
                receiver.leave()
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(receiver.text)

            def log_message(self, format: str, *arguments: object) -> None:
                """Quiet."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 64
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Door)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/notify"

    def take(self, received: Received) -> int:
        with self._changed:
            self.received.append(received)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self._changed.notify_all()
            return self.answers.pop(0) if self.answers else self.always

    def leave(self) -> None:
        with self._changed:
            self._at_once -= 1

    def wait(self, count: int = 1, seconds: float = 10) -> list[Received]:
        """The notices once there are `count`; AssertionError when they do not come."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self.received) >= count, seconds)
            assert came, f"{len(self.received)} of {count} notices"
            return list(self.received)

    def stays_at(self, count: int, seconds: float = 0.5) -> None:
        """AssertionError when more than `count` notices come within the time."""
        time.sleep(seconds)
        assert len(self.received) == count

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
