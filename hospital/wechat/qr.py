"""QR codes with a scene: who scans one follows the account, and we learn which code it was."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hospital.wechat.api import Api
from hospital.wechat.outcomes import Refused, Unknown

LONGEST_SECONDS = 2_592_000  # thirty days
LONGEST_SCENE = 64


@dataclass(frozen=True, kw_only=True)
class QrTicket:
    """`url` is what the code says (draw it yourself); `picture_url` is WeChat's own drawing."""

    ticket: str
    url: str
    picture_url: str
    seconds: int | None


QrOutcome = QrTicket | Refused | Unknown


def create_qr(api: Api, *, scene: str, seconds: int | None, picture_base: str) -> QrOutcome:
    """Ask for a code of this scene (1 to 64 characters): for at most thirty days, or, without
    `seconds`, for ever, of which an account has 100,000 in all."""
    assert 0 < len(scene) <= LONGEST_SCENE, "a scene of 1 to 64 characters"
    assert seconds is None or 0 < seconds <= LONGEST_SECONDS, "at most thirty days"
    content: dict[str, Any] = {
        "action_name": "QR_LIMIT_STR_SCENE" if seconds is None else "QR_STR_SCENE",
        "action_info": {"scene": {"scene_str": scene}},
    }
    if seconds is not None:
        content["expire_seconds"] = seconds
    said = api.call("qr_code", "POST", "/cgi-bin/qrcode/create", content)
    if isinstance(said, Refused | Unknown):
        return said
    ticket, url = said.get("ticket"), said.get("url")
    if not isinstance(ticket, str) or not ticket or not isinstance(url, str):
        return Unknown(reason="unreadable:ticket")
    life = said.get("expire_seconds")
    return QrTicket(
        ticket=ticket,
        url=url,
        picture_url=f"{picture_base}/cgi-bin/showqrcode?ticket={quote(ticket, safe='')}",
        seconds=life if isinstance(life, int) and seconds is not None else None,
    )
