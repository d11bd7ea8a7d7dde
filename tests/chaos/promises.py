"""What the hospital has told people in a run, to be asked for afterwards."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Promises:
    """Bills people were led to, money a window said it has, what it said of refunds asked for, and
    what happened how often."""

    #: Addresses of bills' pages.
    bills: set[str] = field(default_factory=set)
    #: Numbers of bills of which the window read "paid".
    collected: set[str] = field(default_factory=set)
    #: Ids of refund requests, and what their page said in the end.
    requests: dict[int, str] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
