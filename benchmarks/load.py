"""A small HTTP/1.1 load client: many kept-open connections, each asking one thing after another.

It parses no more than it must, so that on two cores the server gets nearly all of the machine.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

NO_CONTENT = 204


@dataclass(frozen=True)
class Request:
    """One request: `cookie` is a Cookie header, `form` or `body` (JSON) makes it a POST."""

    path: str
    cookie: str = ""
    form: dict[str, str] | None = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def encode(self, host: str) -> bytes:
        body, kind = self.body, "application/json"
        if self.form is not None:
            body, kind = urlencode(self.form).encode(), "application/x-www-form-urlencoded"
        lines = [
            f"{'GET' if body is None else 'POST'} {self.path} HTTP/1.1",
            f"Host: {host}",
            "Accept: text/html",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        if self.cookie:
            lines.append(f"Cookie: {self.cookie}")
        if body is not None:
            lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its status, its head, its page, how long it took."""

    status: int
    head: str
    page: bytes
    seconds: float


@dataclass
class Answers:
    """What came back: seconds per request in order of arrival, statuses."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    elapsed: float = 0.0

    def add(self, answer: Answer) -> None:
        """Count one more."""
        self.seconds.append(answer.seconds)
        self.statuses[answer.status] += 1

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.elapsed

    def percentile_ms(self, share: float) -> float:
        """The given percentile (0-1) of the answers' times in milliseconds."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def run(host: str, port: int, requests: Iterable[Request], *, clients: int) -> Answers:
    """Send all requests through `clients` connections as fast as answers come."""
    return asyncio.run(_run(host, port, iter(requests), clients))


async def _run(host: str, port: int, requests: Iterator[Request], clients: int) -> Answers:
    answers = Answers()
    started = time.perf_counter()
    await asyncio.gather(*(_client(host, port, requests, answers) for _ in range(clients)))
    answers.elapsed = time.perf_counter() - started
    return answers


async def _client(host: str, port: int, requests: Iterator[Request], answers: Answers) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for request in requests:
        started = time.perf_counter()
        writer.write(request.encode(f"{host}:{port}"))
        status, _, _ = await read_answer(reader)
        answers.seconds.append(time.perf_counter() - started)
        answers.statuses[status] += 1
    writer.close()


def encoded(request: Request, port: int) -> bytes:
    """A request as it goes over the wire to this machine."""
    return request.encode(f"127.0.0.1:{port}")


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, str, bytes]:
    """Read one whole answer: its status, its head, its page."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status = int(head.split(" ", 2)[1])
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:] if line)
    }
    page = b""
    if headers.get("transfer-encoding", "") == "chunked":
        while size := int((await reader.readline()).strip(), 16):
            page += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    elif status != NO_CONTENT:
        page = await reader.readexactly(int(headers.get("content-length", "0")))
    return status, head, page
