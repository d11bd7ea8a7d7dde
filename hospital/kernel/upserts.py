"""Saving master data by its code: create, change or leave alone, audited with before and after.

Importing the same workbook twice must change nothing, so saving compares first and tells.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from django.db import models

from hospital.kernel import audit
from hospital.kernel.actors import Actor

Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True)
class Saved(Generic[Row]):
    """The row as it is now, and what saving it meant."""

    row: Row
    created: bool
    changed: bool


@dataclass(frozen=True, slots=True)
class MasterRow:
    """A saved row of master data as its save action would take it again: parameter → value.

    `subject` and `id` lead to its audit entries; where one subject has several rows, `part` is
    what the `after` of this row's entries holds. Pinyin is "" where it is not kept, `photo` is the
    digest of a portrait.
    """

    id: int
    subject: str
    values: Mapping[str, object]
    pinyin: str = ""
    initials: str = ""
    photo: str = ""
    part: Mapping[str, object] = field(default_factory=dict)


def upsert(
    model: type[Row],
    *,
    key: Mapping[str, object],
    values: Mapping[str, object],
    act: str,
    by: Actor,
    at: dt.datetime,
) -> Saved[Row]:
    """Find the row by its unique `key`, write the `values` that differ, audit exactly those.

    Runs inside the caller's transaction (locks the row). A new row is audited with an empty
    `before`. Related objects are compared by id and audited by their code.
    """
    row = model._base_manager.select_for_update().filter(**key).first()
    if row is None:
        row = model(**key, **values)
        row.save(force_insert=True)
        after = {name: plain(value) for name, value in {**key, **values}.items()}
        audit.record(act=act, subject=row, by=by, at=at, after=after)
        return Saved(row, created=True, changed=True)
    changed = [name for name, value in values.items() if _differs(row, name, value)]
    if not changed:
        return Saved(row, created=False, changed=False)
    before = {name: plain(getattr(row, name)) for name in changed}
    for name in changed:
        setattr(row, name, values[name])
    row.save(update_fields=changed)
    after = {name: plain(values[name]) for name in changed}
    audit.record(act=act, subject=row, by=by, at=at, before=before, after=after)
    return Saved(row, created=False, changed=True)


def spelling(model: type[models.Model], spaced: str) -> dict[str, str]:
    """The columns `pinyin` and `initials` for a reading: as much of it as they hold."""
    initials = "".join(syllable[0] for syllable in spaced.split())
    texts = {"pinyin": spaced, "initials": initials}
    return {
        column.name: texts[column.name][: column.max_length]
        for column in model._meta.fields
        if column.name in texts
    }


def _differs(row: models.Model, name: str, value: object) -> bool:
    if isinstance(value, models.Model):
        return bool(getattr(row, f"{name}_id") != value.pk)
    return bool(getattr(row, name) != value)


def plain(value: object) -> object:
    """A column's value as JSON for the audit trail; related rows appear by their code."""
    if isinstance(value, models.Model):
        return getattr(value, "code", value.pk)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value
