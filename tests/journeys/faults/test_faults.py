"""Every row of the table: the fault strikes on the way, and one right end comes of it."""

from __future__ import annotations

import dataclasses

import pytest
from pytest_django.fixtures import Settings

from hospital.testing.wechat import StandIn
from hospital.wechat import http
from tests.journeys.faults.ends import ENDS
from tests.journeys.faults.outcome import check
from tests.journeys.faults.table import OPERATIONS, ROWS, Row
from tests.journeys.faults.walks import WALKS, Walk
from tests.journeys.story import Story
from wechat_sandbox.fault_kinds import KINDS

READ_SECONDS = 0.15


@pytest.fixture
def _hurried(wechat: StandIn, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our client waits as briefly as it can, and not at all before it tries again."""
    settings.WECHAT = dataclasses.replace(
        settings.WECHAT, read_seconds=READ_SECONDS, scan_read_seconds=READ_SECONDS
    )
    monkeypatch.setattr(http, "PAUSE_SECONDS", 0.0)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.usefixtures("_hurried")
def test_a_fault_has_one_right_end(story: Story, row: Row) -> None:
    walk = Walk(story, row)

    WALKS[row.operation](walk)

    check(walk, ENDS[row.end])


def test_the_table_names_every_operation_and_only_known_faults() -> None:
    assert set(WALKS) == set(OPERATIONS) == {row.operation for row in ROWS}
    assert {row.fault for row in ROWS} <= set(KINDS)
    assert {row.end for row in ROWS} <= set(ENDS)
