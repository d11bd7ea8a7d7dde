"""WeChat's keys, found by the serial a message names: the public key, or a platform certificate.

Platform certificates rotate and several are valid at once, so they are fetched from
`/v3/certificates`: every 12 hours, and when an unknown serial turns up. Anybody may send us
unknown serials, so the second kind is rationed: once a minute, and each time in vain the wait
doubles, up to an hour. The old ones stay until they end.
"""

import json
import logging
import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from hospital.kernel import clock
from hospital.wechat.config import PUBLIC_KEY_PREFIX, WeChatConfig, plain_serial, serial_of
from hospital.wechat.http import UNTRUSTED, Answer, NoAnswer
from hospital.wechat.signing import KeyOf, Unreadable, Untrusted, check_message, open_sealed

logger = logging.getLogger(__name__)

REFRESH_AFTER = timedelta(hours=12)
ASK_AT_MOST_EVERY = timedelta(minutes=1)
ASK_AT_LEAST_EVERY = timedelta(hours=1)
# What a certificate's serial can be; anything else is not worth a question.
SERIAL = re.compile(r"[0-9A-Fa-f]{8,40}")

Fetch = Callable[[], Answer | NoAnswer]


class Keyring:
    """Keys of one merchant account, shared by the threads of a process."""

    def __init__(self, *, config: WeChatConfig, fetch: Fetch) -> None:
        self._config = config
        self._fetch = fetch
        self._lock = threading.Lock()
        self._certificates = {
            serial_of(certificate): certificate for certificate in config.platform_certificates
        }
        self._fetched_at: datetime | None = None
        self._asked_at: datetime | None = None
        self._wait = ASK_AT_MOST_EVERY

    def key_of(self, serial: str) -> RSAPublicKey | None:
        """WeChat's key under this serial, or None when WeChat has no such key."""
        now = clock.now()
        if SERIAL.fullmatch(serial) and (
            plain_serial(serial) not in self._certificates or self._is_old(now)
        ):
            self._refresh(now)
        return self._known_key(serial)

    def sealing_key(self) -> tuple[str, RSAPublicKey] | None:
        """The key that seals fields for WeChat, with the serial to name it by: the public key, else
        the certificate that is valid longest; None when neither is known."""
        config = self._config
        if config.public_key is not None:
            return config.public_key_id, config.public_key
        now = clock.now()
        if self._is_old(now):
            self._refresh(now)
        found = [
            (certificate.not_valid_after_utc, serial, key)
            for serial, certificate in self._certificates.items()
            if (key := _valid_key(certificate, now)) is not None
        ]
        if not found:
            return None
        _, serial, key = max(found, key=lambda each: each[:2])
        return serial, key

    def _known_key(self, serial: str) -> RSAPublicKey | None:
        if serial.startswith(PUBLIC_KEY_PREFIX):
            return self._config.public_key if serial == self._config.public_key_id else None
        certificate = self._certificates.get(plain_serial(serial))
        return _valid_key(certificate, clock.now()) if certificate else None

    def _is_old(self, now: datetime) -> bool:
        return self._fetched_at is None or now - self._fetched_at > REFRESH_AFTER

    def _refresh(self, now: datetime) -> None:
        with self._lock:
            if self._asked_at is not None and now - self._asked_at < self._wait:
                return
            self._asked_at = now
        brought = self._ask(now)
        with self._lock:
            kept = {
                serial: certificate
                for serial, certificate in self._certificates.items()
                if certificate.not_valid_after_utc > now
            }
            is_news = bool(brought.keys() - kept.keys())
            self._wait = ASK_AT_MOST_EVERY if is_news else min(self._wait * 2, ASK_AT_LEAST_EVERY)
            self._certificates = {**kept, **brought}
            if brought:
                self._fetched_at = now

    def _ask(self, now: datetime) -> dict[str, x509.Certificate]:
        """The list WeChat gives, or nothing."""
        answer = self._fetch()
        if isinstance(answer, NoAnswer) or answer.status != HTTPStatus.OK:
            # 404 is the normal answer for a merchant that only ever had the public key.
            return {}
        try:
            return read_certificates(
                answer=answer, apiv3_key=self._config.apiv3_key, known=self._known_key, at=now
            )
        except (Untrusted, Unreadable) as error:
            UNTRUSTED.labels(kind="certificates", reason=str(error)).inc()
            logger.error("platform certificates refused", extra={"reason": str(error)})
            return {}


def read_certificates(
    *, answer: Answer, apiv3_key: bytes, known: KeyOf, at: datetime
) -> dict[str, x509.Certificate]:
    """Open the list and check its signature with the keys we know or, the first time, with the
    very certificates it brings: only WeChat and we hold the key that sealed them.

    Raises Unreadable or Untrusted.
    """
    try:
        fresh = dict(_open_one(entry, apiv3_key) for entry in json.loads(answer.body)["data"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable("not_a_certificate_list") from error

    def key_of(serial: str) -> RSAPublicKey | None:
        certificate = fresh.get(plain_serial(serial))
        return known(serial) or (_valid_key(certificate, at) if certificate else None)

    check_message(headers=answer.headers, body=answer.body, key_of=key_of, at=at)
    return fresh


def _open_one(entry: dict[str, Any], apiv3_key: bytes) -> tuple[str, x509.Certificate]:
    sealed = entry["encrypt_certificate"]
    pem = open_sealed(
        key=apiv3_key,
        nonce=sealed["nonce"],
        associated_data=sealed["associated_data"],
        ciphertext=sealed["ciphertext"],
    )
    certificate = x509.load_pem_x509_certificate(pem)
    return serial_of(certificate), certificate


def _valid_key(certificate: x509.Certificate, at: datetime) -> RSAPublicKey | None:
    if not certificate.not_valid_before_utc <= at < certificate.not_valid_after_utc:
        return None
    key = certificate.public_key()
    return key if isinstance(key, RSAPublicKey) else None
