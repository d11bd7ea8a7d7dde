"""What is typed into a cell: each word says what it is by its shape. Pure."""

import datetime as dt

import pytest

from hospital.scheduling.roster_typing import Option, Typed, understand

SERVICES = {
    1: Option(1, "PT", "普通门诊"),
    2: Option(2, "ZJ", "专家门诊"),
    3: Option(3, "TX", "特需门诊"),
}
ROOMS = {
    11: Option(11, "M201", "201诊室"),
    12: Option(12, "M12", "治未病12室"),
    13: Option(13, "30", "三十号房"),
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", Typed()),
        ("专家 201 25", Typed(service_id=2, room_id=11, capacity=25)),
        ("25 专家　201", Typed(service_id=2, room_id=11, capacity=25)),
        ("zj，限8", Typed(service_id=2, capacity=8)),
        ("txmz", Typed(service_id=3)),
        ("m201 0830-11:30", Typed(room_id=11, hours=(dt.time(8, 30), dt.time(11, 30)))),
        ("12 12", Typed(room_id=12, capacity=12)),
        # A room of that very code is a room; said again it is a number.
        ("30", Typed(room_id=13)),
        ("30 30", Typed(room_id=13, capacity=30)),
        ("20", Typed(capacity=20)),
        ("2460-0800", Typed(unknown=("2460-0800",))),
        ("夜班 201", Typed(room_id=11, unknown=("夜班",))),
        ("1000", Typed(unknown=("1000",))),
        ("5 6", Typed(capacity=5, unknown=("6",))),
    ],
)
def test_words_say_what_they_are(text: str, found: Typed) -> None:
    assert understand(text, services=SERVICES, rooms=ROOMS) == found
