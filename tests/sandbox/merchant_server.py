"""A merchant's server for the account's messages and events: keeps what comes, answers as told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

Answer = tuple[int, bytes]


@dataclass(frozen=True)
class Came:
    """One request: method, query and body."""

    method: str
    query: dict[str, str]
    body: bytes
    at: float


class MerchantServer:
    """`reply` makes the answer to each request; silence (an empty 200) at first."""

    def __init__(self) -> None:
        self.came: list[Came] = []
        self.reply: Callable[[Came], Answer] = lambda came: (200, b"")
        self._changed = threading.Condition()
        server = self

        class Door(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.serve(b"")

            def do_POST(self) -> None:
                self.serve(self.rfile.read(int(self.headers["Content-Length"])))

            def serve(self, body: bytes) -> None:
                query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
                status, answer = server.take(Came(self.command, query, body, time.monotonic()))
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *arguments: object) -> None:
                """Quiet."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 64
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A caller that lost its patience is no error of this server."""

        self._server = Server(("127.0.0.1", 0), Door)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/wechat"

    def take(self, came: Came) -> Answer:
        with self._changed:
            self.came.append(came)
            self._changed.notify_all()
        return self.reply(came)

    def wait(self, count: int = 1, seconds: float = 10) -> list[Came]:
        """What came once there are `count`; AssertionError when they do not come."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.came) >= count, seconds)
            assert arrived, f"{len(self.came)} of {count} requests"
            return list(self.came)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
