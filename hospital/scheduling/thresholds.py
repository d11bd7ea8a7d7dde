"""The numbers of this area a hospital may change (configuration rows, law 14)."""

import datetime as dt
from typing import Final

from hospital.kernel.settings_rows import Setting

HORIZON_DAYS: Final = Setting(
    key="scheduling.horizon_days",
    label="提前几天放号",
    default=7,
    unit="天",
    minimum=0,
    maximum=60,
    rule="M1.1",
)
RELEASE_TIME: Final = Setting(
    key="scheduling.release_time",
    label="每日放号时间（时:分）",
    default="07:00",
    rule="M1.1",
    pattern=r"(?:[01]\d|2[0-3]):[0-5]\d",
)
GENERATE_DAYS: Final = Setting(
    key="scheduling.generate_days",
    label="按模板提前生成几天的出诊",
    default=14,
    unit="天",
    minimum=1,
    maximum=90,
    rule="M15.1",
)
BAND_MINUTES: Final = Setting(
    key="scheduling.band_minutes",
    label="默认分时段长度",
    default=30,
    unit="分钟",
    minimum=5,
    maximum=240,
    rule="M2.1",
)
RECLAIM_MINUTES_MIN: Final = Setting(
    key="scheduling.reclaim_minutes_min",
    label="退号后号源最早几分钟放回",
    default=5,
    unit="分钟",
    minimum=0,
    maximum=240,
    rule="SM2",
)
RECLAIM_MINUTES_MAX: Final = Setting(
    key="scheduling.reclaim_minutes_max",
    label="退号后号源最晚几分钟放回",
    default=30,
    unit="分钟",
    minimum=0,
    maximum=240,
    rule="SM2",
)
CLOSE_MINUTES: Final = Setting(
    key="scheduling.close_minutes_before_end",
    label="当日挂号在出诊结束前几分钟截止",
    default=30,
    unit="分钟",
    minimum=0,
    maximum=240,
    rule="M1.11",
)


def release_time() -> dt.time:
    """When the numbers of the day at the horizon are released, on the hospital's wall clock."""
    return dt.time.fromisoformat(RELEASE_TIME.value())
