"""One account's door to api.weixin.qq.com: the shared access token and how its answers read.

The token is WeChat's stable token, kept once for all processes (kernel.shared_tokens). When WeChat
refuses it, it is renewed once and the call repeated once, never more. What an answer means is the
business of the modules by noun beside this one (sending, menus, qr, users, mini).
"""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from hospital.kernel import shared_tokens
from hospital.wechat import reading, signing
from hospital.wechat.http import NoAnswer, Wire
from hospital.wechat.outcomes import Refused, Unknown

logger = logging.getLogger(__name__)

LONGEST_LIFE_SECONDS = 7 * 86400
TOKEN_REFUSED = {"40001", "40014", "42001"}
#: How the reason of an Unknown starts when nothing at all reached WeChat.
UNREACHED = "not_sent:"
BUSY = "busy"
TOKEN_REFUSED_TWICE = "token_refused_twice"  # noqa: S105 - a reason, not a secret

Said = reading.Facts | Refused | Unknown


class TokenUnavailable(Exception):
    """No token to be had now. Stays inside the calls of this package."""


class Api:
    """Calls for one app id. Safe for threads."""

    def __init__(self, *, appid: str, secret: str, token_name: str, wire: Wire) -> None:
        self.appid = appid
        self._secret = secret
        self._token_name = token_name
        self._wire = wire

    def close(self) -> None:
        self._wire.close()

    def call(
        self,
        call: str,
        method: str,
        path: str,
        content: Mapping[str, Any] | None = None,
        *,
        repeats: int = 0,
    ) -> Said:
        """Call with the shared token; renew it once when it is refused."""
        refused: str | None = None
        for _ in range(2):
            try:
                token = self._token(refused=refused)
            except TokenUnavailable as error:
                return Unknown(reason=f"{UNREACHED}{error}")
            joint = "&" if "?" in path else "?"
            target = f"{path}{joint}{urlencode({'access_token': token})}"
            outcome = self.send(call, method, target, content, repeats=repeats)
            if not (isinstance(outcome, Refused) and outcome.code in TOKEN_REFUSED):
                return outcome
            logger.warning("access token refused", extra={"call": call, "code": outcome.code})
            refused = token
        return Unknown(reason=TOKEN_REFUSED_TWICE)

    def signed_in(self, call: str, path: str, query: Mapping[str, str]) -> Said:
        """A call that proves itself by app id and secret, as log-ins do."""
        target = f"{path}?{urlencode({'appid': self.appid, 'secret': self._secret, **query})}"
        return self.send(call, "GET", target)

    def send(
        self,
        call: str,
        method: str,
        target: str,
        content: Mapping[str, Any] | None = None,
        *,
        repeats: int = 0,
    ) -> Said:
        """One call as WeChat's API answers it: HTTP 200 always, `errcode` tells."""
        body = _json_bytes(content) if content is not None else b""
        answer = self._wire.send(
            call=call,
            method=method,
            target=target,
            headers=lambda: {"Content-Type": "application/json"} if body else {},
            body=body,
            repeats=repeats,
        )
        if isinstance(answer, NoAnswer):
            word = "no_answer:" if answer.may_have_arrived else UNREACHED
            return Unknown(reason=f"{word}{answer.reason}")
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            # Turned away at the door: as certain as the -1 that says so with 200.
            return Unknown(reason=BUSY)
        if answer.status != HTTPStatus.OK:
            return Unknown(reason=f"http_{answer.status}")
        try:
            facts = reading.read_json(answer.body)
        except signing.Unreadable as error:
            return Unknown(reason=f"unreadable:{error}")
        code = str(facts.get("errcode", 0))
        if code == "-1":
            return Unknown(reason=BUSY)
        if code != "0":
            return Refused(code=code, message=str(facts.get("errmsg", "")), status=answer.status)
        return facts

    def lasting(self, name: str, fetch: Callable[[], Said], field: str) -> str:
        """Another thing with a life that all processes share, such as the page ticket.

        Raises TokenUnavailable.
        """
        return shared_tokens.token(name, lambda: _living(fetch(), field))

    def _token(self, *, refused: str | None) -> str:
        return shared_tokens.token(
            self._token_name, lambda: self._fetch_token(refused=refused), refused=refused
        )

    def _fetch_token(self, *, refused: str | None) -> tuple[str, timedelta]:
        """The stable token. Forcing a new one is rationed (20 a day), so it is the second step,
        for when WeChat hands out again what it has just refused. Raises TokenUnavailable."""
        found = self._ask_token(force=False)
        return self._ask_token(force=True) if found[0] == refused else found

    def _ask_token(self, *, force: bool) -> tuple[str, timedelta]:
        content: dict[str, Any] = {
            "grant_type": "client_credential",
            "appid": self.appid,
            "secret": self._secret,
        }
        if force:
            content["force_refresh"] = True
        facts = self.send("stable_token", "POST", "/cgi-bin/stable_token", content, repeats=1)
        return _living(facts, "access_token")


def _json_bytes(content: Mapping[str, Any]) -> bytes:
    """Chinese as it is: the API counts the bytes of what arrives, and shows \\u escapes as text."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _living(facts: Said, field: str) -> tuple[str, timedelta]:
    if isinstance(facts, Refused):
        raise TokenUnavailable(f"errcode_{facts.code}")
    if isinstance(facts, Unknown):
        raise TokenUnavailable(facts.reason)
    value, life = facts.get(field), facts.get("expires_in")
    if not isinstance(value, str) or not value or not isinstance(life, int):
        raise TokenUnavailable(f"unreadable:{field}")
    if not 0 < life <= LONGEST_LIFE_SECONDS:
        raise TokenUnavailable("unreadable:expires_in")
    return value, timedelta(seconds=life)
