"""The world of a journey: the stand-in that knows the demo's templates, and one open session."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from hospital.testing.organisation import a_department
from hospital.testing.sandbox import ROOT
from hospital.testing.schedules import NOW, a_released_schedule
from hospital.testing.wechat import LetterBox, StandIn
from tests.journeys.clockwork import Clockwork
from tests.journeys.story import Story

TEMPLATES = ROOT / "demo" / "wechat_templates.json"


@pytest.fixture(scope="session")
def wechat_stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """As everywhere, and only the approved templates are accepted."""
    letters = LetterBox()
    folder = tmp_path_factory.mktemp("journeys")
    with StandIn(folder, letters, "--templates", str(TEMPLATES)) as stand_in:
        yield stand_in
    letters.close()


@pytest.fixture
def clockwork(wechat: StandIn) -> Iterator[Clockwork]:
    """Monday, ten in the morning."""
    running = Clockwork(wechat, NOW)
    yield running
    running.stop()


@pytest.fixture
def story(db: None, wechat: StandIn, clockwork: Clockwork, settings: Settings) -> Iterator[Story]:
    """One chief physician's session tomorrow morning: four hours of four numbers, 25 yuan."""
    settings.WECHAT_TEMPLATES = json.loads(TEMPLATES.read_text("utf-8"))
    department = a_department(
        name="针灸推拿科", parent=a_department(name="针灸康复"), hint="颈肩腰腿痛"
    )
    schedule = a_released_schedule(department=department, at=NOW)
    told = Story(wechat=wechat, time=clockwork, schedule=schedule)
    yield told
    told.close()
