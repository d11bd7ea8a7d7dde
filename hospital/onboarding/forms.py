"""A sheet's columns as the fields of a form: what a browser shows, and what it sends as cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.datastructures import MultiValueDict

from hospital.onboarding.kinds import (
    Choice,
    Clock,
    Day,
    Integer,
    Kind,
    Several,
    Text,
    YesNo,
    split_list,
)
from hospital.onboarding.sheets import SHEETS
from hospital.onboarding.tables import Column, Sheet

MOST_TYPED: Final = 5000  # what no column allows; a cell says itself how long it may be
_LONG_TEXT: Final = 120


@dataclass(frozen=True, slots=True)
class Option:
    """One word that may be chosen."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One column as an entry of the form. `control` is text, area, date, time, number, select,
    radio, one (a row of another sheet) or many (several of them)."""

    name: str
    label: str
    control: str
    value: str
    text: str
    hint: str
    errors: tuple[str, ...]
    notes: tuple[str, ...]
    options: tuple[Option, ...]
    required: bool
    is_fixed: bool
    options_url: str

    @property
    def is_wide(self) -> bool:
        return self.control in {"area", "many"}

    @property
    def described(self) -> str:
        parts = (("error", self.errors), ("note", self.notes), ("hint", self.hint))
        return " ".join(f"{self.name}-{part}" for part, there in parts if there)


def fields(
    sheet: Sheet,
    cells: Mapping[str, str],
    *,
    names: Mapping[str, Mapping[str, str]],
    errors: Mapping[str, Sequence[str]],
    notes: Mapping[str, Sequence[str]],
    is_new: bool,
) -> list[Field]:
    """The form of a row; `names` are code → name by field for columns that refer to others."""
    return [
        _field(
            column,
            cells.get(column.field, ""),
            names=names.get(column.field, {}),
            errors=tuple(errors.get(column.field, ())),
            notes=tuple(notes.get(column.field, ())),
            is_fixed=not is_new and column.field in sheet.key,
        )
        for column in sheet.columns
    ]


def blank(sheet: Sheet) -> dict[str, str]:
    """The form of a new row: what the columns say when nothing is typed."""
    return {
        column.field: ""
        if column.default is None or column.default == ""
        else str(column.kind.show(column.default))
        for column in sheet.columns
    }


def cells(sheet: Sheet, posted: "MultiValueDict[str, str]") -> dict[str, str]:
    """What was sent, as the cells of a sheet: a choice by its code, or else by what was typed."""
    found = {}
    for column in sheet.columns:
        chosen = [text for text in posted.getlist(column.field) if text]
        typed = "".join(posted.getlist(f"{column.field}_text"))
        if isinstance(column.kind, Several):
            chosen += [part for part in split_list(typed) if part not in chosen]
        elif not chosen:
            chosen = [typed]
        found[column.field] = "、".join(chosen)[:MOST_TYPED]
    return found


def _field(
    column: Column,
    value: str,
    *,
    names: Mapping[str, str],
    errors: tuple[str, ...],
    notes: tuple[str, ...],
    is_fixed: bool,
) -> Field:
    control = _control(column)
    options = tuple(Option(word, word, word == value) for word in column.kind.choices)
    text = names.get(value, value)
    if control == "many":
        parts = split_list(value)
        options = tuple(Option(part, names[part], chosen=True) for part in parts if part in names)
        text = "、".join(part for part in parts if part not in names)
    return Field(
        name=column.field,
        label=column.heading,
        control=control,
        value=value if control != "one" or value in names else "",
        text=text,
        hint=_hint(column),
        errors=errors,
        notes=notes,
        options=options,
        required=column.required,
        is_fixed=is_fixed,
        options_url=_options_url(column),
    )


def _options_url(column: Column) -> str:
    slug = next((sheet.slug for sheet in SHEETS if sheet.title == column.refers_to), "")
    return reverse("onboarding-options", args=[slug]) if slug else ""


def _control(column: Column) -> str:
    kind = column.kind
    if column.refers_to:
        return "many" if isinstance(kind, Several) else "one"
    controls: tuple[tuple[type[Kind], str], ...] = (
        (YesNo, "radio"),
        (Choice, "select"),
        (Day, "date"),
        (Clock, "time"),
        (Integer, "number"),
    )
    for known, control in controls:
        if isinstance(kind, known):
            return control
    return "area" if isinstance(kind, Text) and kind.longest > _LONG_TEXT else "text"


def _hint(column: Column) -> str:
    """What the sheet's comment says, where a form does not show it by itself."""
    silent = column.refers_to or column.kind.choices or isinstance(column.kind, Day | Clock)
    plain = type(column.kind).__name__ in {"Text", "Line"} and column.kind.hint == "文字"
    if column.field == "is_active":
        return ""  # the note is about lines of a sheet
    several = isinstance(column.kind, Several)
    parts = ["" if silent or plain else column.kind.hint, "" if several else column.note]
    return "；".join(part for part in parts if part)
