"""Names and phones as people type them."""

from __future__ import annotations

import pytest

from hospital.patients import contacts


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" 陈 晓宁 ", "陈晓宁"),
        ("阿依古丽.买买提", "阿依古丽·买买提"),
        ("阿依古丽•买买提", "阿依古丽·买买提"),
        ("Anna  Müller-Lüdenscheidt", "Anna Müller-Lüdenscheidt"),
        ("Ｊｏｈｎ Smith", "John Smith"),
        ("𠮷田", "𠮷田"),
    ],
)
def test_names_are_stored_in_one_spelling(typed: str, stored: str) -> None:
    assert contacts.clean_name(typed) == stored


@pytest.mark.parametrize("typed", ["", "陈", "陈1宁", "陈晓宁<b>", "a" * 41, "···"])
def test_what_is_no_name_is_refused(typed: str) -> None:
    with pytest.raises(contacts.BadName):
        contacts.clean_name(typed)


def test_the_same_name_in_two_spellings() -> None:
    assert contacts.is_same_name("Anna Müller", "ANNA MÜLLER")
    assert contacts.is_same_name("阿依古丽·买买提", "阿依古丽买买提")
    assert not contacts.is_same_name("陈晓宁", "陈晓明")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("13800138000", "13800138000"),
        ("+86 138-0013-8000", "13800138000"),
        ("0086 13800138000", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("+852 9123 4567", "85291234567"),
        ("853 6612 3456", "85366123456"),
    ],
)
def test_phones_are_stored_as_digits(typed: str, stored: str) -> None:
    assert contacts.clean_phone(typed) == stored


def test_rare_characters_of_every_plane_are_names() -> None:
    assert contacts.clean_name(" 王 𬭩 ") == "王𬭩"
    assert contacts.clean_name("㛃·𠮷") == "㛃·𠮷"
    assert contacts.clean_name("陈\U00031350\U000323af") == "陈\U00031350\U000323af"
    with pytest.raises(contacts.BadName, match="用拼音代替该字"):
        contacts.clean_name("王\ue000")


def test_an_address_stands_on_one_line() -> None:
    assert contacts.clean_address(" 鹤山市\n沙坪街道　１号 ") == "鹤山市 沙坪街道 1号"
    for text in ("长" * 101, "鹤山\x00市"):
        with pytest.raises(contacts.BadAddress):
            contacts.clean_address(text)


@pytest.mark.parametrize(
    "typed", ["", "1380013800", "138001380001", "12800138000", "phone", "8521234567"]
)
def test_what_is_no_mobile_number_is_refused(typed: str) -> None:
    with pytest.raises(contacts.BadPhone):
        contacts.clean_phone(typed)
