"""The Official Account: who is looking (OAuth), page signatures (JS-SDK), and all it can be told.

One façade; what it says and hears is typed in the modules by noun: `sending`, `menus`, `qr`,
`users`. Nothing of WeChat's JSON leaves this package.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlencode

from hospital.wechat import menus, qr, sending, signing, users
from hospital.wechat.api import Api, TokenUnavailable
from hospital.wechat.config import API_HOST, WeChatConfig
from hospital.wechat.http import wire_to
from hospital.wechat.menus import Menu, MenuChange, MenuOutcome
from hospital.wechat.outcomes import Refused, Unknown
from hospital.wechat.qr import QrOutcome
from hospital.wechat.sending import (
    MessageOutcome,
    Retryable,
    Sent,
    SubscriptionMessage,
    TemplateMessage,
    Undeliverable,
)
from hospital.wechat.users import UserOutcome

__all__ = [
    "MessageOutcome",
    "OfficialAccount",
    "PageTicket",
    "Retryable",
    "Sent",
    "SubscriptionMessage",
    "TemplateMessage",
    "Undeliverable",
    "Visitor",
]

Scope = Literal["snsapi_base", "snsapi_userinfo"]

# Under these names the kernel keeps them; readyz watches the token's age.
TOKEN_NAME = "wechat.access_token"  # noqa: S105 - a name, not a secret
TICKET_NAME = "wechat.jsapi_ticket"
PICTURE_HOST = "https://mp.weixin.qq.com"


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


VisitorOutcome = Visitor | Refused | Unknown


class OfficialAccount:
    """One Official Account. Safe for threads."""

    def __init__(self, config: WeChatConfig) -> None:
        self._config = config
        self._api = Api(
            appid=config.appid,
            secret=config.secret,
            token_name=TOKEN_NAME,
            wire=wire_to(config, [config.api_base]),
        )

    def close_connections(self) -> None:
        self._api.close()

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
        facts = self._api.signed_in(
            "oauth_code",
            "/sns/oauth2/access_token",
            {"code": code, "grant_type": "authorization_code"},
        )
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
        path = "/cgi-bin/ticket/getticket?type=jsapi"
        try:
            ticket = self._api.lasting(
                TICKET_NAME, lambda: self._api.call("jsapi_ticket", "GET", path), "ticket"
            )
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
        return sending.send_template(self._api, message)

    def send_subscription(self, message: SubscriptionMessage) -> MessageOutcome:
        """Send one notification for which its reader has given a consent."""
        return sending.send_subscription(self._api, message)

    def send_customer_text(self, *, openid: str, text: str) -> MessageOutcome:
        """Answer somebody who wrote or tapped within the last 48 hours."""
        return sending.send_text(self._api, openid=openid, text=text)

    def get_menu(self) -> MenuOutcome:
        """The menu WeChat shows now; an empty one when it has none."""
        return menus.get_menu(self._api)

    def create_menu(self, menu: Menu) -> MenuChange:
        """Put this menu in the place of whatever is there."""
        return menus.create_menu(self._api, menu)

    def delete_menu(self) -> MenuChange:
        """Take the menu away."""
        return menus.delete_menu(self._api)

    def create_qr(self, *, scene: str, seconds: int | None = None) -> QrOutcome:
        """A QR code of this scene, for so many seconds or for ever."""
        base = PICTURE_HOST if self._config.api_base == API_HOST else self._config.api_base
        return qr.create_qr(self._api, scene=scene, seconds=seconds, picture_base=base)

    def user_info(self, *, openid: str) -> UserOutcome:
        """Whether a person follows the account, and how it came."""
        return users.user_info(self._api, openid=openid)
