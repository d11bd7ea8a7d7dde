"""Looking at our own addresses from outside: the TLS certificate they show."""

from __future__ import annotations

import datetime as dt
import logging
import socket
import ssl
from typing import Final

from django.db import transaction

from hospital.kernel import clock
from hospital.monitoring import actions
from hospital.monitoring.probes.certificates import watched_hosts

logger = logging.getLogger(__name__)
_SECONDS: Final = 10.0


def check_certificates() -> None:
    """Ask every address of ours for its certificate and keep until when it holds, or the problem.

    Nothing is sent but the handshake. A certificate no browser would believe is a problem too.
    """
    for host, port in watched_hosts():
        with transaction.atomic(durable=True):
            pass  # Refuses to hold a transaction while the network is asked.
        expires_at, problem = _look(host, port)
        actions.note_certificate(host=host, expires_at=expires_at, problem=problem, at=clock.now())


def _look(host: str, port: int) -> tuple[dt.datetime | None, str]:
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection((host, port), timeout=_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            shown = secure.getpeercert()
    except ssl.SSLCertVerificationError as problem:
        logger.warning("our certificate is not believed", extra={"why": problem.verify_message})
        return None, f"浏览器不信任网站证书（{problem.verify_message}）。"
    except OSError as problem:
        logger.warning("our address does not answer", extra={"error": type(problem).__name__})
        return None, f"连不上自己的网址（{type(problem).__name__}）。"
    assert shown is not None  # a verified peer has shown one
    seconds = ssl.cert_time_to_seconds(str(shown["notAfter"]))
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC), ""
