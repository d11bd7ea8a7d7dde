"""Platform certificates change: a new one beside the old one, the old one gone, or none at all.

Kept in memory: a reset or a restart brings the first certificate back, the one in the files.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from wechat_sandbox.control import Misused, lever
from wechat_sandbox.keys import new_platform
from wechat_sandbox.sandbox import Sandbox

ACTIONS = ("rotate", "retire", "withdraw")


def certificates(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """`rotate`: a new one signs from now on, the old one stays listed. `retire`: only the one that
    signs is listed. `withdraw`: none is, as for merchants who only have the public key (404)."""
    action, keys = str(said["action"]), sandbox.keys
    if action not in ACTIONS:
        raise Misused(400, f"action must be one of {', '.join(ACTIONS)}")
    if action == "rotate":
        fresh = new_platform(f"Tenpay.com sign (stand-in) {secrets.token_hex(2)}")
        keys = replace(keys, platform=fresh, listed=(*keys.listed, fresh))
    else:
        keys = replace(keys, listed=(keys.platform,) if action == "retire" else ())
    sandbox.keys = keys
    return {"signs": keys.plat_serial, "listed": [one.serial for one in keys.listed]}


routes = [lever("certificates", certificates)]
