"""Pinyin as stored beside names: readings, surnames, and comparing what people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital.kernel import pinyin


@pytest.mark.parametrize(
    ("text", "spaced", "letters"),
    [
        ("针灸推拿科", "zhen jiu tui na ke", "zjtnk"),
        ("治未病中心", "zhi wei bing zhong xin", "zwbzx"),
        ("脾胃病科(东院)", "pi wei bing ke dong yuan", "pwbkdy"),
        ("CT 室", "ct shi", "cs"),
        ("女科", "nv ke", "nk"),
        ("重症医学科", "zhong zheng yi xue ke", "zzyxk"),
        ("", "", ""),
    ],
)
def test_readings(text: str, spaced: str, letters: str) -> None:
    assert pinyin.pinyin(text) == spaced
    assert pinyin.initials(text) == letters


@pytest.mark.parametrize(
    ("name", "spaced"),
    [
        ("单知行", "shan zhi xing"),
        ("曾敬修", "zeng jing xiu"),
        ("区若川", "ou ruo chuan"),
        ("尉迟明", "yu chi ming"),
        ("张单", "zhang dan"),
        ("任重", "ren zhong"),
    ],
)
def test_surnames_have_their_own_reading(name: str, spaced: str) -> None:
    assert pinyin.name_pinyin(name) == spaced
    assert pinyin.name_initials(name) == "".join(part[0] for part in spaced.split())


def test_typed_text_is_made_comparable() -> None:
    assert pinyin.fold(" ＺＪ Tnk　") == "zjtnk"
    assert pinyin.fold("lü") == "lv"


@given(st.text(max_size=30))
def test_any_text_has_a_reading_that_can_be_searched(text: str) -> None:
    spaced = pinyin.pinyin(text)
    assert spaced == " ".join(spaced.split())
    assert len(pinyin.initials(text)) == len(spaced.split())
