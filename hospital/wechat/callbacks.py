"""Callbacks of the Official Account: query and raw body → typed message, or InvalidCallback.

Proves that WeChat sent it (signature, a stamp of at most five minutes, our app id inside), opens it
and reads it. Nothing here decides or stores. A sealed message is always read sealed; a plain one is
believed only where the account is set to plain, because its signature does not cover the body.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hospital.wechat import inbound, sealing, signing
from hospital.wechat.http import UNTRUSTED
from hospital.wechat.inbound import InboundMessage
from hospital.wechat.sending import MOST_TEXT_BYTES
from hospital.wechat.xml import MOST_BYTES, BadXml, Element, read_xml, write_xml

logger = logging.getLogger(__name__)

KIND: Final = "account_callback"
_LONGEST_WORD: Final = 128


@dataclass(frozen=True, kw_only=True)
class InvalidCallback:
    """Not usable. `is_from_wechat`: it was WeChat's and means nothing to us, so there is no use in
    sending it again; otherwise it is a stranger's."""

    reason: str
    is_from_wechat: bool = False


class CallbackReader:
    """Reads the callbacks of one account. `mode` is "plain", "compatible" or "safe", as the account
    is set at WeChat; without a token nothing is believed."""

    def __init__(self, *, appid: str, token: str, aes_key: str, mode: str) -> None:
        self._appid = appid
        self._token = token
        self._key = sealing.aes_key(aes_key) if aes_key else b""
        self._mode = mode

    def check_url(self, query: Mapping[str, str], *, at: datetime) -> str | InvalidCallback:
        """The word to answer when the address is entered at WeChat: it proves we hold the token."""
        echo = query.get("echostr", "")
        try:
            stamp, nonce = self._stamped(query, at=at)
            if "msg_signature" in query:
                self._prove(query["msg_signature"], stamp, nonce, echo)
                return self._opened(echo).decode()
            self._prove(query.get("signature", ""), stamp, nonce)
        except signing.Untrusted as error:
            return _refused(error.reason)
        except (signing.Unreadable, UnicodeDecodeError):
            return _refused("unreadable")
        return echo

    def read(
        self, query: Mapping[str, str], body: bytes, *, at: datetime
    ) -> InboundMessage | InvalidCallback:
        """The message in a POST."""
        try:
            root = self._proved(query, body, at=at)
        except signing.Untrusted as error:
            return _refused(error.reason)
        except (BadXml, signing.Unreadable):
            return _refused("unreadable")
        try:
            return inbound.read_inbound(root)
        except signing.Unreadable as error:
            return _useless(f"unreadable:{error}")
        except inbound.UnknownKind:
            return _useless("unknown_kind")

    def text_reply(self, message: InboundMessage, text: str, *, nonce: str, at: datetime) -> bytes:
        """What to write into the answer of the callback itself, sealed as the account is set."""
        assert len(text.encode()) <= MOST_TEXT_BYTES, "a passive reply of at most 2048 bytes"
        stamp = str(int(at.timestamp()))
        plain = write_xml(
            {
                "ToUserName": message.openid,
                "FromUserName": message.account,
                "CreateTime": stamp,
                "MsgType": "text",
                "Content": text,
            }
        )
        if not self._is_sealed:
            return plain
        sealed = sealing.seal(plain, key=self._key, appid=self._appid)
        return write_xml(
            {
                "Encrypt": sealed,
                "MsgSignature": sealing.signature(self._token, stamp, nonce, sealed),
                "TimeStamp": stamp,
                "Nonce": nonce,
            }
        )

    @property
    def _is_sealed(self) -> bool:
        return self._mode != "plain"

    def _proved(self, query: Mapping[str, str], body: bytes, *, at: datetime) -> Element:
        """The document, once it is certain whose it is. Raises Untrusted, BadXml, Unreadable."""
        stamp, nonce = self._stamped(query, at=at)
        if len(body) > MOST_BYTES:
            raise signing.Untrusted("too_big")
        if query.get("encrypt_type", "raw") == "raw":
            if self._is_sealed:
                raise signing.Untrusted("not_sealed")
            self._prove(query.get("signature", ""), stamp, nonce)
            return read_xml(body)
        sealed = read_xml(body).value("Encrypt")
        self._prove(query.get("msg_signature", ""), stamp, nonce, sealed)
        return read_xml(self._opened(sealed))

    def _stamped(self, query: Mapping[str, str], *, at: datetime) -> tuple[str, str]:
        """Stamp and nonce of a fresh request. Raises Untrusted."""
        if not self._token:
            raise signing.Untrusted("not_configured")
        stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            raise signing.Untrusted("bad_timestamp")
        if abs(at.timestamp() - int(stamp)) > signing.FRESH_SECONDS:
            raise signing.Untrusted("stale")
        if len(nonce) > _LONGEST_WORD:
            raise signing.Untrusted("bad_nonce")
        return stamp, nonce

    def _prove(self, given: str, *parts: str) -> None:
        if not sealing.is_signed(given[:_LONGEST_WORD], self._token, *parts):
            raise signing.Untrusted("bad_signature")

    def _opened(self, sealed: str) -> bytes:
        """What a proved sealed text holds. Raises Untrusted, Unreadable."""
        if not self._key:
            raise signing.Untrusted("no_key")
        message, appid = sealing.unseal(sealed, key=self._key)
        if appid != self._appid:
            raise signing.Untrusted("other_appid")
        return message


def _refused(reason: str) -> InvalidCallback:
    UNTRUSTED.labels(kind=KIND, reason=reason).inc()
    logger.warning("untrusted callback", extra={"reason": reason})
    return InvalidCallback(reason=reason)


def _useless(reason: str) -> InvalidCallback:
    logger.error("callback nobody understands", extra={"reason": reason})
    return InvalidCallback(reason=reason, is_from_wechat=True)
