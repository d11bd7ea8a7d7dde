"""The text a person agrees to when adding a patient (X11), with the version that is stored.

A changed sentence is a new version: what somebody agreed to must be readable later.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = "2026-01"
GUARDIAN_VERSION: Final = "2026-01-guardian"
GUARDIAN_AGE: Final = 14

PURPOSES: Final = (
    "为实名就诊，医院收集就诊人的姓名、证件类型与号码、性别、出生日期和手机号。",
    "这些信息仅用于预约挂号、就诊、缴费、查询报告和接收就诊通知，加密保存在中国境内。",
    "我确认填写的信息真实，并已取得就诊人本人（或其监护人）的同意。",
    "我可以随时解除绑定；解除后不再接收通知，病历按法律规定保存。",
)
GUARDIAN_PURPOSE: Final = (
    "就诊人未满 14 周岁：我是其父母或其他监护人，同意医院为诊疗目的处理其敏感个人信息。"
)


def text_of(version: str) -> tuple[str, ...]:
    """Return what somebody agreed to under a version; nothing for one no longer known."""
    return _TEXTS.get(version, ())


def title_of(version: str) -> str:
    """Return a version as pages show it."""
    return f"{VERSION}（监护人）" if version == GUARDIAN_VERSION else version


_TEXTS: Final = {
    VERSION: PURPOSES,
    GUARDIAN_VERSION: (*PURPOSES, GUARDIAN_PURPOSE),
}
