"""The HTTP under every call to WeChat: time limits, standby host, careful repeats, figures, logs.

One `Wire` per group of hosts and process; it is safe for threads. `tls` is given where WeChat wants
the merchant's certificate inside the connection itself. It never raises for anything the
network does: the caller gets an `Answer` or `NoAnswer`. Addresses, bodies and headers are never
logged, because they carry tokens, openids and signatures.
"""

import logging
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus

import httpx
from prometheus_client import Counter, Histogram

from hospital.kernel import logs
from hospital.wechat.config import WeChatConfig

logger = logging.getLogger(__name__)
# httpx logs whole addresses, with access tokens and OAuth codes in them.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)

CALLS = Counter("wechat_calls", "Calls to WeChat by outcome.", ["call", "outcome"])
SECONDS = Histogram("wechat_call_seconds", "Time one attempt took.", ["call"])
UNTRUSTED = Counter("wechat_untrusted", "Messages that failed verification.", ["kind", "reason"])

PAUSE_SECONDS = 0.2
USER_AGENT = "xinglin/1.0"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """WeChat, or something on the way to it, answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def request_id(self) -> str:
        return self.headers.get("request-id", "")


@dataclass(frozen=True, kw_only=True)
class NoAnswer:
    """Nothing came back. `may_have_arrived` is False only when no connection was made at all."""

    reason: str
    may_have_arrived: bool


def wire_to(
    config: WeChatConfig, hosts: Sequence[str], *, tls: ssl.SSLContext | None = None
) -> "Wire":
    """The wire to some of WeChat's hosts with this account's patience."""
    return Wire(
        hosts=hosts,
        connect_seconds=config.connect_seconds,
        read_seconds=config.read_seconds,
        tls=tls,
    )


class Wire:
    """Sends requests to the first host that answers."""

    def __init__(
        self,
        *,
        hosts: Sequence[str],
        connect_seconds: float,
        read_seconds: float,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._hosts = list(hosts)
        self._limits = httpx.Timeout(read_seconds, connect=connect_seconds)
        self._client = httpx.Client(
            timeout=self._limits,
            verify=tls or trusted(),
            limits=httpx.Limits(max_connections=50, max_keepalive_connections=10),
            headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
            follow_redirects=False,
        )

    def send(
        self,
        *,
        call: str,
        method: str,
        target: str,
        headers: Callable[[], dict[str, str]] = dict,
        body: bytes = b"",
        repeats: int = 0,
        read_seconds: float | None = None,
    ) -> Answer | NoAnswer:
        """Send the same bytes until somebody answers, at most `repeats` times more.

        A host that cannot be reached is always followed by the next one: nothing arrived there. A
        request that may have arrived is repeated only when the caller says that is harmless
        (`repeats`), after a growing pause, at the standby host at the end. `headers` is asked anew
        for each attempt, since a signature ages. `read_seconds` is for a call that takes longer
        than the others.
        """
        outcome: Answer | NoAnswer = NoAnswer(reason="no_host", may_have_arrived=False)
        may_have_arrived = False
        for attempt, host in enumerate(self._plan(repeats)):
            if may_have_arrived and attempt > repeats:
                break
            if attempt:
                time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
            outcome = self._once(call, method, host + target, headers(), body, read_seconds)
            if isinstance(outcome, Answer) and outcome.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                return outcome
            may_have_arrived = may_have_arrived or getattr(outcome, "may_have_arrived", True)
        if isinstance(outcome, NoAnswer):
            return NoAnswer(reason=outcome.reason, may_have_arrived=may_have_arrived)
        return outcome

    def download(
        self,
        *,
        call: str,
        target: str,
        headers: Callable[[], dict[str, str]],
        take: Callable[[bytes], None],
    ) -> Answer | NoAnswer:
        """Hand a file over piece by piece, as it is on the wire; the Answer's body is then empty.

        An answer that is not 2xx is read whole instead and nothing is handed over. One attempt: a
        file broken off is the caller's to throw away. What `take` raises passes through.
        """
        outcome: Answer | NoAnswer = NoAnswer(reason="no_host", may_have_arrived=False)
        for host in self._hosts:
            started = time.monotonic()
            outcome = self._fetch(host + target, headers(), take)
            self._note(call, outcome, time.monotonic() - started)
            if isinstance(outcome, Answer) or outcome.may_have_arrived:
                return outcome
        return outcome

    def _fetch(
        self, address: str, headers: dict[str, str], take: Callable[[bytes], None]
    ) -> Answer | NoAnswer:
        # A file's hash is over what WeChat wrote, so nobody on the way shall recode it.
        headers = {
            **headers,
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "X-Request-ID": logs.current_request(),
        }
        try:
            with self._client.stream("GET", address, headers=headers) as response:
                if not response.is_success:
                    return _answer(response, response.read())
                for piece in response.iter_raw():
                    take(piece)
                return _answer(response, b"")
        except httpx.HTTPError as error:
            return _no_answer(error)

    def close(self) -> None:
        self._client.close()

    def _plan(self, repeats: int) -> list[str]:
        """The main host for every attempt; the standby takes the last place."""
        main, *standby = self._hosts
        return [main] * (repeats + 1 - min(repeats, len(standby))) + standby

    def _once(
        self,
        call: str,
        method: str,
        address: str,
        headers: dict[str, str],
        body: bytes,
        read_seconds: float | None,
    ) -> Answer | NoAnswer:
        started = time.monotonic()
        headers = {**headers, "X-Request-ID": logs.current_request()}
        limits = self._limits if read_seconds is None else _limits(self._limits, read_seconds)
        outcome: Answer | NoAnswer
        try:
            response = self._client.request(
                method, address, headers=headers, content=body, timeout=limits
            )
        except httpx.HTTPError as error:
            outcome = _no_answer(error)
        else:
            outcome = _answer(response, response.content)
        self._note(call, outcome, time.monotonic() - started)
        return outcome

    def _note(self, call: str, outcome: Answer | NoAnswer, seconds: float) -> None:
        label = str(outcome.status) if isinstance(outcome, Answer) else outcome.reason
        SECONDS.labels(call=call).observe(seconds)
        CALLS.labels(call=call, outcome=label).inc()
        logger.info(
            "wechat call",
            extra={
                "call": call,
                "outcome": label,
                "ms": round(seconds * 1000),
                "wechat_request_id": outcome.request_id if isinstance(outcome, Answer) else "",
            },
        )


@cache
def trusted() -> ssl.SSLContext:
    """The authorities httpx trusts; reading their list costs more than many a call."""
    return httpx.create_ssl_context()


def _limits(usual: httpx.Timeout, read_seconds: float) -> httpx.Timeout:
    return httpx.Timeout(read_seconds, connect=usual.connect)


def _answer(response: httpx.Response, body: bytes) -> Answer:
    return Answer(status=response.status_code, headers=response.headers, body=body)


def _no_answer(error: httpx.HTTPError) -> NoAnswer:
    before = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    return NoAnswer(reason=type(error).__name__, may_have_arrived=not before)
