"""The mini program: who opened it, the phone number its holder shares, subscription messages.

Its people have other openids than at the Official Account. `session_key` stays in memory of the
caller and opens what the phone sealed; it never goes to a page.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from hospital.wechat import reading, sending, signing
from hospital.wechat.api import Api
from hospital.wechat.config import WeChatConfig
from hospital.wechat.http import wire_to
from hospital.wechat.outcomes import Refused, Unknown
from hospital.wechat.sending import MessageOutcome, SubscriptionMessage

TOKEN_NAME = "wechat.mini.access_token"  # noqa: S105 - a name, not a secret
SHARED_SECONDS = 300
_BLOCK_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class Session:
    """Who opened the mini program."""

    openid: str
    unionid: str
    session_key: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class PhoneNumber:
    """The number WeChat has checked; `number` is without the country's code."""

    number: str = field(repr=False)
    country_code: str
    shared_at: datetime


SessionOutcome = Session | Refused | Unknown
PhoneOutcome = PhoneNumber | Refused | Unknown


class MiniProgram:
    """One mini program. Safe for threads."""

    def __init__(self, config: WeChatConfig) -> None:
        self._appid = config.mini_appid
        self._api = Api(
            appid=config.mini_appid,
            secret=config.mini_secret,
            token_name=TOKEN_NAME,
            wire=wire_to(config, [config.api_base]),
        )

    def close_connections(self) -> None:
        self._api.close()

    def code_to_session(self, *, code: str) -> SessionOutcome:
        """Turn the one-time code of `wx.login` into an openid. Never repeated: a used code is
        refused (40163)."""
        facts = self._api.signed_in(
            "mini_login",
            "/sns/jscode2session",
            {"js_code": code, "grant_type": "authorization_code"},
        )
        if isinstance(facts, Refused | Unknown):
            return facts
        openid, session_key = facts.get("openid"), facts.get("session_key")
        if not (isinstance(openid, str) and openid and isinstance(session_key, str)):
            return Unknown(reason="unreadable:openid")
        return Session(
            openid=openid, unionid=str(facts.get("unionid") or ""), session_key=session_key
        )

    def phone_number(self, *, code: str, at: datetime) -> PhoneOutcome:
        """Turn the one-time code of the phone button (not the log-in's) into the number.

        A number stamped for another app, or longer than five minutes ago, is not believed.
        """
        facts = self._api.call(
            "mini_phone", "POST", "/wxa/business/getuserphonenumber", {"code": code}
        )
        if isinstance(facts, Refused | Unknown):
            return facts
        try:
            return _phone(facts.get("phone_info"), appid=self._appid, at=at)
        except signing.Unreadable as error:
            return Unknown(reason=f"unreadable:{error}")

    def send_subscription(self, message: SubscriptionMessage) -> MessageOutcome:
        """Send one notification for which its reader has given a consent."""
        return sending.send_mini_subscription(self._api, message)


def open_shared(*, session_key: str, iv: str, sealed: str, appid: str) -> reading.Facts:
    """What a phone sealed with the session key (the old way to share). Raises Unreadable, also
    when it was sealed for another app."""
    try:
        key, start, body = (b64decode(each, validate=True) for each in (session_key, iv, sealed))
        decryptor = Cipher(AES(key), CBC(start)).decryptor()
        padded = decryptor.update(body) + decryptor.finalize()
    except (NotBase64, ValueError) as error:
        raise signing.Unreadable("sealed") from error
    filler = padded[-1] if padded else 0
    if not 1 <= filler <= _BLOCK_BYTES or padded[-filler:] != bytes([filler]) * filler:
        raise signing.Unreadable("padding")
    facts = reading.read_json(padded[:-filler])
    _watermark(facts, appid=appid)
    return facts


def _phone(info: object, *, appid: str, at: datetime) -> PhoneNumber:
    if not isinstance(info, dict):
        raise signing.Unreadable("phone_info")
    stamped = _watermark(info, appid=appid)
    if abs((at - stamped).total_seconds()) > SHARED_SECONDS:
        raise signing.Unreadable("watermark_stale")
    number = info.get("purePhoneNumber")
    if not isinstance(number, str) or not number.isascii() or not number.isdigit():
        raise signing.Unreadable("number")
    return PhoneNumber(
        number=number, country_code=str(info.get("countryCode") or "86"), shared_at=stamped
    )


def _watermark(facts: reading.Facts, *, appid: str) -> datetime:
    mark = facts.get("watermark")
    if not isinstance(mark, dict):
        raise signing.Unreadable("watermark")
    if mark.get("appid") != appid:
        raise signing.Unreadable("watermark_appid")
    return reading.moment(mark.get("timestamp"))
