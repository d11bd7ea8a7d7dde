"""Numbers of the patients area that differ per hospital; each is a row once somebody sets it."""

from __future__ import annotations

from hospital.kernel.settings_rows import Setting

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
