"""A signed call to WeChat Pay v3: sign, send the very bytes, verify, read. Nothing about orders.

Every call comes back as facts of the wire for the façades beside (`pay`, `scan`, `bills`), or as
Refused or Unknown; nothing the wire can do raises.
"""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from hospital.kernel import clock
from hospital.wechat import reading, signing
from hospital.wechat.certificates import Keyring
from hospital.wechat.config import WeChatConfig
from hospital.wechat.http import UNTRUSTED, Answer, NoAnswer, wire_to
from hospital.wechat.outcomes import NotFound, Refused, Unknown
from hospital.wechat.xml import clean

logger = logging.getLogger(__name__)

REPEATS = 1
LONGEST_CODE = 64


class PayCalls:
    """The signed v3 wire of one merchant account. Safe for threads."""

    def __init__(self, config: WeChatConfig) -> None:
        self.config = config
        self._wire = wire_to(config, config.pay_hosts)
        self._signer = signing.Signer(
            mchid=config.mchid, serial=config.merchant_serial, key=config.merchant_key
        )
        self.keyring = Keyring(config=config, fetch=self._fetch_certificates)

    def close_connections(self) -> None:
        self._wire.close()

    def ask(
        self,
        call: str,
        method: str,
        target: str,
        content: Mapping[str, Any] | None = None,
        *,
        sealed_for: str = "",
        repeats: int = REPEATS,
        read_seconds: float | None = None,
    ) -> reading.Facts | Refused | Unknown:
        """Send, verify, read. A 204 reads as an empty object. `sealed_for` is the serial of the
        key that fields in the content were sealed with."""
        body = compact(content) if content is not None else b""
        answer = self._wire.send(
            call=call,
            method=method,
            target=target,
            headers=lambda: self._headers(method, target, body, sealed_for),
            body=body,
            repeats=repeats,
            read_seconds=read_seconds,
        )
        if isinstance(answer, NoAnswer):
            return Unknown(reason=f"no_answer:{answer.reason}")
        if answer.status >= HTTPStatus.BAD_REQUEST:
            return read_error(answer)
        try:
            signing.check_message(
                headers=answer.headers,
                body=answer.body,
                key_of=self.keyring.key_of,
                at=clock.now(),
            )
            return reading.read_json(answer.body) if answer.body else {}
        except signing.Untrusted as error:
            # Somebody between us and WeChat, or a key of ours is wrong: a person must look.
            UNTRUSTED.labels(kind=call, reason=error.reason).inc()
            logger.error("untrusted answer", extra={"call": call, "reason": error.reason})
            return Unknown(reason=f"untrusted:{error.reason}")
        except signing.Unreadable as error:
            return Unknown(reason=f"unreadable:{error}")

    def download(
        self, call: str, target: str, *, take: Callable[[bytes], None]
    ) -> Refused | Unknown | None:
        """Hand over a file piece by piece; None when all of it came. Files are not signed: their
        hash came in a signed answer. What `take` raises passes through."""
        answer = self._wire.download(
            call=call, target=target, headers=lambda: self._headers("GET", target, b""), take=take
        )
        if isinstance(answer, NoAnswer):
            return Unknown(reason=f"no_answer:{answer.reason}")
        return None if answer.status < HTTPStatus.MULTIPLE_CHOICES else read_error(answer)

    def _fetch_certificates(self) -> Answer | NoAnswer:
        target = "/v3/certificates"
        return self._wire.send(
            call="certificates",
            method="GET",
            target=target,
            headers=lambda: self._headers("GET", target, b""),
            repeats=REPEATS,
        )

    def _headers(
        self, method: str, target: str, body: bytes, sealed_for: str = ""
    ) -> dict[str, str]:
        signed = {
            "Authorization": self._signer.authorization(
                method=method, target=target, body=body, at=clock.now(), nonce=signing.nonce()
            )
        }
        if body:
            signed["Content-Type"] = "application/json"
        serial = sealed_for or self.config.public_key_id
        if serial:
            # Also chooses the key WeChat signs its answer with.
            signed["Wechatpay-Serial"] = serial
        return signed


def compact(content: Mapping[str, Any]) -> bytes:
    """Serialise once; these very bytes are signed and sent."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def plain(text: str, *, limit: int) -> str:
    """What WeChat Pay stores and its files can carry: characters of at most three bytes (no emoji,
    no rare plane-2 characters), nothing that breaks a line or XML, and no back-tick, which divides
    the fields of a bill."""
    kept = (mark for mark in clean(text) if ord(mark) <= 0xFFFF and mark not in "\n\t`")
    return "".join(kept)[:limit]


def rfc3339(at: datetime) -> str:
    return clock.local(at).isoformat(timespec="seconds")


def segment(number: str) -> str:
    """One part of a path."""
    return quote(number, safe="")


def missing(refused: Refused) -> NotFound | Refused:
    """A 404 to a question means that there is no such thing."""
    return NotFound() if refused.status == HTTPStatus.NOT_FOUND else refused


def read_error(answer: Answer) -> Refused | Unknown:
    """4xx with WeChat's own error body is a no; everything else leaves the state unknown."""
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unknown(reason=f"http_{answer.status}")
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Unknown(reason="too_many_requests")
    try:
        facts = reading.read_json(answer.body)
    except signing.Unreadable:
        return Unknown(reason=f"http_{answer.status}")
    if not facts.get("code"):
        return Unknown(reason=f"http_{answer.status}")
    if answer.status == HTTPStatus.UNAUTHORIZED:
        logger.error("wechat refused our signature", extra={"code": str(facts["code"])})
    return Refused(
        code=clean(str(facts["code"]))[:LONGEST_CODE],
        message=clean(str(facts.get("message", "")))[: reading.LONGEST_TEXT],
        status=answer.status,
    )
