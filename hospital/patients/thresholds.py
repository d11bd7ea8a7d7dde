"""Numbers of the patients area that differ per hospital; each is a row once somebody sets it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from hospital.kernel.settings_rows import Setting
from hospital.patients.likeness import HANDBOOK, Weights

REVIEW_SCORE = Setting(
    key="patients.review_score",
    label="疑似重复：达到此分必须由人判断",
    default=7,
    unit="分",
    minimum=6,
    maximum=12,
    rule="M3.7",
)
STRONG_SCORE = Setting(
    key="patients.strong_score",
    label="疑似重复：达到此分很可能是同一人",
    default=12,
    unit="分",
    minimum=7,
    maximum=20,
    rule="M3.7",
)


def _weight(sign: str, label: str, *, least: int = 0, most: int | None = None) -> Setting[int]:
    default = asdict(HANDBOOK)[sign]
    return Setting(
        key=f"patients.weight_{sign}",
        label=f"疑似重复：{label}",
        default=default,
        unit="分",
        minimum=least,
        maximum=default if most is None else most,
        rule="M3.7",
    )


#: What is alike may count less than in the handbook and what differs may count more, never the
#: other way: the search through the indexes leaves nobody out only then (decision 0046).
_WEIGHTS: Final = {
    "same_number": _weight("same_number", "证件号码相同加分", most=20),
    "swapped_number": _weight("swapped_number", "证件号码相邻两位颠倒加分", most=10),
    "same_name": _weight("same_name", "姓名相同加分"),
    "same_sound": _weight("same_sound", "姓名同音加分"),
    "other_name": _weight("other_name", "姓名不同扣分", least=5, most=20),
    "same_birth": _weight("same_birth", "出生日期相同加分"),
    "swapped_birth": _weight("swapped_birth", "出生月日颠倒加分"),
    "other_birth": _weight("other_birth", "出生日期不同扣分", least=4, most=20),
    "same_sex": _weight("same_sex", "性别相同加分"),
    "other_sex": _weight("other_sex", "性别不同扣分", most=20),
    "same_phone": _weight("same_phone", "手机号相同加分"),
    "like_address": _weight("like_address", "住址相近加分"),
    "same_guardian": _weight("same_guardian", "监护人相同加分"),
    "rare_name": _weight("rare_name", "姓名少见加分"),
}


def weights() -> Weights:
    """Return what each sign counts today."""
    return Weights(**{sign: setting.value() for sign, setting in _WEIGHTS.items()})


BINDING_DAYS = Setting(
    key="patients.binding_days",
    label="添加和解除就诊人次数的统计天数",
    default=30,
    unit="天",
    minimum=1,
    maximum=365,
    rule="M11.1",
)
NEWBORN_DAYS = Setting(
    key="patients.newborn_days",
    label="新生儿须在出生后多少天内补实名",
    default=60,
    unit="天",
    minimum=7,
    maximum=365,
    rule="M3.4",
)
RESCUE_HOURS = Setting(
    key="patients.rescue_hours",
    label="抢救患者可免实名的时间",
    default=72,
    unit="小时",
    minimum=1,
    maximum=720,
    rule="H2.3",
)

CODE_MINUTES = Setting(
    key="patients.code_minutes",
    label="短信验证码有效时间",
    default=5,
    unit="分钟",
    minimum=1,
    maximum=15,
    rule="M3.12",
    is_policy=True,
)
CODE_TRIES = Setting(
    key="patients.code_tries",
    label="一个短信验证码最多可输入的次数",
    default=5,
    unit="次",
    minimum=3,
    maximum=10,
    rule="M3.12",
    is_policy=True,
)
CODE_PAUSE_SECONDS = Setting(
    key="patients.code_pause_seconds",
    label="两次获取短信验证码之间的间隔",
    default=60,
    unit="秒",
    minimum=10,
    maximum=600,
    rule="M3.12",
    is_policy=True,
)
CODES_PER_PHONE = Setting(
    key="patients.codes_per_phone",
    label="每个手机号 24 小时内收到的验证码",
    default=10,
    unit="条",
    minimum=1,
    maximum=100,
    rule="M3.12",
    is_policy=True,
)
CODES_PER_USER = Setting(
    key="patients.codes_per_user",
    label="每个微信用户 24 小时内获取的验证码",
    default=15,
    unit="条",
    minimum=1,
    maximum=100,
    rule="M3.12",
    is_policy=True,
)
CODES_PER_ADDRESS = Setting(
    key="patients.codes_per_address",
    label="每个网络地址 1 小时内获取的验证码（院内无线网共用一个地址）",
    default=120,
    unit="条",
    minimum=10,
    maximum=10000,
    rule="M3.12",
    is_policy=True,
)
PARTNER_MISMATCHES = Setting(
    key="patients.partner_mismatches",
    label="每个外部平台 24 小时内患者信息不一致的次数",
    default=50,
    unit="次",
    minimum=1,
    maximum=10000,
    rule="M3.12",
    is_policy=True,
)
PASS_SECONDS = Setting(
    key="patients.pass_seconds",
    label="就诊二维码有效时间",
    default=60,
    unit="秒",
    minimum=30,
    maximum=300,
    rule="M11.3",
    is_policy=True,
)
COPY_HOURS = Setting(
    key="patients.copy_hours",
    label="个人数据副本的链接有效时间",
    default=24,
    unit="小时",
    minimum=1,
    maximum=72,
    rule="M11.5",
    is_policy=True,
)
COPIES_PER_DAY = Setting(
    key="patients.copies_per_day",
    label="每位就诊人 24 小时内可申请的数据副本",
    default=3,
    unit="份",
    minimum=1,
    maximum=20,
    rule="M11.5",
    is_policy=True,
)
