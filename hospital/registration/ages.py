"""Ages on a day, and the ages a department sees (M1.12): arithmetic and words."""

import calendar
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Whole months, half-open, and days since birth, both ends included; None: no limit there."""

    min_months: int | None
    max_months: int | None
    min_days: int | None
    max_days: int | None

    def admit(self, born: dt.date, *, on: dt.date) -> bool:
        """Whether somebody is of such an age on a day."""
        months, days = _months(born, on=on), (on - born).days
        return not (
            (self.min_months is not None and months < self.min_months)
            or (self.max_months is not None and months >= self.max_months)
            or (self.min_days is not None and days < self.min_days)
            or (self.max_days is not None and days > self.max_days)
        )

    @property
    def words(self) -> str:
        """The ages, as part of a sentence."""
        return "、".join((*self._in_months(), *self._in_days()))

    def _in_months(self) -> Iterator[str]:
        if self.min_months is not None and self.max_months is not None:
            yield f"{_age(self.min_months)}至{_age(self.max_months)}"
        elif self.min_months is not None:
            yield f"{_age(self.min_months)}及以上"
        elif self.max_months is not None:
            yield f"{_age(self.max_months)}以下"

    def _in_days(self) -> Iterator[str]:
        if self.min_days is not None and self.max_days is not None:
            yield f"就诊当日出生满 {self.min_days} 天、不超过 {self.max_days} 天"
        elif self.min_days is not None:
            yield f"就诊当日出生满 {self.min_days} 天"
        elif self.max_days is not None:
            yield f"就诊当日出生不超过 {self.max_days} 天"


def birthday(born: dt.date, years: int) -> dt.date:
    """The day somebody is so many years old; who was born on 29 February ages on 1 March."""
    year = born.year + years
    if (born.month, born.day) == (2, 29) and not calendar.isleap(year):
        return dt.date(year, 3, 1)
    return born.replace(year=year)


def _months(born: dt.date, *, on: dt.date) -> int:
    """Whole months of age on a day."""
    months = (on.year - born.year) * 12 + on.month - born.month
    return months - (1 if on.day < born.day else 0)


def _age(months: int) -> str:
    years, rest = divmod(months, 12)
    if years == 0:
        return f"{rest}个月"
    return f"{years}岁" if rest == 0 else f"{years}岁{rest}个月"
