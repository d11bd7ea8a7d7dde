"""Hints leave with the commit, reach those who hold a ticket, and nobody else."""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.test import override_settings
from psycopg.conninfo import make_conninfo

from hospital.kernel import heartbeats
from hospital.kernel.models import Heartbeat
from hospital.live import tickets
from hospital.live.actions import CHANNEL, UNTIL, publish
from hospital.live.asgi import Live
from hospital.live.hub import Hub


def _conninfo() -> str:
    parameters = dict(connection.get_connection_params())
    for not_libpq in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(not_libpq, None)
    return make_conninfo(**parameters)


@pytest.mark.django_db(transaction=True)
def test_a_hint_arrives_after_commit_and_never_after_rollback() -> None:
    with psycopg.connect(_conninfo(), autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        with transaction.atomic():
            publish("bill:1")
            transaction.set_rollback(True)
        with transaction.atomic():
            publish("bill:2", "schedules")
        heard = [note.payload for note in listener.notifies(timeout=0.5)]
    assert heard == ["bill:2", "schedules"]


@pytest.mark.django_db(transaction=True)
def test_the_hub_passes_topics_to_their_readers_only() -> None:
    conninfo = _conninfo()

    async def scenario() -> tuple[str, bool]:
        hub = Hub(conninfo=conninfo, channel=CHANNEL)
        running = asyncio.create_task(hub.run())
        await asyncio.wait_for(hub.connected.wait(), 5)
        with hub.reader(["bill:7"]) as mine, hub.reader(["bill:8"]) as other:
            async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as speaker:
                await speaker.execute("SELECT pg_notify(%s, %s)", [CHANNEL, "bill:7"])
            topic = await asyncio.wait_for(mine.get(), 5)
            silent = other.empty()
        running.cancel()
        return topic, silent

    with ThreadPoolExecutor(1) as aside:  # a browser test may have left a loop in this thread
        assert aside.submit(asyncio.run, scenario()).result() == ("bill:7", True)


@pytest.mark.django_db(transaction=True)
def test_the_hub_gives_signs_of_life_and_loses_no_hint_over_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    conninfo, hints = _conninfo(), [f"bill:{number}" for number in range(20)]
    monkeypatch.setattr(heartbeats, "EVERY_SECONDS", 0.01)
    Heartbeat.objects.all().delete()

    async def scenario() -> list[str]:
        hub = Hub(conninfo=conninfo, channel=CHANNEL)
        running = asyncio.create_task(hub.run())
        await asyncio.wait_for(hub.connected.wait(), 5)
        with hub.reader(hints) as mine:
            async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as speaker:
                for hint in hints:
                    await speaker.execute("SELECT pg_notify(%s, %s)", [CHANNEL, hint])
                    await asyncio.sleep(0.007)
            heard = [await asyncio.wait_for(mine.get(), 5) for _ in hints]
        running.cancel()
        return heard

    with ThreadPoolExecutor(1) as aside:
        assert aside.submit(asyncio.run, scenario()).result() == hints
    assert [sign.kind for sign in heartbeats.signs()] == ["live"]


@pytest.mark.django_db(transaction=True)
def test_a_stream_ends_with_what_it_depends_on_and_does_not_come_back() -> None:
    """So it is with pages of somebody whose log-in was ended; others hear on."""
    conninfo, over = _conninfo(), f"{UNTIL}staff-session:7"

    async def stream(live: Live, *topics: str) -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        never = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await never.wait()
            return {}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        query = f"ticket={tickets.issue(topics)}".encode()
        scope = {"type": "http", "path": "/live/", "query_string": query}
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(live(scope, receive, send), 1)
        return sent

    async def scenario() -> tuple[list[dict[str, Any]], ...]:
        hub = Hub(conninfo=conninfo, channel=CHANNEL)
        running = asyncio.create_task(hub.run())
        await asyncio.wait_for(hub.connected.wait(), 5)
        live = Live(hub)
        mine = asyncio.create_task(stream(live, "schedules", over))
        other = asyncio.create_task(stream(live, "schedules", f"{UNTIL}staff-session:8"))
        await asyncio.sleep(0.1)
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as speaker:
            await speaker.execute("SELECT pg_notify(%s, %s)", [CHANNEL, over])
        found = (await mine, await other, await stream(live, over))
        running.cancel()
        return found

    with ThreadPoolExecutor(1) as aside:
        mine, other, again = aside.submit(asyncio.run, scenario()).result()
    assert [message["body"] for message in mine[2:]] == [f'data: "{over}"\n\n'.encode(), b""]
    assert "more_body" not in mine[-1]
    assert [message["type"] for message in other] == ["http.response.start", "http.response.body"]
    assert again[0]["status"] == 403


def test_a_slow_reader_loses_its_oldest_hints_only() -> None:
    hub = Hub(conninfo="", channel=CHANNEL)
    with hub.reader(["a", "b"]) as queue:
        for _ in range(40):
            hub._pass_on("a")
        hub._pass_on("b")
        heard = [queue.get_nowait() for _ in range(queue.qsize())]
    assert heard == ["a"] * 31 + ["b"]


def test_tickets_cannot_be_forged_or_borrowed_from_another_installation() -> None:
    ticket = tickets.issue(["bill:1", "bill:1", "a"])
    assert tickets.topics_of(ticket) == ["a", "bill:1"]
    with pytest.raises(tickets.BadTicket):
        tickets.topics_of(ticket[:-2] + "xx")
    with override_settings(SECRET_KEY="another"), pytest.raises(tickets.BadTicket):
        tickets.topics_of(ticket)
