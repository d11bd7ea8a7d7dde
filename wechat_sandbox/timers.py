"""What happens by itself: notices become due, refunds get carried out, orders expire."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

import httpx

from wechat_sandbox import callbacks, deliveries, inbound, notices, orders, refunds, scanpay
from wechat_sandbox.sandbox import Sandbox

LONGEST_REST_S = 1.0
SHORTEST_REST_S = 0.002
CONNECTIONS = 64
log = logging.getLogger(__name__)


@asynccontextmanager
async def running(sandbox: Sandbox) -> AsyncIterator[None]:
    """Keep the timers going while the block runs."""
    notices.restart(sandbox)
    inbound.restart(sandbox)
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=0)
    async with httpx.AsyncClient(
        limits=limits, timeout=deliveries.PATIENCE_S, trust_env=False, follow_redirects=False
    ) as client:
        loop = asyncio.create_task(_loop(sandbox, client))
        loop.add_done_callback(_say_why)
        try:
            yield
        finally:
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)


async def _loop(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    async with asyncio.TaskGroup() as attempts:
        while True:
            orders.expire(sandbox)
            refunds.finish_due(sandbox)
            scanpay.finish_due(sandbox)
            for notice in notices.due(sandbox):
                if deliveries.claim(sandbox, notice):
                    _start(sandbox, attempts, deliveries.attempt(sandbox, client, notice))
            for message in inbound.due(sandbox):
                if callbacks.claim(sandbox, message):
                    _start(sandbox, attempts, callbacks.attempt(sandbox, client, message))
            await sandbox.rest(_rest_s(sandbox))


def _start(
    sandbox: Sandbox, attempts: asyncio.TaskGroup, attempt: Coroutine[None, None, None]
) -> None:
    task = attempts.create_task(attempt)
    sandbox.under_way.add(task)
    task.add_done_callback(sandbox.under_way.discard)


def _say_why(loop: asyncio.Task[None]) -> None:
    """The timers only ever stop with the program; anything else must be seen."""
    if not loop.cancelled() and loop.exception() is not None:
        log.critical("the timers stopped: no notice will be sent", exc_info=loop.exception())


def _rest_s(sandbox: Sandbox) -> float:
    """Until the next thing is due, within bounds: a shifted clock wakes the loop by itself."""
    next_at = sandbox.store.number(
        "SELECT min(at) FROM ("
        " SELECT min(next_at) AS at FROM notices WHERE status = 'waiting'"
        " UNION ALL SELECT min(next_at) FROM inbound WHERE status = 'waiting'"
        " UNION ALL SELECT min(lands_at) FROM scans JOIN orders USING (out_trade_no)"
        " WHERE orders.state = 'USERPAYING'"
        " UNION ALL SELECT min(due_at) FROM refunds WHERE status = 'PROCESSING' AND NOT held)"
    )
    if next_at is None:
        return LONGEST_REST_S
    return min(max(next_at - sandbox.clock.now(), SHORTEST_REST_S), LONGEST_REST_S)
