"""Who a follower is to the account: does this person follow it, since when, and how it came."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from hospital.wechat import reading
from hospital.wechat.api import Api
from hospital.wechat.outcomes import Refused, Unknown
from hospital.wechat.signing import Unreadable


@dataclass(frozen=True, kw_only=True)
class UserInfo:
    """Somebody who does not follow has nothing but an openid here. `scene` is the QR code's."""

    openid: str
    is_following: bool
    unionid: str = ""
    followed_at: datetime | None = None
    way: str = ""
    scene: str = ""


UserOutcome = UserInfo | Refused | Unknown


def user_info(api: Api, *, openid: str) -> UserOutcome:
    """Ask WeChat about one person of this account."""
    query = urlencode({"openid": openid, "lang": "zh_CN"})
    said = api.call("user_info", "GET", f"/cgi-bin/user/info?{query}", repeats=1)
    if isinstance(said, Refused | Unknown):
        return said
    if said.get("subscribe") not in (0, 1) or said.get("openid") != openid:
        return Unknown(reason="unreadable:subscribe")
    try:
        followed_at = reading.moment(said["subscribe_time"]) if "subscribe_time" in said else None
    except Unreadable as error:
        return Unknown(reason=f"unreadable:{error}")
    return UserInfo(
        openid=openid,
        is_following=said["subscribe"] == 1,
        unionid=str(said.get("unionid") or ""),
        followed_at=followed_at,
        way=str(said.get("subscribe_scene") or ""),
        scene=str(said.get("qr_scene_str") or ""),
    )
