"""How alike two persons are (M3.7), and what forbids taking them for one (M3.8). Pure.

Weights add up, so the score explains itself: `evidence` holds each part with its words. A missing
value counts nothing. Overlapping stays (the last veto of M3.8) are judged where admissions live.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from django.db.models import TextChoices

from hospital.patients import contacts
from hospital.patients.states import DocumentKind, Sex

#: Of the pairs of neighbouring characters, how many two addresses must share.
_LIKE: Final = 0.75
#: The hundred commonest surnames, about 85 of 100 people; any other makes a name rare.
_COMMON_SURNAMES: Final = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏"
    "吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武"
)
_LONG_NAME: Final = 4


class Veto(TextChoices):
    """Why two alike records must never be taken for one without a person's look (M3.8)."""

    TWINS = "twins", "可能是双胞胎：出生日期、手机号、住址相同，名字不同"
    OTHER_ID = "other_id", "两人都有有效但不同的居民身份证号"
    OTHER_SEX = "other_sex", "性别不同"


@dataclass(frozen=True, slots=True)
class Profile:
    """What is compared of one person; empty, None and UNKNOWN mean not known.

    `sound` is the pinyin without spaces; `phone` may be a blind index, since only equality counts.
    `birth_date` is None when it is an estimate.
    """

    name: str
    sound: str
    sex: Sex
    birth_date: dt.date | None
    numbers: Mapping[DocumentKind, frozenset[str]] = field(default_factory=dict)
    phone: str = ""
    address: str = ""
    guardians: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Weights:
    """What each sign counts; the handbook's, where the hospital has set none. What differs is
    subtracted. None may be so large that somebody scores whom `may_matter` leaves out."""

    same_number: int = 10
    swapped_number: int = 4
    same_name: int = 4
    same_sound: int = 2
    other_name: int = 5
    same_birth: int = 4
    swapped_birth: int = 1
    other_birth: int = 4
    same_sex: int = 1
    other_sex: int = 5
    same_phone: int = 3
    like_address: int = 1
    same_guardian: int = 1
    rare_name: int = 1


HANDBOOK: Final = Weights()


@dataclass(frozen=True, slots=True)
class Likeness:
    """The score, what it is made of, and the vetoes."""

    score: int
    evidence: tuple[tuple[str, int], ...]
    vetoes: tuple[Veto, ...]


def compare(one: Profile, other: Profile, *, weights: Weights = HANDBOOK) -> Likeness:
    """Return how alike two persons are; the order of the two does not matter."""
    same_phone = bool(one.phone and one.phone == other.phone)
    parts = (
        _numbers(one, other, weights),
        _name(one, other, weights),
        _birth(one, other, weights),
        _sex(one, other, weights),
        ("手机号相同", weights.same_phone * same_phone),
        ("住址相近", weights.like_address * is_like_address(one.address, other.address)),
        ("监护人相同", weights.same_guardian * bool(one.guardians & other.guardians)),
        ("姓名少见", weights.rare_name * _is_same_rare_name(one, other)),
    )
    evidence = tuple((label, weight) for label, weight in parts if weight)
    return Likeness(sum(weight for _, weight in evidence), evidence, vetoes(one, other))


def vetoes(one: Profile, other: Profile) -> tuple[Veto, ...]:
    """Return what speaks against taking two persons for one, in a fixed order."""
    found = []
    if _are_like_twins(one, other):
        found.append(Veto.TWINS)
    ids = (one.numbers.get(DocumentKind.RESIDENT_ID), other.numbers.get(DocumentKind.RESIDENT_ID))
    if ids[0] and ids[1] and not ids[0] & ids[1]:
        found.append(Veto.OTHER_ID)
    if Sex.UNKNOWN not in (one.sex, other.sex) and one.sex != other.sex:
        found.append(Veto.OTHER_SEX)
    return tuple(found)


def may_matter(one: Profile, other: Profile) -> bool:
    """Say whether two persons whose names are known can reach the lowest review score at all.

    The search for candidates asks the database exactly this, through its indexes: a number in
    common or with two neighbours swapped, or a name that sounds the same together with the birth
    date (also with day and month swapped, or only estimated) or the phone.
    """
    if _numbers(one, other, HANDBOOK)[1]:
        return True
    if not one.sound or one.sound != other.sound:
        return False
    births = (one.birth_date, other.birth_date)
    same_birth = births[0] is None or births[1] is None or births[1] in birth_dates(births[0])
    return same_birth or bool(one.phone and one.phone == other.phone)


def birth_dates(birth_date: dt.date) -> tuple[dt.date, ...]:
    """Return a birth date and, where it is one, the same with day and month swapped."""
    try:
        swapped = birth_date.replace(month=birth_date.day, day=birth_date.month)
    except ValueError:
        return (birth_date,)
    return (birth_date,) if swapped == birth_date else (birth_date, swapped)


def swapped_numbers(number: str) -> frozenset[str]:
    """Return the number with each two different neighbours swapped once."""
    return frozenset(
        number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        for place in range(len(number) - 1)
        if number[place] != number[place + 1]
    )


def is_like_address(one: str, other: str) -> bool:
    """Say whether two addresses share most pairs of neighbouring characters."""
    pairs = (_pairs(one), _pairs(other))
    if not pairs[0] or not pairs[1]:
        return False
    return 2 * len(pairs[0] & pairs[1]) >= _LIKE * 2 * max(len(pairs[0]), len(pairs[1]))


def is_rare(name: str) -> bool:
    """Say whether a name is so rare that two people of that name are probably one."""
    return len(name) >= _LONG_NAME or name[:1] not in _COMMON_SURNAMES


def _numbers(one: Profile, other: Profile, weights: Weights) -> tuple[str, int]:
    kinds = one.numbers.keys() & other.numbers.keys()
    if any(one.numbers[kind] & other.numbers[kind] for kind in kinds):
        return "证件号码相同", weights.same_number
    for kind in kinds:
        if any(swapped_numbers(number) & other.numbers[kind] for number in one.numbers[kind]):
            return "证件号码只有相邻两位颠倒", weights.swapped_number
    return "", 0


def _name(one: Profile, other: Profile, weights: Weights) -> tuple[str, int]:
    if not one.name or not other.name:
        return "", 0
    if _is_same_name(one, other):
        return "姓名相同", weights.same_name
    if one.sound and one.sound == other.sound:
        return "姓名同音", weights.same_sound
    return "姓名不同", -weights.other_name


def _is_same_name(one: Profile, other: Profile) -> bool:
    return bool(one.name and other.name) and contacts.is_same_name(one.name, other.name)


def _is_same_rare_name(one: Profile, other: Profile) -> bool:
    return _is_same_name(one, other) and (is_rare(one.name) or is_rare(other.name))


def _birth(one: Profile, other: Profile, weights: Weights) -> tuple[str, int]:
    if one.birth_date is None or other.birth_date is None:
        return "", 0
    if one.birth_date == other.birth_date:
        return "出生日期相同", weights.same_birth
    if other.birth_date in birth_dates(one.birth_date):
        return "出生月日颠倒", weights.swapped_birth
    return "出生日期不同", -weights.other_birth


def _sex(one: Profile, other: Profile, weights: Weights) -> tuple[str, int]:
    if Sex.UNKNOWN in (one.sex, other.sex):
        return "", 0
    if one.sex == other.sex:
        return "性别相同", weights.same_sex
    return "性别不同", -weights.other_sex


def _are_like_twins(one: Profile, other: Profile) -> bool:
    if one.birth_date is None or one.birth_date != other.birth_date:
        return False
    addresses = (one.address, other.address)
    at_one_place = not all(addresses) or is_like_address(*addresses)
    named = bool(one.name and other.name) and not _is_same_name(one, other)
    return named and bool(one.phone) and one.phone == other.phone and at_one_place


def _pairs(address: str) -> frozenset[str]:
    plain = re.sub(r"\W", "", unicodedata.normalize("NFKC", address).casefold())
    return frozenset(plain[place : place + 2] for place in range(len(plain) - 1))
