"""The shares new sessions are dealt by (M2.2), for the hospital or a narrower scope."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from django.db import transaction

from hospital.kernel import settings_rows
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, Stale
from hospital.kernel.settings_rows import HOSPITAL, Scope, Setting, Standing
from hospital.scheduling import thresholds
from hospital.scheduling.states import Pool

#: The settings behind each share, and the one of add-ons.
SHARES: Final[Mapping[Pool, Setting[int]]] = {
    Pool.WECHAT: thresholds.WECHAT_PERCENT,
    Pool.KIOSK: thresholds.KIOSK_PERCENT,
    Pool.RESERVED: thresholds.RESERVED_PERCENT,
}


def version(standings: Mapping[str, Sequence[Standing]]) -> int:
    """The latest change of any share, of any scope: the larger, the newer."""
    settings = (*SHARES.values(), thresholds.ADD_ON_PERCENT)
    return max(one.latest_id for setting in settings for one in standings[setting.key])


@transaction.atomic
def set_default_shares(
    *,
    scope: Scope,
    percents: Mapping[Pool, int] | None,
    add_on_percent: int | None,
    seen: int,
    reason: str,
    by: Actor,
    at: dt.datetime,
) -> int:
    """Put the percentages of a scope in force at once; None takes the scope's own back.

    Sessions made before keep theirs. `seen` is the `version` of the page: when anybody changed any
    share since, Stale. Returns how many settings changed. Raises Invalid.
    """
    if percents is not None and sum(percents.values()) > 100:
        sentence = "微信、自助机、预留合计不能超过 100%，余下的归窗口。"
        raise Invalid.of("wechat", sentence)
    if percents is None and scope == HOSPITAL:
        raise Invalid(
            {"scope": ["全院的比例不能取消，只能修改。"]}, "全院的比例不能取消，只能修改。"
        )
    wanted: list[tuple[Setting[int], int | None]] = [
        (setting, percents[pool] if percents is not None else None)
        for pool, setting in SHARES.items()
    ]
    wanted.append((thresholds.ADD_ON_PERCENT, add_on_percent if percents is not None else None))
    standings = settings_rows.standings(at=at)
    if version(standings) != seen:
        raise Stale("默认比例刚刚被别人改过，请看过现在的值再改。")
    changed = 0
    for setting, value in wanted:
        standing = next((one for one in standings[setting.key] if one.scope == scope), None)
        held = standing.row.value if standing and standing.row else None
        if scope == HOSPITAL and held is None:
            held = setting.default
        if held == value:
            continue
        settings_rows.set_value(
            setting=setting,
            value=value,
            scope=scope,
            reason=reason,
            seen=standing.latest_id if standing else 0,
            by=by,
            at=at,
        )
        changed += 1
    return changed
