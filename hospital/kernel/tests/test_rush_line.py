"""The line before a rush: in by number, so many a second, nobody ahead of their time (M1.16)."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from hospital.kernel import moment_cache, rush_line
from hospital.kernel.actors import SYSTEM
from hospital.kernel.models import RushLine
from hospital.kernel.settings_rows import set_value

AT = dt.datetime(2026, 11, 22, 23, 0, tzinfo=dt.UTC)


def seconds(count: float) -> dt.timedelta:
    return dt.timedelta(seconds=count)


def people_a_second(count: int, *, at: dt.datetime = AT) -> None:
    set_value(setting=rush_line.RUSH_PER_SECOND, value=count, by=SYSTEM, at=at)


@pytest.mark.django_db
def test_m1_16_nobody_waits_while_there_is_room() -> None:
    people_a_second(2)

    numbers = [rush_line.take_number() for _ in range(6)]

    assert [rush_line.ahead_of(number, at=AT) for number in numbers] == [0, 0, 0, 0, 0, 0]


@pytest.mark.django_db
def test_m1_16_the_line_moves_by_so_many_a_second_and_keeps_its_order() -> None:
    people_a_second(2)
    first = rush_line.take_number()
    rush_line.ahead_of(first, at=AT)  # the line opens: six may come at once
    numbers = [rush_line.take_number() for _ in range(12)]

    def ahead(after: float) -> list[float]:
        return [rush_line.ahead_of(number, at=AT + seconds(after)) for number in numbers]

    assert ahead(0) == [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6]
    assert ahead(0.25)[6:] == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5], "half a person is nobody yet"
    assert ahead(0.5)[6:] == [0, 1, 2, 3, 4, 5]
    assert ahead(2)[6:] == [0, 0, 0, 0, 1, 2]
    assert ahead(1)[6:] == [0, 0, 0, 0, 1, 2], "a clock that is set back takes nobody's turn"
    assert rush_line.seconds_until(6) == 3.0


@pytest.mark.django_db
def test_m1_16_a_lull_saves_up_no_more_than_a_few_seconds() -> None:
    people_a_second(2)
    rush_line.ahead_of(rush_line.take_number(), at=AT)
    later = AT + dt.timedelta(hours=8)
    rush_line.ahead_of(rush_line.take_number(), at=later)

    numbers = [rush_line.take_number() for _ in range(8)]

    found = [rush_line.ahead_of(number, at=later) for number in numbers]
    assert found == [0, 0, 0, 0, 0, 0, 1, 2]


@pytest.mark.django_db
def test_m1_16_fewer_a_second_are_fewer_at_once() -> None:
    """What was saved up under a higher rate does not let thousands in under a lower one."""
    people_a_second(1000)
    rush_line.ahead_of(rush_line.take_number(), at=AT)
    people_a_second(2, at=AT + seconds(1))
    rush_line.ahead_of(rush_line.take_number(), at=AT + seconds(1))

    numbers = [rush_line.take_number() for _ in range(8)]

    found = [rush_line.ahead_of(number, at=AT + seconds(1)) for number in numbers]
    assert found == [0, 0, 0, 0, 0, 0, 1, 2]


@pytest.mark.django_db
@given(steps=st.lists(st.tuples(st.integers(0, 9), st.floats(0, 5)), max_size=12))
def test_m1_16_whoever_came_first_is_let_in_first(steps: list[tuple[int, float]]) -> None:
    RushLine.objects.all().delete()
    if rush_line.RUSH_PER_SECOND.value() != 3:
        people_a_second(3)
    at, waiting, let_in = AT, [], []
    for count, pause in steps:
        waiting += [rush_line.take_number() for _ in range(count)]
        at += seconds(pause)
        now_in = [number for number in waiting if not rush_line.ahead_of(number, at=at)]
        waiting = [number for number in waiting if number not in now_in]
        let_in += now_in

        assert let_in == sorted(let_in)
        assert not waiting or not let_in or min(waiting) > max(let_in)


@pytest.mark.django_db
def test_the_line_is_asked_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    people_a_second(1)
    monkeypatch.setattr(moment_cache, "SECONDS", 60.0)
    rush_line.ahead_of(rush_line.take_number(), at=AT)
    number = [rush_line.take_number() for _ in range(5)][-1]

    assert rush_line.ahead_of(number, at=AT) == 2
    assert rush_line.ahead_of(number, at=AT + seconds(5)) == 2
    moment_cache.forget_all()
    assert rush_line.ahead_of(number, at=AT + seconds(5)) == 0


@pytest.mark.django_db
def test_m1_16_between_two_readings_the_line_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks at the moment of the own turn is in, in whichever process."""
    people_a_second(4)
    numbers = [rush_line.take_number() for _ in range(16)]
    assert rush_line.ahead_of(numbers[0], at=AT) == 0  # the line opens
    late = [rush_line.take_number() for _ in range(16)]  # 17 to 32; up to 28 may come at once
    rush_line.ahead_of(late[0], at=AT + seconds(0.5))
    monkeypatch.setattr(moment_cache, "SECONDS", 60.0)

    def ahead(after: float) -> float:
        return rush_line.ahead_of(late[-1], at=AT + seconds(after))

    assert ahead(0.5) == 2
    wait = rush_line.seconds_until(2)
    assert (wait, ahead(0.5 + wait / 2), ahead(0.5 + wait)) == (0.5, 1, 0)
    row = RushLine.objects.get()
    assert (row.served, row.moved_at) == (late[-1] - 2, AT + seconds(0.5)), "read once"


@pytest.mark.django_db(transaction=True)
def test_many_that_open_the_line_at_once_make_one() -> None:
    def ask(_: int) -> float:
        try:
            return rush_line.ahead_of(rush_line.take_number(), at=AT)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(32))) == [0] * 32
    assert RushLine.objects.count() == 1
