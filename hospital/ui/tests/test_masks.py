"""Masks: rules Q11 (names) and X12 (document and phone numbers)."""

import pytest

from hospital.ui import masks


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张远", "张*"),
        ("张明远", "张*远"),
        ("欧阳小明", "欧**明"),
        ("古丽米热·阿卜杜热合曼", "古*********曼"),
        ("张", "张"),
        ("anastasia Kuznetsova", "A***"),
        ("Ли", "Л***"),
        ("张 远", "张*"),
        ("𠮷田明", "𠮷*明"),
        ("", ""),
    ],
)
def test_names_show_what_a_waiting_screen_may_show(name: str, shown: str) -> None:
    assert masks.mask_name(name) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("440782195501011233", "440***********1233"),
        ("H12345678", "H12**5678"),
        ("12345678", "******78"),
        ("7", "7"),
        ("", ""),
    ],
)
def test_document_numbers_keep_three_and_four(number: str, shown: str) -> None:
    assert masks.mask_id(number) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("13800131234", "138****1234"),
        ("138 0013 1234", "138****1234"),
        ("+85291234567", "********4567"),
        ("123", "123"),
        ("", ""),
    ],
)
def test_phone_numbers_keep_three_and_four(number: str, shown: str) -> None:
    assert masks.mask_phone(number) == shown
