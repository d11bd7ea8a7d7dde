"""The Official Account: who is looking (OAuth), page signatures (JS-SDK), template messages.

The API token is WeChat's stable token, kept once for all processes (kernel.shared_tokens). When
WeChat refuses it, it is renewed once and the call repeated once, never more.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urlencode

from hospital.kernel import shared_tokens
from hospital.wechat import reading, signing
from hospital.wechat.config import WeChatConfig
from hospital.wechat.http import NoAnswer, Wire
from hospital.wechat.outcomes import Refused, Unknown
from hospital.wechat.pay import compact

logger = logging.getLogger(__name__)

Scope = Literal["snsapi_base", "snsapi_userinfo"]

# Under these names the kernel keeps them; readyz watches the token's age.
TOKEN_NAME = "wechat.access_token"  # noqa: S105 - a name, not a secret
TICKET_NAME = "wechat.jsapi_ticket"
TOKEN_REFUSED = {"40001", "40014", "42001"}
# This person or this message can never be served: nobody should try again.
UNDELIVERABLE = {
    "40003": "openid_unknown",
    "40037": "template_unknown",
    "41030": "page_unknown",
    "43004": "not_following",
    "43019": "blocked",
    "43101": "no_consent",
    "47001": "bad_message",
    "47003": "bad_field",
    "48001": "no_permission",
    "48004": "banned",
    "50005": "not_following",
}


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Who opened the page. A snapshot visitor has a made-up openid: never bind or charge it."""

    openid: str
    unionid: str
    is_snapshot: bool


@dataclass(frozen=True, kw_only=True)
class PageTicket:
    """What `wx.config` needs on one page."""

    app_id: str
    timestamp: str
    nonce: str
    signature: str


@dataclass(frozen=True, kw_only=True)
class TemplateMessage:
    """`fields` maps the template's keys to values; `client_message_id` lets WeChat drop repeats."""

    openid: str
    template_id: str
    url: str
    fields: Mapping[str, str]
    client_message_id: str


@dataclass(frozen=True, kw_only=True)
class Sent:
    message_id: str


@dataclass(frozen=True, kw_only=True)
class Undeliverable:
    """Final: this message will never reach this person this way."""

    code: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Retryable:
    """Not sent, as far as we know; worth another try later."""

    reason: str


VisitorOutcome = Visitor | Refused | Unknown
MessageOutcome = Sent | Undeliverable | Retryable


class TokenUnavailable(Exception):
    """No token to be had now. Stays inside this module."""


class OfficialAccount:
    """One Official Account. Safe for threads."""

    def __init__(self, config: WeChatConfig) -> None:
        self._config = config
        self._wire = Wire(
            hosts=[config.api_base],
            connect_seconds=config.connect_seconds,
            read_seconds=config.read_seconds,
        )

    def close_connections(self) -> None:
        self._wire.close()

    def authorize_url(self, *, redirect_uri: str, state: str, scope: Scope = "snsapi_base") -> str:
        """Where to send a browser to learn who it is; WeChat insists on this parameter order."""
        query = urlencode(
            [
                ("appid", self._config.appid),
                ("redirect_uri", redirect_uri),
                ("response_type", "code"),
                ("scope", scope),
                ("state", state),
            ]
        )
        return f"{self._config.open_base}/connect/oauth2/authorize?{query}#wechat_redirect"

    def exchange_code(self, *, code: str) -> VisitorOutcome:
        """Turn the one-time code of the redirect into an openid. Never repeated: a used code is
        refused (40163)."""
        query = urlencode(
            [
                ("appid", self._config.appid),
                ("secret", self._config.secret),
                ("code", code),
                ("grant_type", "authorization_code"),
            ]
        )
        facts = self._send("oauth_code", "GET", f"/sns/oauth2/access_token?{query}")
        if isinstance(facts, Refused | Unknown):
            return facts
        openid = facts.get("openid")
        if not isinstance(openid, str) or not openid:
            return Unknown(reason="unreadable:openid")
        return Visitor(
            openid=openid,
            unionid=str(facts.get("unionid") or ""),
            is_snapshot=str(facts.get("is_snapshotuser") or "0") == "1",
        )

    def page_ticket(self, *, url: str, at: datetime) -> PageTicket | Unknown:
        """Sign a page for `wx.config`; `url` is exactly what the browser shows."""
        try:
            ticket = shared_tokens.token(TICKET_NAME, self._fetch_ticket)
        except TokenUnavailable as error:
            return Unknown(reason=str(error))
        nonce, timestamp = signing.nonce(), str(int(at.timestamp()))
        return PageTicket(
            app_id=self._config.appid,
            timestamp=timestamp,
            nonce=nonce,
            signature=signing.page_signature(
                ticket=ticket, nonce=nonce, timestamp=timestamp, url=url
            ),
        )

    def send_template_message(self, message: TemplateMessage) -> MessageOutcome:
        """Send one message to one follower."""
        facts = self._call(
            "template_message",
            "POST",
            "/cgi-bin/message/template/send",
            {
                "touser": message.openid,
                "template_id": message.template_id,
                "url": message.url,
                "client_msg_id": message.client_message_id,
                "data": {key: {"value": value} for key, value in message.fields.items()},
            },
        )
        if isinstance(facts, Unknown):
            return Retryable(reason=facts.reason)
        if isinstance(facts, Refused):
            if facts.code in UNDELIVERABLE:
                return Undeliverable(code=facts.code, reason=UNDELIVERABLE[facts.code])
            return Retryable(reason=f"errcode_{facts.code}")
        return Sent(message_id=str(facts.get("msgid", "")))

    def _call(
        self, call: str, method: str, path: str, content: Mapping[str, Any] | None = None
    ) -> reading.Facts | Refused | Unknown:
        """Call with the shared token; renew it once when it is refused."""
        refused: str | None = None
        outcome: reading.Facts | Refused | Unknown = Unknown(reason="no_token")
        for _ in range(2):
            try:
                token = self._token(refused=refused)
            except TokenUnavailable as error:
                return Unknown(reason=str(error))
            joint = "&" if "?" in path else "?"
            target = f"{path}{joint}{urlencode({'access_token': token})}"
            outcome = self._send(call, method, target, content)
            if not (isinstance(outcome, Refused) and outcome.code in TOKEN_REFUSED):
                return outcome
            logger.warning("access token refused", extra={"call": call, "code": outcome.code})
            refused = token
        return Unknown(reason="token_refused_twice")

    def _token(self, *, refused: str | None) -> str:
        return shared_tokens.token(
            TOKEN_NAME, lambda: self._fetch_token(refused=refused), refused=refused
        )

    def _fetch_token(self, *, refused: str | None) -> tuple[str, timedelta]:
        """The stable token. Forcing a new one is rationed (20 a day), so it is the second step,
        for when WeChat hands out again what it has just refused. Raises TokenUnavailable."""
        found = self._ask_token(force=False)
        return self._ask_token(force=True) if found[0] == refused else found

    def _ask_token(self, *, force: bool) -> tuple[str, timedelta]:
        content: dict[str, Any] = {
            "grant_type": "client_credential",
            "appid": self._config.appid,
            "secret": self._config.secret,
        }
        if force:
            content["force_refresh"] = True
        facts = self._send("stable_token", "POST", "/cgi-bin/stable_token", content, repeats=1)
        return _token_of(facts, "access_token")

    def _fetch_ticket(self) -> tuple[str, timedelta]:
        return _token_of(
            self._call("jsapi_ticket", "GET", "/cgi-bin/ticket/getticket?type=jsapi"), "ticket"
        )

    def _send(
        self,
        call: str,
        method: str,
        target: str,
        content: Mapping[str, Any] | None = None,
        *,
        repeats: int = 0,
    ) -> reading.Facts | Refused | Unknown:
        """One call as WeChat's API answers it: HTTP 200 always, `errcode` tells."""
        body = compact(content) if content is not None else b""
        answer = self._wire.send(
            call=call,
            method=method,
            target=target,
            headers=lambda: {"Content-Type": "application/json"} if body else {},
            body=body,
            repeats=repeats,
        )
        if isinstance(answer, NoAnswer):
            return Unknown(reason=f"no_answer:{answer.reason}")
        if answer.status != HTTPStatus.OK:
            return Unknown(reason=f"http_{answer.status}")
        try:
            facts = reading.read_json(answer.body)
        except signing.Unreadable as error:
            return Unknown(reason=f"unreadable:{error}")
        code = str(facts.get("errcode", 0))
        if code == "-1":
            return Unknown(reason="busy")
        if code != "0":
            return Refused(code=code, message=str(facts.get("errmsg", "")), status=answer.status)
        return facts


def _token_of(facts: reading.Facts | Refused | Unknown, name: str) -> tuple[str, timedelta]:
    if isinstance(facts, Refused):
        raise TokenUnavailable(f"errcode_{facts.code}")
    if isinstance(facts, Unknown):
        raise TokenUnavailable(facts.reason)
    value, life = facts.get(name), facts.get("expires_in")
    if not isinstance(value, str) or not value or not isinstance(life, int):
        raise TokenUnavailable(f"unreadable:{name}")
    return value, timedelta(seconds=life)
