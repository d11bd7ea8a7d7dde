"""The HTTP under every call to WeChat: time limits, standby host, careful repeats, figures, logs.

One `Wire` per group of hosts and process; it is safe for threads. It never raises for anything the
network does: the caller gets an `Answer` or `NoAnswer`. Addresses, bodies and headers are never
logged, because they carry tokens, openids and signatures.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import httpx
from prometheus_client import Counter, Histogram

from hospital.kernel import logs

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


class Wire:
    """Sends requests to the first host that answers."""

    def __init__(
        self, *, hosts: Sequence[str], connect_seconds: float, read_seconds: float
    ) -> None:
        self._hosts = list(hosts)
        self._client = httpx.Client(
            timeout=httpx.Timeout(read_seconds, connect=connect_seconds),
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
    ) -> Answer | NoAnswer:
        """Send the same bytes until somebody answers, at most `repeats` times more.

        A host that cannot be reached is always followed by the next one: nothing arrived there. A
        request that may have arrived is repeated only when the caller says that is harmless
        (`repeats`), after a growing pause, at the standby host at the end. `headers` is asked anew
        for each attempt, since a signature ages.
        """
        outcome: Answer | NoAnswer = NoAnswer(reason="no_host", may_have_arrived=False)
        may_have_arrived = False
        for attempt, host in enumerate(self._plan(repeats)):
            if may_have_arrived and attempt > repeats:
                break
            if attempt:
                time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
            outcome = self._once(call, method, host + target, headers(), body)
            if isinstance(outcome, Answer) and outcome.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                return outcome
            may_have_arrived = may_have_arrived or getattr(outcome, "may_have_arrived", True)
        if isinstance(outcome, NoAnswer):
            return NoAnswer(reason=outcome.reason, may_have_arrived=may_have_arrived)
        return outcome

    def close(self) -> None:
        self._client.close()

    def _plan(self, repeats: int) -> list[str]:
        """The main host for every attempt; the standby takes the last place."""
        main, *standby = self._hosts
        return [main] * (repeats + 1 - min(repeats, len(standby))) + standby

    def _once(
        self, call: str, method: str, address: str, headers: dict[str, str], body: bytes
    ) -> Answer | NoAnswer:
        started = time.monotonic()
        headers = {**headers, "X-Request-ID": logs.current_request()}
        outcome: Answer | NoAnswer
        try:
            response = self._client.request(method, address, headers=headers, content=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            outcome = NoAnswer(reason=type(error).__name__, may_have_arrived=False)
        except httpx.HTTPError as error:
            outcome = NoAnswer(reason=type(error).__name__, may_have_arrived=True)
        else:
            outcome = Answer(
                status=response.status_code, headers=response.headers, body=response.content
            )
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
