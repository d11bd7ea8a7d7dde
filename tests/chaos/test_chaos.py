"""The kill test, small: five kills, one for everybody, while a few people book, pay in every way,
cancel and get money back."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from hospital.testing.sandbox import ROOT
from tests.chaos import plan

SEED, KILLS, PATIENTS = 20261123, 5, 14
KNOWN = ("notify_lost", "http_500", "refund_not_enough", *plan.ALWAYS)


@pytest.mark.thorough
@pytest.mark.race
@pytest.mark.slow
def test_five_kills_and_every_rule_holds() -> None:
    """`make chaos` with small numbers, on a hospital, a WeChat and a database of its own."""
    facts = {"SEED": str(SEED), "KILLS": str(KILLS), "PATIENTS": str(PATIENTS)}
    finished = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.chaos"],
        cwd=ROOT,
        env={**os.environ, **facts},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "every rule holds after" in finished.stdout
    assert f"SEED={SEED}" in finished.stdout


def test_a_seed_is_a_plan() -> None:
    """The same seed draws the same kills, faults and acts; another one draws others."""
    drawn = [_draw(7), _draw(7), _draw(8)]
    assert drawn[0] == drawn[1]
    assert drawn[0].lines() == drawn[1].lines()
    assert drawn[0] != drawn[2]


def test_everybody_is_killed_equally_often_and_only_known_faults_strike() -> None:
    drawn = _draw(7)
    assert sorted(kill.who for kill in drawn.kills) == sorted(plan.WHO * 4)
    assert {strike.kind for strike in drawn.strikes} == set(KNOWN)
    assert all(0 < kill.at <= drawn.seconds for kill in drawn.kills)


def test_the_short_plan_has_every_way_too() -> None:
    """Each ending at least once, and faults that make work for the window and for two persons."""
    drawn = _draw(SEED, kills=KILLS, patients=PATIENTS)
    visits = [visit for script in drawn.scripts for visit in script.visits]
    assert {visit.ending for visit in visits} == set(plan.ENDINGS)
    assert {strike.kind for strike in drawn.strikes} >= set(plan.ALWAYS)
    assert {visit.desk.agrees for visit in visits} == {True, False}
    assert {visit.desk.whole for visit in visits} == {True, False}


def _draw(seed: int, *, kills: int = 20, patients: int = 9) -> plan.Plan:
    return plan.draw(seed=seed, kills=kills, patients=patients, sessions=4, bands=2, faults=KNOWN)
