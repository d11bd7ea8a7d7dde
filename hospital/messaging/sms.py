"""The SMS platform behind one small interface: a text to a phone, under our own reference.

The HTTP implementation posts `{"to", "text", "reference"}` with a bearer key to SMS_URL and is
answered 200 `{"id"}`; a hospital puts its platform behind that, or writes a class of its own. The
same reference is the same SMS: a repeat sends nothing more. A hospital without SMS leaves SMS_URL
empty, and `gateway()` is None.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

import httpx
from django.conf import settings
from prometheus_client import Counter

logger = logging.getLogger(__name__)
CALLS = Counter("sms_calls", "Calls to the SMS platform by outcome.", ["outcome"])
_TIMEOUT = httpx.Timeout(10.0, connect=3.0)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The platform took it, under this number of its own."""

    sms_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The platform will never send this one."""

    code: str


@dataclass(frozen=True, slots=True)
class TryLater:
    """Not known to be sent; worth another try."""

    reason: str


SmsOutcome = Accepted | Refused | TryLater


class SmsGateway(Protocol):
    """What messaging needs of an SMS platform."""

    def send(self, *, to: str, text: str, reference: str) -> SmsOutcome:
        """Send a text to a mainland mobile number; never raises for what a network does."""


class HttpSms:
    """The platform at SMS_URL. The phone, the text and the key are never logged."""

    def __init__(self, *, url: str, key: str) -> None:
        self._address = url
        self._headers = {"Authorization": f"Bearer {key}"}

    def send(self, *, to: str, text: str, reference: str) -> SmsOutcome:
        said = {"to": to, "text": text, "reference": reference}
        try:
            answer = httpx.post(
                self._address,
                json=said,
                headers=self._headers,
                timeout=_TIMEOUT,
                trust_env=False,
                follow_redirects=False,
            )
        except httpx.HTTPError as problem:
            return _noted(TryLater(type(problem).__name__))
        return _noted(_read(answer))


def gateway() -> SmsGateway | None:
    """Return the platform this installation is connected to, None when there is none."""
    if not settings.SMS_URL:
        return None
    return HttpSms(url=settings.SMS_URL, key=settings.SMS_KEY)


def _read(answer: httpx.Response) -> SmsOutcome:
    status = answer.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TryLater(f"http_{status}")
    if status != HTTPStatus.OK:
        return Refused(f"http_{status}")
    try:
        said = answer.json()
    except ValueError:
        return TryLater("unreadable")
    sms_id = said.get("id") if isinstance(said, dict) else None
    return Accepted(str(sms_id)) if sms_id else TryLater("unreadable")


def _noted(outcome: SmsOutcome) -> SmsOutcome:
    label = type(outcome).__name__.lower()
    CALLS.labels(outcome=label).inc()
    why = outcome.code if isinstance(outcome, Refused) else getattr(outcome, "reason", "")
    logger.info("sms call", extra={"outcome": label, "why": why})
    return outcome
