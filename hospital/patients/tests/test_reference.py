"""Tables of the standards: complete, and every word in use has its code."""

from __future__ import annotations

import pytest

from hospital.patients.reference import (
    COUNTRIES,
    DOCUMENT_CODES,
    ETHNIC_GROUPS,
    RELATIONSHIP_CODES,
    SEX_CODES,
    country_code,
    ethnic_group_code,
)
from hospital.patients.states import DocumentKind, Relationship, Sex


def test_the_tables_have_the_size_of_their_standards() -> None:
    standard = [code for code in ETHNIC_GROUPS if code < "97"]
    assert standard == [f"{number:02d}" for number in range(1, 57)]
    assert len({row.letters for row in ETHNIC_GROUPS.values() if row.letters}) == 56
    assert len(COUNTRIES) == 249
    assert all(len(code) == 3 and code.isupper() and name for code, name in COUNTRIES.items())


def test_every_word_in_use_has_a_code() -> None:
    assert set(SEX_CODES) == set(Sex)
    assert set(DOCUMENT_CODES) == set(DocumentKind)
    assert sorted(RELATIONSHIP_CODES.values()) == [str(digit) for digit in range(9)]
    assert set(RELATIONSHIP_CODES) == set(Relationship)


@pytest.mark.parametrize("text", ["维吾尔", "维吾尔族", "05", "ug", " UG "])
def test_an_ethnic_group_is_known_in_every_spelling(text: str) -> None:
    assert ethnic_group_code(text) == "05"


def test_what_nobody_knows_is_blank() -> None:
    assert (ethnic_group_code("火星"), country_code("火星")) == ("", "")
    assert [country_code(text) for text in ("CHN", "中国", "中华人民共和国", "中国香港")] == [
        "CHN", "CHN", "CHN", "HKG",
    ]  # fmt: skip
