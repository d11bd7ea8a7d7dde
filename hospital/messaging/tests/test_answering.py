"""Which answer fits: exact before contained, then by priority; width and case do not count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital.messaging.answering import Rule, choose, plain

RULES = [
    Rule(id=1, words=["挂号"], match="contains", priority=50),
    Rule(id=2, words=["挂号费"], match="exact", priority=100),
    Rule(id=3, words=["ct", "b超"], match="exact", priority=10),
    Rule(id=4, words=["挂号时间"], match="contains", priority=10),
    Rule(id=5, words=["挂号时间"], match="contains", priority=10),
]


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ("挂号", 1),
        ("我要挂号！", 1),
        ("挂号费", 2),
        ("挂号费？", 2),
        ("挂号费多少", 1),
        ("ＣＴ", 3),
        (" Ct 。", 3),
        ("B超", 3),
        ("做CT", None),
        ("请问挂号时间", 4),
        ("", None),
        ("？！", None),
        ("停车", None),
    ],
)
def test_the_first_that_fits(said: str, rule: int | None) -> None:
    chosen = choose(said, reversed(RULES))

    assert (chosen.id if chosen else None) == rule


@given(text=st.text(max_size=40))
def test_one_spelling_is_final(text: str) -> None:
    once = plain(text)

    assert once == once.strip()
    assert choose(text, [Rule(id=1, words=[once], match="exact", priority=1)]) == (
        Rule(id=1, words=[once], match="exact", priority=1) if once else None
    )
