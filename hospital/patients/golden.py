"""Where golden values come from, and which of two values the golden record keeps (M3.11).

Pure. `origins` of a patient maps a field to where its value came from, how sure that is and when.
Verified outranks document outranks declared; among equals the newer one wins; a blank never
overwrites anything.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hospital.patients.states import ASSURANCE_ORDER, Assurance, Source

#: The values of a patient that have an origin, with their words.
GOLDEN_FIELDS: Final[dict[str, str]] = {
    "name": "姓名",
    "name_note": "生僻字写法",
    "sex": "性别",
    "birth_date": "出生日期",
    "ethnic_group": "民族",
    "nationality": "国籍",
    "address": "住址",
    "phone": "手机号",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one value came from; `at` in UTC."""

    source: Source
    assurance: Assurance
    at: dt.datetime

    def kept(self) -> dict[str, str]:
        """Return the origin as the patient's row keeps it."""
        return {
            "source": self.source.value,
            "assurance": self.assurance.value,
            "at": self.at.isoformat(),
        }

    @classmethod
    def read(cls, kept: Mapping[str, str]) -> Origin:
        """Return a kept origin."""
        return cls(
            Source(kept["source"]),
            Assurance(kept["assurance"]),
            dt.datetime.fromisoformat(kept["at"]),
        )


#: No document says these: they are always what somebody told.
_TOLD: Final = ("phone", "name_note")
#: Where such a value keeps the name of its source; everywhere else a clerk asked for it.
_TELLERS: Final = (Source.PHONE, Source.PARTNER, Source.IMPORT)


def origin_of(field: str, origin: Origin) -> Origin:
    """Return the origin of one field among values that came together with a document."""
    if field not in _TOLD:
        return origin
    source = origin.source if origin.source in _TELLERS else Source.DESK
    return Origin(source, Assurance.DECLARED, origin.at)


def is_stronger(one: Assurance, other: Assurance) -> bool:
    """Say whether one level proves more than another."""
    return ASSURANCE_ORDER.index(one) > ASSURANCE_ORDER.index(other)


def outranks(new: Origin, old: Origin | None) -> bool:
    """Say whether a value of a new origin takes the place of one of the old origin."""
    if old is None or is_stronger(new.assurance, old.assurance):
        return True
    return new.assurance == old.assurance and new.at >= old.at


def survivors(
    held: Mapping[str, object],
    origins: Mapping[str, Mapping[str, str]],
    brought: Mapping[str, object],
    origin: Origin,
) -> dict[str, object]:
    """Return what of the values brought takes its place in the golden record.

    A held blank gives way to anything; a brought blank changes nothing.
    """
    taken = {}
    for field, value in brought.items():
        kept = origins.get(field)
        before = Origin.read(kept) if kept and held[field] not in _BLANKS else None
        if value not in _BLANKS and outranks(origin_of(field, origin), before):
            taken[field] = value
    return taken


_BLANKS: Final = ("", None)
