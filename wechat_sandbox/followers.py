"""What the account may know about people: whether they follow, and how they came."""

from __future__ import annotations

from typing import Any

from wechat_sandbox import acts
from wechat_sandbox.official import ApiCall, known_user, require_token, route
from wechat_sandbox.sandbox import Sandbox


def user_info(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """GET /cgi-bin/user/info: of those who do not follow, only that."""
    require_token(sandbox, call)
    user = known_user(sandbox, call.query.get("openid", ""))
    if not user.subscribed:
        return {"subscribe": 0, "openid": user.openid, "unionid": user.unionid}
    following = acts.following_of(sandbox, user.openid)
    return {
        "subscribe": 1,
        "openid": user.openid,
        "nickname": "",
        "sex": 0,
        "language": "zh_CN",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": "",
        "subscribe_time": int(user.subscribed_at),
        "unionid": user.unionid,
        "remark": "",
        "groupid": 0,
        "tagid_list": [],
        "subscribe_scene": following.how,
        "qr_scene": following.qr_scene,
        "qr_scene_str": following.qr_scene_str,
    }


routes = [route("/cgi-bin/user/info", user_info, method="GET")]
