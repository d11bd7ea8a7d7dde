"""M3.11: which of two values the golden record keeps."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from hospital.patients import golden
from hospital.patients.golden import Origin
from hospital.patients.states import ASSURANCE_ORDER, Assurance, Source

ORIGINS = st.builds(
    Origin,
    st.sampled_from(Source),
    st.sampled_from(Assurance),
    st.datetimes(timezones=st.just(dt.UTC)),
)


@given(ORIGINS)
def test_an_origin_is_read_back_as_it_was_kept(origin: Origin) -> None:
    assert Origin.read(origin.kept()) == origin


@given(ORIGINS, ORIGINS)
def test_the_surer_value_wins_then_the_newer(one: Origin, other: Origin) -> None:
    rank = ASSURANCE_ORDER.index
    surer = rank(one.assurance) > rank(other.assurance)
    level = one.assurance == other.assurance
    assert golden.outranks(one, other) == (surer or (level and one.at >= other.at))


@given(ORIGINS, ORIGINS, st.sampled_from(["", "鹤山"]), st.sampled_from(["", "江门"]))
def test_a_blank_never_overwrites_and_always_gives_way(
    new: Origin, old: Origin, brought: str, held: str
) -> None:
    taken = golden.survivors({"address": held}, {"address": old.kept()}, {"address": brought}, new)

    if not brought:
        assert taken == {}
    elif not held:
        assert taken == {"address": brought}
    else:
        assert taken == ({"address": brought} if golden.outranks(new, old) else {})


@given(ORIGINS)
def test_no_document_proves_a_phone(origin: Origin) -> None:
    assert golden.origin_of("phone", origin).assurance == Assurance.DECLARED
    assert golden.origin_of("name", origin) == origin
