"""One run from an empty folder to the verdict."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import django

from tests.chaos import house as houses
from tests.chaos import plan as plans
from tests.chaos import world
from tests.chaos.handset import GaveUp
from tests.chaos.house import House, Ports
from tests.chaos.plan import Plan
from tests.chaos.postgres import Files
from tests.chaos.promises import Promises
from tests.chaos.wechat import Levers, kept_fen

if TYPE_CHECKING:
    from tests.chaos.staff import Staff
    from tests.chaos.world import Account, Clinic, Person

CLINICS_FEWEST, CLINICS_MOST = 4, 8
# How often two persons clear up at the end: what they send back may come back once more.
CLEARINGS = 5
# Fewer numbers than wishes, so that people are turned away and late money finds its place taken.
NUMBERS_PER_PATIENT = 1.5


@dataclass
class Outcome:
    """What a run was and what it left."""

    broken: list[str]
    facts: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Scale:
    """How much of everything."""

    seed: int
    kills: int
    patients: int


@dataclass(frozen=True)
class Cast:
    """Everybody a run is about, and the sessions they are about."""

    people: list[Person]
    clinics: list[Clinic]
    accounts: dict[str, Account]
    #: The cookies of staff who have logged in.
    sessions: dict[str, dict[str, str]] = field(default_factory=dict)


def run(scale: Scale, folder: Path, say: Callable[[str], None]) -> Outcome:
    """Everything; whatever happens, no process is left behind."""
    ports = Ports(*_free_ports(4))
    files = Files(folder / "pg", port=ports.database)
    environment = world.environment(
        folder,
        database=files.url,
        web=f"http://127.0.0.1:{ports.web}",
        live=f"http://127.0.0.1:{ports.live}",
    )
    (folder / "data" / "static").mkdir(parents=True, exist_ok=True)
    house = houses.build(folder, ports, files, environment)
    try:
        return _run(scale, house, say)
    finally:
        house.close()


def _run(scale: Scale, house: House, say: Callable[[str], None]) -> Outcome:
    started = time.monotonic()
    cast = _prepare(scale, house)
    plan = plans.draw(
        seed=scale.seed,
        kills=scale.kills,
        patients=scale.patients,
        sessions=len(cast.clinics),
        bands=world.BANDS,
        faults=_faults(),
    )
    (house.folder / "plan.txt").write_text("\n".join(plan.lines()) + "\n", "utf-8")
    seconds = time.monotonic() - started
    say(f"the hospital is open after {seconds:.1f} s; chaos for {plan.seconds:.0f} s")
    promises = Promises()
    levers = Levers(house.wechat)
    killed = asyncio.run(_chaos(plan, house, levers, cast, promises))
    say(f"the last patient went home after {time.monotonic() - started:.1f} s; healing")
    levers.calm()
    house.wait("the hospital after the chaos", house.all_answer)
    return _judge(house, levers, promises, killed, cast, say)


def _prepare(scale: Scale, house: House) -> Cast:
    house.files.prepare()
    house.start("database")
    house.start("wechat")
    house.wait("the database", house.files.answers)
    house.wait("the stand-in", (house.folder / "wechat.json").exists)
    facts = json.loads((house.folder / "wechat.json").read_text("utf-8"))
    house.environment |= {"SMS_URL": facts["sms_url"], "SMS_KEY": facts["sms_key"]}
    os.environ.update(house.environment)
    django.setup()
    world.make_tables()
    world.shorten_waits()
    count = min(max(scale.patients // 10, CLINICS_FEWEST), CLINICS_MOST)
    numbers = max(4, round(scale.patients * NUMBERS_PER_PATIENT / count / 2) * 2)
    clinics = world.clinics(count, numbers=numbers)
    cast = Cast(world.people(scale.patients), clinics, world.staff())
    for name in ("web", "worker", "live"):
        house.start(name)
    house.open()
    house.wait("the hospital", house.all_answer)
    return cast


async def _chaos(
    plan: Plan, house: House, levers: Levers, cast: Cast, promises: Promises
) -> Counter[str]:
    """Patients, staff, kills and faults side by side; ends when the last patient has gone home."""
    # Their modules read the hospital's own, which need Django to be set up.
    from tests.chaos.patients import Place, live
    from tests.chaos.staff import come_to_work

    killed: Counter[str] = Counter()
    over = threading.Event()
    staff = await come_to_work(house.web, cast.accounts, cast.sessions)
    place = Place(cast.clinics, staff, cast.people, house.web, house.wechat)
    tasks = [
        live(person, script, place, promises)
        for person, script in zip(cast.people, plan.scripts, strict=True)
    ]
    try:
        await asyncio.gather(
            *tasks,
            _rounds(plan, staff, promises),
            asyncio.to_thread(_strike, plan, levers, over),
            asyncio.to_thread(_kill, plan, house, killed, over),
        )
    finally:
        over.set()
        await staff.close()
    return killed


async def _rounds(plan: Plan, staff: Staff, promises: Promises) -> None:
    """Finance and the second person at their cases, at the planned moments."""
    from tests.chaos.offices import look_through

    started = time.monotonic()
    for it in plan.rounds:
        await asyncio.sleep(max(0.0, started + it.at - time.monotonic()))
        try:
            await look_through(staff, agrees=it.agrees, promises=promises)
        except GaveUp:
            promises.told["gave up"] += 1


async def _clear_up(house: House, cast: Cast, promises: Promises, *, agrees: bool) -> int:
    """Once everything is quiet: both persons see to all that is left; how much that was."""
    from tests.chaos.offices import look_through
    from tests.chaos.staff import come_to_work

    staff = await come_to_work(house.web, cast.accounts, cast.sessions)
    try:
        return await look_through(staff, agrees=agrees, promises=promises)
    finally:
        await staff.close()


def _strike(plan: Plan, levers: Levers, over: threading.Event) -> None:
    started = time.monotonic()
    for strike in plan.strikes:
        if over.wait(max(0.0, started + strike.at - time.monotonic())):
            return
        levers.strike(strike)


def _kill(plan: Plan, house: House, killed: Counter[str], over: threading.Event) -> None:
    """Kill as planned; who is not running this moment is killed as soon as it is again."""
    started = time.monotonic()
    for kill in plan.kills:
        if over.wait(max(0.0, started + kill.at - time.monotonic())):
            return
        while not house.kill(kill.who) and not over.wait(0.02):
            pass
        killed[kill.who] += 1


def _judge(
    house: House,
    levers: Levers,
    promises: Promises,
    killed: Counter[str],
    cast: Cast,
    say: Callable[[str], None],
) -> Outcome:
    # Django's models can only be imported once it is set up.
    from django.db import connection

    from hospital.kernel import clock
    from hospital.scheduling.models import Slot
    from tests.chaos import spoken, verdict
    from tests.chaos.healing import Healing

    connection.close()
    slots = Counter(Slot.objects.values_list("schedule_id", flat=True))
    healing = Healing(levers, say)
    began = time.monotonic()
    first_day = clock.today() - dt.timedelta(days=1)
    levers.free_refunds()
    healing.run()
    cleared = 0
    for turn in range(CLEARINGS):
        # The first answer is no, and moves nothing; the next one is yes.
        if not (left := asyncio.run(_clear_up(house, cast, promises, agrees=turn > 0))):
            break
        cleared += left
        levers.free_refunds()
        healing.run()
    state = levers.state()
    days = (first_day + dt.timedelta(days=place) for place in range(healing.moved.days + 4))
    evidence = verdict.Evidence(
        wechat=state,
        bills=levers.bills(days),
        slots=slots,
        promises=promises,
    )
    openids = [person.openid for person in cast.people]
    found = verdict.broken(evidence) + spoken.problems(house, openids)
    connection.close()
    ways = Counter(order["trade_type"] for order in state["orders"] if order["transaction_id"])
    facts = [
        f"killed: {dict(killed)}; started: { {p.name: p.starts for p in house.programs.values()} }",
        f"people: {dict(sorted(promises.told.items()))}",
        f"WeChat: {len(state['orders'])} orders, paid {dict(ways)}, {len(state['refunds'])}"
        f" refunds, {len(state['messages'])} messages, {kept_fen(state)} fen kept",
        *verdict.facts(),
        f"healed in {healing.rounds} rounds, {time.monotonic() - began:.1f} s,"
        f" {healing.moved} later on their clock; {cleared} things were left to two persons",
    ]
    return Outcome(found, facts)


def _faults() -> tuple[str, ...]:
    from wechat_sandbox.faults import KINDS

    return tuple(KINDS)


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
