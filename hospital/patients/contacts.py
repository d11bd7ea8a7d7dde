"""Names, phones and addresses as pure functions: how they are cleaned, checked, compared (M3.5)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from hospital.kernel.errors import Refusal

_LONGEST_NAME: Final = 40
_LONGEST_ADDRESS: Final = 100
#: Chinese characters, also the rare ones beyond the first plane that stand on ID cards.
_HAN: Final = re.compile("[㐀-鿿豈-\ufaff\U00020000-\U000323af]")
#: Every mark people type for the dot in names of ethnic minorities.
_DOTS: Final = re.compile(r"[.•‧∙・·･]")
#: The rarest characters are newer than the tables of letters here, so they are named beside them.
_LETTER: Final = r"(?:[^\W\d_]|[\U00020000-\U000323af])"
_LATIN_NAME: Final = re.compile(rf"{_LETTER}+(?:[ '·-]{_LETTER}+)*", re.UNICODE)
_MAINLAND: Final = re.compile(r"1[3-9][0-9]{9}")
_HK_MACAU: Final = re.compile(r"(852|853)[2-9][0-9]{7}")


class BadName(Refusal):
    """This cannot be the name of a person."""

    code = "BAD_NAME"


class BadAddress(Refusal):
    """This cannot be an address."""

    code = "BAD_ADDRESS"


class BadPhone(Refusal):
    """This cannot be a mobile number of the mainland, Hong Kong or Macau."""

    code = "BAD_PHONE"


def clean_name(text: str) -> str:
    """Return a name as it is stored: half-width letters, one kind of dot, single spaces.

    Chinese names hold no spaces. Raises BadName.
    """
    narrow = " ".join(unicodedata.normalize("NFC", text).translate(_FULL_WIDTH).split())
    if _HAN.search(narrow):
        narrow = _DOTS.sub("·", narrow.replace(" ", ""))
    if not narrow:
        raise BadName("请填写姓名。")
    if len(narrow) < 2 or len(narrow) > _LONGEST_NAME:
        raise BadName(f"姓名应为 2 到 {_LONGEST_NAME} 个字，请填写证件上的姓名。")
    if any(unicodedata.category(character) == "Co" for character in narrow):
        raise BadName("姓名中有电脑显示不了的生僻字：请用拼音代替该字，并在“生僻字写法”中写明。")
    if not _LATIN_NAME.fullmatch(narrow):
        raise BadName("姓名只能包含汉字、字母和间隔号，请填写证件上的姓名。")
    return narrow


def is_same_name(one: str, other: str) -> bool:
    """Say whether two cleaned names are the same person's: case, dots and spaces do not matter."""
    return _bare(one) == _bare(other)


def clean_phone(text: str) -> str:
    """Return a mobile number as digits, with 852 or 853 before those of Hong Kong and Macau.

    Raises BadPhone.
    """
    digits = re.sub(r"[\s\-()]", "", unicodedata.normalize("NFKC", text[:_LONGEST_NAME]))
    digits = digits.removeprefix("+").removeprefix("0086")
    if len(digits) == len("86") + 11:
        digits = digits.removeprefix("86")
    if not digits:
        raise BadPhone("请填写手机号。")
    if not (_MAINLAND.fullmatch(digits) or _HK_MACAU.fullmatch(digits)):
        raise BadPhone("手机号应为 11 位数字，港澳号码请以 852 或 853 开头。")
    return digits


def clean_address(text: str) -> str:
    """Return an address on one line without needless spaces, "" for none. Raises BadAddress."""
    narrow = " ".join(unicodedata.normalize("NFC", text).translate(_FULL_WIDTH).split())
    if len(narrow) > _LONGEST_ADDRESS:
        raise BadAddress(f"住址不能超过 {_LONGEST_ADDRESS} 个字。")
    if not narrow.isprintable():
        raise BadAddress("住址中有无法显示的字符，请核对。")
    return narrow


def normalise_search(text: str) -> str:
    """Return what a clerk typed as numbers and names are stored: half-width, upper case, no spaces.

    Hyphens and brackets go too, so that a number copied from a form is found.
    """
    narrow = unicodedata.normalize("NFC", text[:_LONGEST_NAME]).translate(_FULL_WIDTH).upper()
    return re.sub(r"[\s\-()]", "", _DOTS.sub("·", narrow))


def _bare(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


#: NFKC would also replace rare compatibility characters that stand on people's ID cards.
_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
