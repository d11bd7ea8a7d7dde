"""Sharing a session's numbers out among the channels, and spreading each share (M2.2). Pure."""

from collections.abc import Mapping

from hospital.scheduling.states import Pool

# In this order; what percentages leave over goes to the window.
_SHARED = (Pool.WECHAT, Pool.KIOSK, Pool.RESERVED)


def share(capacity: int, percents: Mapping[Pool, int]) -> dict[Pool, int]:
    """How many of `capacity` numbers each pool gets: percentages round down, the rest is the
    window's, so that no number is lost. Percentages beyond 100 in all are cut in that order.
    """
    left = capacity
    shares: dict[Pool, int] = {}
    for pool in _SHARED:
        shares[pool] = min(left, capacity * percents.get(pool, 0) // 100)
        left -= shares[pool]
    shares[Pool.WINDOW] = left
    return {pool: count for pool, count in shares.items() if count}


def explain(capacity: int, percents: Mapping[Pool, int]) -> str:
    """The rounding in words: "微信 30×60%=18，自助机 30×10%=3，预留 30×10%=3，其余 6 归窗口"."""
    shares = share(capacity, percents)
    parts = []
    for pool in _SHARED:
        percent, got = percents.get(pool, 0), shares.get(pool, 0)
        exact = capacity * percent / 100
        rounded = f"{exact:g} 取整 {got}" if exact != got else f"{got}"
        parts.append(f"{pool.label} {capacity}×{percent}%={rounded}")
    return "，".join([*parts, f"其余 {shares.get(Pool.WINDOW, 0)} 个归窗口"])


def deal(shares: Mapping[Pool, int]) -> list[Pool]:
    """The pool of each number from the first to the last: every pool has early and late ones.

    At each number the pool furthest behind its even pace gets it; equals go by the order given.
    """
    total = sum(shares.values())
    dealt = dict.fromkeys(shares, 0)
    order: list[Pool] = []
    for place in range(1, total + 1):
        behind = max(
            (pool for pool in shares if dealt[pool] < shares[pool]),
            key=lambda pool: shares[pool] * place - dealt[pool] * total,
        )
        dealt[behind] += 1
        order.append(behind)
    return order
