"""One run: broken bytes for every target in turn, until the time is up; replayable by its seed."""

import random
import time
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field

from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS, Target

# One input may take this long and this much; inputs are at most a few hundred kilobytes.
MOST_SECONDS = 2.0
MOST_BYTES = 32 * 1024 * 1024
# Tracing memory makes everything several times slower, so only some inputs are measured.
MEASURE_EVERY = 25


@dataclass(frozen=True)
class Failure:
    """`number` counts the target's inputs; with the seed it names the input again."""

    target: str
    seed: int
    number: int
    what: str
    body: bytes


@dataclass
class Run:
    inputs: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    slowest: float = 0.0
    most_bytes: int = 0


def fuzz(*, seed: int, seconds: float = 0.0, inputs: int = 0, only: str = "") -> Run:
    """Fuzz for so many seconds, or so many inputs a target. Each input's random numbers depend on
    seed, target and number alone."""
    run = Run()
    end = time.monotonic() + seconds
    number = 0
    targets = [target for target in TARGETS if only in ("", target.name)]
    while number < inputs if inputs else time.monotonic() < end:
        for target in targets:
            failure = _try(run, target, seed, number)
            run.inputs[target.name] += 1
            if failure is not None:
                run.failures.append(failure)
        number += 1
    return run


def input_of(target: Target, seed: int, number: int) -> tuple[bytes, random.Random]:
    """The broken bytes of one input, and the random numbers that go on behind it."""
    rng = random.Random(f"{seed} {target.name} {number}")
    return mutated(rng, target.seeds), rng


def _try(run: Run, target: Target, seed: int, number: int) -> Failure | None:
    body, rng = input_of(target, seed, number)
    measured = number % MEASURE_EVERY == 0
    if measured:
        tracemalloc.start()
    started = time.perf_counter()
    what = ""
    try:
        target.read(body, rng)
    except Exception as error:  # noqa: BLE001 - finding what nobody expected is the work
        what = f"{type(error).__name__}: {error}"[:200]
    seconds = time.perf_counter() - started
    if measured:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        run.most_bytes = max(run.most_bytes, peak)
        if peak > MOST_BYTES:
            what = what or f"{peak / 1e6:.0f} MB"
    else:
        run.slowest = max(run.slowest, seconds)
        if seconds > MOST_SECONDS:
            what = what or f"{seconds:.1f} s"
    return Failure(target.name, seed, number, what, body) if what else None
