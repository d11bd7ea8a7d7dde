"""People who do not exist (X12): names, valid numbers, phones and addresses of a made-up county.

Person number `index` of a seed is always the same one. Shares follow a county hospital's index:
few surnames carry most people, old people come oftener than young ones, some names are long.
"""

from __future__ import annotations

import bisect
import datetime as dt
import itertools
import random
from dataclasses import dataclass
from typing import Final

from hospital.patients import documents
from hospital.patients.states import Sex

_SINGLE: Final = "陈梁李黄何张吴冯林罗刘谭周邓杨谢麦王徐叶区关温胡余郑古曾任钟赵卢严甘易冼劳"
_DOUBLE: Final = ("欧阳", "司徒", "上官")
#: A surname's weight falls like the inverse of its rank, as surnames do.
_WEIGHTS: Final = tuple(itertools.accumulate(1 / (rank + 2) for rank in range(len(_SINGLE))))
_MALE: Final = "伟强军杰涛明超勇辉刚健俊峰建华国志文永祥浩宇轩泽豪家荣锦添振邦耀宗景福"
_FEMALE: Final = "芳娜敏静丽艳娟霞秀英玲桂兰燕琼梅珍凤洁莹婷雪惠嘉欣怡彤雅琪月娥妹好"
_EITHER: Final = "晓文宁子安思海春秋金玉永小新世华明平仁善乐天一"
_LONG_NAMES: Final = (
    "阿卜杜热西提·努尔买买提",
    "古丽娜尔·艾尔肯",
    "迪丽努尔·阿卜杜拉",
    "才让多吉扎西",
    "斯琴高娃",
)
_AREAS: Final = ("440784", "440784", "440784", "440784", "440703", "440704", "440782", "440106")
_TOWNS: Final = ("沙坪街道", "龙口镇", "雅瑶镇", "古劳镇", "桃源镇", "鹤城镇", "共和镇", "址山镇")
_STREETS: Final = ("人民路", "新城路", "中山路", "前进路", "裕民路", "文明路", "鹤山大道", "北湖路")
_PREFIXES: Final = ("135", "136", "137", "138", "139", "150", "158", "159", "178", "186", "189")
_LONG_EVERY: Final = 200
_DOUBLE_EVERY: Final = 120
_SHARED_PHONE_EVERY: Final = 12
_OLDEST_DAYS: Final = 92 * 365


@dataclass(frozen=True, slots=True)
class Somebody:
    """One made-up person; the number passes every check of M3.2 and belongs to nobody."""

    name: str
    sex: Sex
    birth_date: dt.date
    number: str
    phone: str
    address: str


def somebody(seed: int, index: int, *, on: dt.date) -> Somebody:
    """Return person `index` of a seed as of a day."""
    dice = random.Random(f"{seed}:{index}")  # noqa: S311 - people to test with, no secrets
    sex = dice.choice((Sex.MALE, Sex.FEMALE))
    # The older of two draws: hospitals see old people more often.
    birth_date = on - dt.timedelta(days=max(dice.randrange(_OLDEST_DAYS) for _ in range(2)))
    return Somebody(
        name=_name(dice, sex, index),
        sex=sex,
        birth_date=birth_date,
        number=_number(dice, sex, birth_date, index),
        phone=_phone(seed, index - 1 if index % _SHARED_PHONE_EVERY == 1 else index),
        address=_address(dice),
    )


def _name(dice: random.Random, sex: Sex, index: int) -> str:
    if index % _LONG_EVERY == 0:
        return dice.choice(_LONG_NAMES)
    place = bisect.bisect(_WEIGHTS, dice.random() * _WEIGHTS[-1])
    surname = _SINGLE[place] if index % _DOUBLE_EVERY else dice.choice(_DOUBLE)
    own = _MALE if sex is Sex.MALE else _FEMALE
    given = dice.choice(own) if dice.random() < 0.25 else dice.choice(_EITHER) + dice.choice(own)
    return surname + given


def _number(dice: random.Random, sex: Sex, birth_date: dt.date, index: int) -> str:
    """The index stands in area and serial, so that hardly anybody has a number twice."""
    serial = index % 500 * 2 + (1 if sex is Sex.MALE else 0)
    area = f"{_AREAS[dice.randrange(len(_AREAS))][:4]}{index // 500 % 90 + 10:02d}"
    seventeen = f"{area}{birth_date:%Y%m%d}{serial:03d}"
    return seventeen + documents.check_character(seventeen)


def _phone(seed: int, index: int) -> str:
    dice = random.Random(f"phone:{seed}:{index}")  # noqa: S311
    return f"{dice.choice(_PREFIXES)}{dice.randrange(100_000_000):08d}"


def _address(dice: random.Random) -> str:
    number, block = dice.randrange(1, 400), dice.randrange(1, 30)
    town, street = dice.choice(_TOWNS), dice.choice(_STREETS)
    flat = f"{dice.randrange(1, 33)}0{dice.randrange(1, 7)}"
    return f"广东省鹤山市{town}{street}{number}号{block}栋{flat}"
