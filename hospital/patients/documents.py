"""Identity documents as pure functions: what a number must look like and what it tells.

M3.2: resident ID, 17 digits and an ISO 7064 mod 11-2 check character, which catches every single
wrong digit and every swap of two different neighbours. M3.13: all other kinds. Nothing here
touches the database or the clock; `on` is the hospital day a number is judged on.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from hospital.kernel.errors import Refusal
from hospital.patients.states import DocumentKind, Sex

OLDEST_YEARS: Final = 150
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
_CENTENARIANS: Final = ("996", "997", "998", "999")
#: Provinces of GB/T 2260; 71, 81 and 82 also start resident IDs issued on the mainland.
_PROVINCES: Final = frozenset(
    {*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55)}
    | {*range(61, 66), 71, 81, 82}
)
_EIGHTEEN: Final = re.compile(r"[0-9]{17}[0-9X]")
_FIFTEEN: Final = re.compile(r"[0-9]{15}")
_SHAPES: Final = {
    DocumentKind.PASSPORT: (
        re.compile(r"(?=.*[0-9])[A-Z0-9]{5,17}"),
        "护照号码为 5 到 17 位字母和数字，请核对。",
    ),
    DocumentKind.HK_MACAU_PERMIT: (
        re.compile(r"[HM]([0-9]{8}|[0-9]{10})"),
        "港澳居民来往内地通行证号码为 H 或 M 加 8 位或 10 位数字，请核对。",
    ),
    DocumentKind.TAIWAN_PERMIT: (
        re.compile(r"[0-9]{8}"),
        "台湾居民来往大陆通行证号码为 8 位数字，请核对。",
    ),
    DocumentKind.OFFICER_CARD: (
        re.compile(r"[一-鿿]{0,8}[A-Z0-9]{4,12}号?"),
        "军官证号码形如“军字第1234567号”，请核对。",
    ),
    DocumentKind.OTHER: (
        re.compile(r"[A-Z0-9一-鿿]{4,30}"),
        "证件号码为 4 到 30 位字母、数字或汉字，请核对。",
    ),
}
_OLD_FOREIGNER_CARD: Final = re.compile(r"[A-Z]{3}[0-9]{12}")
_PREFIXES: Final = {
    DocumentKind.RESIDENCE_PERMIT: ("81", "82", "83"),
    DocumentKind.FOREIGNER_CARD: ("9",),
}
_LONGEST_INPUT: Final = 60
#: A number of these kinds tells sex and birth date.
TELLING: Final = frozenset(
    {
        DocumentKind.RESIDENT_ID,
        DocumentKind.HOUSEHOLD_BOOK,
        DocumentKind.RESIDENCE_PERMIT,
        DocumentKind.FOREIGNER_CARD,
    }
)


class BadDocument(Refusal):
    """The number cannot be one of a document of this kind; the message says what is wrong."""

    code = "BAD_DOCUMENT"


@dataclass(frozen=True, slots=True)
class Document:
    """A checked document: the kind and number it is filed under, and what the number tells.

    A household book carries a child's resident ID number, so it is filed as a resident ID: the
    card issued later is then the same document.
    """

    kind: DocumentKind
    number: str
    birth_date: dt.date | None = None
    sex: Sex | None = None


def check(kind: DocumentKind, text: str, *, on: dt.date) -> Document:
    """Return the checked document of a kind. Raises BadDocument."""
    number = normalise(text)
    if not number:
        raise BadDocument("请填写证件号码。")
    if kind in {DocumentKind.RESIDENT_ID, DocumentKind.HOUSEHOLD_BOOK}:
        return parse_resident_id(number, on=on)
    if kind is DocumentKind.FOREIGNER_CARD and _OLD_FOREIGNER_CARD.fullmatch(number):
        return Document(kind=kind, number=number)
    if kind in _PREFIXES:
        return _parse_permit(kind, number, on=on)
    shape, sentence = _SHAPES[kind]
    if not shape.fullmatch(number):
        raise BadDocument(sentence)
    return Document(kind=kind, number=number)


def parse_resident_id(text: str, *, on: dt.date) -> Document:
    """Return a resident ID with its sex and birth date; 15 digits become 18. Raises BadDocument.

    M3.2: legal area, real date, not in the future, at most 150 years ago, check character.
    """
    # Nothing but the last character can be a letter, so an O can only be a mistyped zero.
    number = normalise(text).replace("O", "0")
    if _FIFTEEN.fullmatch(number):
        number = widen(number)
    if not _EIGHTEEN.fullmatch(number):
        raise BadDocument("身份证号码应为 18 位，前 17 位是数字，最后一位是数字或 X。")
    if int(number[:2]) not in _PROVINCES or number[2:4] == "00":
        raise BadDocument("身份证号码的地区（前 6 位）不正确，请核对。")
    return _read_eighteen(DocumentKind.RESIDENT_ID, number, on=on)


def widen(fifteen: str) -> str:
    """Return the 18 characters of an old 15-digit number.

    Its century is 19, except for those who were a hundred already when numbers were given out:
    their last three digits were kept for them (GB 11643-1989).
    """
    century = "18" if fifteen[12:] in _CENTENARIANS else "19"
    seventeen = f"{fifteen[:6]}{century}{fifteen[6:]}"
    return seventeen + check_character(seventeen)


def check_character(seventeen: str) -> str:
    """Return the mod 11-2 check character (0-9 or X) of 17 digits."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, seventeen, strict=True))
    return _CHECKS[total % 11]


def normalise(text: str) -> str:
    """Return a number as it is stored: half-width, upper case, no spaces and hyphens."""
    narrow = unicodedata.normalize("NFKC", text[:_LONGEST_INPUT]).upper()
    return re.sub(r"[\s\-‐-―()]", "", narrow)


def age_in_years(birth_date: dt.date, *, on: dt.date) -> int:
    """Return full years of age on a day; somebody born on 29 February ages on 1 March."""
    had_birthday = (on.month, on.day) >= (birth_date.month, birth_date.day)
    return on.year - birth_date.year - (0 if had_birthday else 1)


def _parse_permit(kind: DocumentKind, number: str, *, on: dt.date) -> Document:
    prefixes = _PREFIXES[kind]
    if not _EIGHTEEN.fullmatch(number) or not number.startswith(prefixes):
        starts = "、".join(prefixes)
        raise BadDocument(f"{kind.label}号码为 18 位，以 {starts} 开头，请核对。")
    return _read_eighteen(kind, number, on=on)


def _read_eighteen(kind: DocumentKind, number: str, *, on: dt.date) -> Document:
    if check_character(number[:17]) != number[17]:
        raise BadDocument(f"{kind.label}号码有误，校验位不符，请逐位核对。")
    try:
        birth_date = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise BadDocument(f"{kind.label}号码中的出生日期不存在，请核对。") from None
    check_birth_date(birth_date, on=on)
    sex = Sex.MALE if int(number[16]) % 2 else Sex.FEMALE
    return Document(kind=kind, number=number, birth_date=birth_date, sex=sex)


def check_birth_date(birth_date: dt.date, *, on: dt.date) -> None:
    """Refuse a birth date in the future or more than 150 years ago. Raises BadDocument."""
    if birth_date > on:
        raise BadDocument("出生日期不能晚于今天。")
    if age_in_years(birth_date, on=on) > OLDEST_YEARS:
        raise BadDocument(f"出生日期距今超过 {OLDEST_YEARS} 年，请核对。")
