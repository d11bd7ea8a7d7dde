"""What the processes say after a run: the live channel still speaks, and no log names anybody."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
from django.db import transaction

from hospital.live import actions as live
from hospital.live import tickets
from tests.chaos.house import House

TOPIC = "bill:0"
HINT_SECONDS = 10.0
#: The programs that are ours; the stand-in may say what it likes.
OURS = ("web", "worker", "live", "database")


def problems(house: House, openids: list[str]) -> list[str]:
    """One line for each thing that is not as it must be."""
    return [*_live_speaks(house), *_logs_name_nobody(house, openids)]


def _live_speaks(house: House) -> Iterator[str]:
    """A hint given now reaches a page, although the channel and its database were killed."""
    heard = False
    address = f"http://127.0.0.1:{house.ports.live}/live/"
    with httpx.Client(timeout=HINT_SECONDS, trust_env=False) as page:
        query = {"ticket": tickets.issue([TOPIC])}
        with page.stream("GET", address, params=query) as stream:
            lines = stream.iter_lines()
            next(lines)
            with transaction.atomic():
                live.publish(TOPIC)
            try:
                for line in lines:
                    if line.startswith("data:"):
                        heard = True
                        break
            except httpx.ReadTimeout:
                heard = False
    if not heard:
        yield "live: no hint arrives any more"


def _logs_name_nobody(house: House, openids: list[str]) -> Iterator[str]:
    """Ids only, whatever was killed in the middle of whatever."""
    for name in OURS:
        text = house.log(name).read_text("utf-8", "replace")
        named = sum(openid in text for openid in openids)
        if named:
            yield f"{name}: {named} openids are in its log"
