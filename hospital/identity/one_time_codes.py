"""Codes that work once: six digits from a phone (TOTP, RFC 6238) and recovery codes on paper.

Arithmetic only; that each works once is the actions' to see to.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from typing import Final

import pyotp

from hospital.kernel import sealed

STEP_SECONDS: Final = 30
#: A phone's clock may be one step off, either way.
DRIFT: Final = 1
RECOVERY_CODES: Final = 10
_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUP: Final = 5
_PURPOSE: Final = "identity.recovery_code"


def new_secret() -> str:
    """160 random bits as authenticator apps read them (base 32)."""
    return pyotp.random_base32()


def address_for_app(secret: str, *, username: str, hospital: str) -> str:
    """What the QR code says to an authenticator app."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=hospital)


def step_at(at: dt.datetime) -> int:
    """The number of the 30 seconds a moment lies in."""
    return int(at.timestamp()) // STEP_SECONDS


def code_of(secret: str, step: int) -> str:
    """The six digits of a step."""
    return pyotp.TOTP(secret).generate_otp(step)


def matching_step(secret: str, code: str, *, at: dt.datetime, after: int) -> int | None:
    """The step a code belongs to, None when it fits none later than `after` (the last one used).

    Every step is looked at whatever the others say, so that the time taken tells nothing.
    """
    digits = _digits(code)
    now, found = step_at(at), None
    for step in range(now - DRIFT, now + DRIFT + 1):
        fits = hmac.compare_digest(code_of(secret, step).encode(), digits)
        if fits and step > after and found is None:
            found = step
    return found


def next_code(secret: str, *, at: dt.datetime, after: int) -> str:
    """A code that works now and was not used, "" when it takes seconds until there is one.

    For the demo's pages, never for a live hospital.
    """
    step = max(step_at(at), after + 1)
    return code_of(secret, step) if step <= step_at(at) + DRIFT else ""


def new_recovery_codes() -> list[str]:
    """Ten codes of 49 random bits each, in two groups nobody misreads."""
    return [f"{_word()}-{_word()}" for _ in range(RECOVERY_CODES)]


def fingerprint(recovery_code: str) -> str:
    """What is kept of a recovery code: a keyed digest, whatever blanks and dashes were typed."""
    plain = "".join(sign for sign in recovery_code.lower() if sign in _ALPHABET)
    return sealed.blind_index(plain, _PURPOSE)


def looks_like_recovery(code: str) -> bool:
    """Say whether somebody typed a recovery code rather than six digits."""
    return len([sign for sign in code if sign.isalnum()]) > len("000000")


def _word() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP))


def _digits(code: str) -> bytes:
    return "".join(code.split()).encode()
