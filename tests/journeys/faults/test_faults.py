"""Rows of the table: the fault strikes on the way, and one right end comes of it.

Every one runs with FAULTS=all (`make test-all`). Without, those that our client cannot tell from
others are left out, and where no order or refund is asked for, one fault stands for each end.
"""

from __future__ import annotations

import dataclasses
import os

import pytest
from pytest_django.fixtures import Settings

from hospital.testing.wechat import StandIn
from hospital.wechat import http
from tests.journeys.faults.ends import ENDS
from tests.journeys.faults.operations import CODEPAY, IMPOSSIBLE, NOTIFICATIONS, OPERATIONS
from tests.journeys.faults.outcome import check
from tests.journeys.faults.table import ALIKE, ASKING, COSTLY, ROWS, Row, meetings
from tests.journeys.faults.walk import Walk
from tests.journeys.faults.walks import WALKS
from tests.journeys.story import Story
from wechat_sandbox.fault_kinds import KINDS

READ_SECONDS = 0.15
EVERY = os.environ.get("FAULTS") == "all"
FIRST_OF_ITS_END = {
    (row.operation, row.end): row for row in reversed(ROWS) if not row.is_like_another
}
TRIED = [
    row
    for row in ROWS
    if EVERY
    or FIRST_OF_ITS_END.get((row.operation, row.end)) is row
    or (row.operation in ASKING and not row.is_like_another)
]


@pytest.fixture
def _hurried(wechat: StandIn, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our client waits as briefly as it can, and not at all before it tries again."""
    settings.WECHAT = dataclasses.replace(
        settings.WECHAT, read_seconds=READ_SECONDS, scan_read_seconds=READ_SECONDS
    )
    monkeypatch.setattr(http, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def walk(story: Story, row: Row, settings: Settings, _hurried: None) -> Walk:
    """The way to the row's operation, in a hospital set up for it."""
    setting = OPERATIONS[row.operation].setting
    if setting == CODEPAY:
        settings.WECHAT = dataclasses.replace(settings.WECHAT, scan_product="v3")
    elif setting == NOTIFICATIONS:
        (template,) = [entry for entry in settings.WECHAT_TEMPLATES if entry["kind"] == "N01"]
        settings.WECHAT_TEMPLATES = [template | {"product": "subscription"}]
        story.wechat.template(template["template_id"], template["keys"], product="subscription")
    return Walk(story, row)


@pytest.mark.slow
@pytest.mark.parametrize("row", TRIED, ids=lambda row: row.name)
def test_a_fault_has_one_right_end(walk: Walk, row: Row) -> None:
    WALKS[row.operation](walk)

    check(walk, ENDS[row.end])


def test_every_fault_meets_every_operation_it_can_hit() -> None:
    """As the moments of the stand-in have it; that each is passed, the rows show."""
    rows = {(row.fault, row.operation) for row in ROWS}

    assert rows == set(meetings()) | {("refund_before_payment", "refund notice")}
    assert {fault for fault, _ in rows} == set(KINDS)
    assert len({(row.name, row.end, str(row.options)) for row in ROWS}) == len(ROWS)


def test_what_stands_for_another_is_tried() -> None:
    tried = {(row.fault, row.operation) for row in ROWS if not row.is_like_another}

    for row in ROWS:
        if row.is_like_another:
            assert (ALIKE[row.fault], row.operation) in tried, row.name
    assert set(COSTLY) <= set(OPERATIONS)


def test_the_table_names_only_what_there_is() -> None:
    assert set(WALKS) == set(OPERATIONS) == {row.operation for row in ROWS}
    assert {row.end for row in ROWS} == set(ENDS)
    assert {operation.end for operation in OPERATIONS.values()} <= set(ENDS)
    assert {KINDS[fault].point in OPERATIONS[name].meets for fault, name in IMPOSSIBLE} == {True}
