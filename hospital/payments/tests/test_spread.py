"""Whose money goes back first: the newest payment's, each up to what is left of it (M9.3)."""

from hypothesis import given
from hypothesis import strategies as st

from hospital.payments.spread import Part, newest_first

left = st.lists(st.integers(-5, 1000), max_size=8).map(
    lambda amounts: [Part(number, fen) for number, fen in enumerate(amounts)]
)


@given(wanted=st.integers(-10, 5000), sources=left)
def test_nothing_is_lost_made_up_or_taken_from_an_older_one_first(
    wanted: int, sources: list[Part]
) -> None:
    parts, missing = newest_first(wanted, sources)
    room = {source.payment_id: source.amount_fen for source in sources}
    assert sum(part.amount_fen for part in parts) + missing == max(wanted, 0)
    assert all(0 < part.amount_fen <= room[part.payment_id] for part in parts)
    order = [part.payment_id for part in parts]
    assert order == sorted(order)
    for part in parts[:-1]:
        assert part.amount_fen == room[part.payment_id], "a newer one is emptied first"
    if missing:
        assert sum(part.amount_fen for part in parts) == sum(max(fen, 0) for fen in room.values())


def test_the_last_one_gives_the_rest() -> None:
    parts, missing = newest_first(700, [Part(3, 500), Part(2, 0), Part(1, 900)])
    assert (parts, missing) == ([Part(3, 500), Part(1, 200)], 0)
