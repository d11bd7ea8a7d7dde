"""M3.7's weights and M3.8's vetoes: properties, and the cases the handbook names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from hospital.kernel import pinyin
from hospital.patients import likeness
from hospital.patients.likeness import HANDBOOK, Profile, Veto, Weights, compare
from hospital.patients.states import DocumentKind, Sex
from hospital.patients.thresholds import _WEIGHTS, REVIEW_SCORE

LOWEST = REVIEW_SCORE.minimum or 0
NAMES = st.sampled_from(["陈晓宁", "陈小宁", "陈晓明", "王伟", "欧阳婉儿", "欧阳碗儿", "冼星海"])
DAYS = st.sampled_from([dt.date(1985, 3, 12), dt.date(1985, 12, 3), dt.date(1990, 1, 1)])
NUMBERS = st.sampled_from(["E12345678", "E12345687", "E99999999"])
IDS = st.sampled_from(["11010519491231002X", "440524188001010014"])


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    name = draw(NAMES)
    numbers = {}
    if draw(st.booleans()):
        numbers[DocumentKind.PASSPORT] = frozenset({draw(NUMBERS)})
    if draw(st.booleans()):
        numbers[DocumentKind.RESIDENT_ID] = frozenset({draw(IDS)})
    return Profile(
        name=name,
        sound=pinyin.name_pinyin(name).replace(" ", ""),
        sex=draw(st.sampled_from(Sex)),
        birth_date=draw(st.none() | DAYS),
        numbers=numbers,
        phone=draw(st.sampled_from(["", "p1", "p2"])),
        address=draw(st.sampled_from(["", "鹤山市沙坪街道人民路1号", "鹤山市沙坪街道人民路2号"])),
        guardians=draw(st.sampled_from([frozenset(), frozenset({1}), frozenset({2})])),
    )


@given(profiles(), profiles())
def test_the_order_of_two_persons_does_not_matter(one: Profile, other: Profile) -> None:
    assert compare(one, other).score == compare(other, one).score
    assert set(compare(one, other).vetoes) == set(compare(other, one).vetoes)


@given(profiles(), profiles())
def test_the_evidence_adds_up_to_the_score(one: Profile, other: Profile) -> None:
    found = compare(one, other)

    assert found.score == sum(weight for _, weight in found.evidence)
    assert all(label and weight for label, weight in found.evidence)


@st.composite
def weights(draw: st.DrawFn) -> Weights:
    """Any a hospital may set."""
    return Weights(
        **{
            sign: draw(st.integers(setting.minimum or 0, setting.maximum))
            for sign, setting in _WEIGHTS.items()
        }
    )


@given(profiles(), profiles(), st.just(HANDBOOK) | weights())
def test_whoever_reaches_a_score_is_found_through_the_indexes(
    one: Profile, other: Profile, counted: Weights
) -> None:
    if compare(one, other, weights=counted).score >= LOWEST:
        assert likeness.may_matter(one, other)


def test_every_weight_is_a_setting_whose_range_holds_the_handbooks() -> None:
    assert _WEIGHTS.keys() == asdict(HANDBOOK).keys()
    for sign, setting in _WEIGHTS.items():
        assert setting.default == getattr(HANDBOOK, sign)
        setting.check(setting.default)


@given(profiles())
def test_nobody_is_vetoed_against_the_own_record(one: Profile) -> None:
    assert compare(one, one).vetoes == ()


def person(**changes: object) -> Profile:
    told: dict[str, object] = {
        "name": "陈晓宁",
        "sound": "chenxiaoning",
        "sex": Sex.FEMALE,
        "birth_date": dt.date(1985, 3, 12),
        "numbers": {DocumentKind.RESIDENT_ID: frozenset({"11010519491231002X"})},
        "phone": "p1",
        "address": "鹤山市沙坪街道人民路1号",
    }
    return Profile(**{**told, **changes})  # type: ignore[arg-type]


def test_each_weight_is_the_handbooks() -> None:
    def alone(one: Mapping[str, object], other: Mapping[str, object]) -> int:
        nobody = {"name": "", "sound": "", "sex": Sex.UNKNOWN, "birth_date": None}
        bare: dict[str, object] = {**nobody, "numbers": {}, "phone": "", "address": ""}
        return compare(person(**{**bare, **one}), person(**{**bare, **other})).score

    passport = {"numbers": {DocumentKind.PASSPORT: frozenset({"E12345678"})}}
    swapped = {"numbers": {DocumentKind.PASSPORT: frozenset({"E12345687"})}}
    assert alone(passport, passport) == 10
    assert alone(passport, swapped) == 4
    named = {"name": "陈晓宁", "sound": "chenxiaoning"}
    assert alone(named, named) == 4
    assert alone(named, {**named, "name": "陈小宁"}) == 2
    assert alone(named, {"name": "李四", "sound": "lisi"}) == -5
    rare = {"name": "冼星海", "sound": "xianxinghai"}
    assert alone(rare, rare) == 4 + 1
    born = {"birth_date": dt.date(1985, 3, 12)}
    assert alone(born, born) == 4
    assert alone(born, {"birth_date": dt.date(1985, 12, 3)}) == 1
    assert alone(born, {"birth_date": dt.date(1985, 3, 13)}) == -4
    assert alone({"sex": Sex.MALE}, {"sex": Sex.MALE}) == 1
    assert alone({"sex": Sex.MALE}, {"sex": Sex.FEMALE}) == -5
    assert alone({"phone": "p1"}, {"phone": "p1"}) == 3
    address = {"address": "广东省鹤山市沙坪街道人民路 1 号"}
    assert alone(address, {"address": "广东省鹤山市沙坪街道人民路1号"}) == 1
    guardian = {"guardians": frozenset({7})}
    assert alone(guardian, guardian) == 1


def test_twins_are_vetoed_and_distinct() -> None:
    other = person(
        name="陈晓静",
        sound="chenxiaojing",
        numbers={DocumentKind.RESIDENT_ID: frozenset({"440524188001010014"})},
    )

    found = compare(person(), other)

    assert found.vetoes == (Veto.TWINS, Veto.OTHER_ID)
    assert found.score == -5 + 4 + 1 + 3 + 1


def test_two_valid_ids_of_one_name_are_vetoed_though_strong() -> None:
    other = person(numbers={DocumentKind.RESIDENT_ID: frozenset({"440524188001010014"})})

    found = compare(person(), other)

    assert (found.score, found.vetoes) == (13, (Veto.OTHER_ID,))


def test_another_sex_is_a_veto() -> None:
    assert compare(person(), person(sex=Sex.MALE)).vetoes == (Veto.OTHER_SEX,)
