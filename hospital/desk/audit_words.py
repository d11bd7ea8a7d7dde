"""An audit entry in words: who, whom, what changed. Values of unknown kinds stay as they are."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist

from hospital.desk import audit_terms
from hospital.identity import queries as identity
from hospital.kernel import acts, clock, permissions, settings_rows
from hospital.kernel.actors import Actor
from hospital.kernel.models import AuditEntry, AuditResult
from hospital.patients.queries.named import NamedPatient, named
from hospital.ui.wording import yuan_text

_NOTHING: Final = "—"
_OTHERS: Final = {
    "patient": "患者微信",
    "partner": "外部平台",
    "device": "自助机",
    "system": "系统",
}
Codes = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Change:
    """One value before and after, in words."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as the list and the export show it."""

    id: int
    at: dt.datetime
    who: str
    roles: str
    act: str
    person: NamedPatient | None
    subject: str
    address: str
    device: str
    reason: str
    result: str
    is_refused: bool
    changes: tuple[Change, ...]

    @property
    def summary(self) -> str:
        """What changed, in one line."""
        return "；".join(
            f"{one.label} {one.before} → {one.after}"
            if one.before != _NOTHING
            else f"{one.label} {one.after}"
            for one in self.changes
        )


def lines(entries: Sequence[AuditEntry]) -> list[Line]:
    """The entries in words; names of staff and patients are read once for all of them."""
    names = identity.staff_names(actors=[entry.by for entry in entries])
    patients = named(entry.person_id for entry in entries if entry.person_id is not None)
    codes = audit_terms.codes()
    labels = codes["roles"]
    return [
        Line(
            id=entry.pk,
            at=entry.at,
            who=_who(entry.by, names),
            roles="、".join(labels.get(role, role) for role in entry.role.split(",") if role),
            act=acts.label(entry.act),
            person=patients.get(entry.person_id or 0),
            subject=_subject(entry),
            address=entry.address,
            device=entry.device,
            reason=entry.reason,
            result=AuditResult(entry.result).label,
            is_refused=entry.result == AuditResult.REFUSED,
            changes=tuple(changes(entry, codes)),
        )
        for entry in entries
    ]


def changes(entry: AuditEntry, codes: Codes) -> Iterable[Change]:
    """Every value the entry holds, before beside after; `codes` are `audit_terms.codes`."""
    for key in [*entry.before, *(key for key in entry.after if key not in entry.before)]:
        yield Change(
            label=_label(entry, key),
            before=_value(entry.subject_type, key, entry.before.get(key), codes),
            after=_value(entry.subject_type, key, entry.after.get(key), codes),
        )


def _who(by: str, names: Mapping[str, str]) -> str:
    actor = Actor.parse(by)
    if actor.kind == "staff":
        return names.get(by, f"员工 {actor.id}")
    word = _OTHERS[actor.kind]
    return f"{word} {actor.id}" if actor.id else word


def _subject(entry: AuditEntry) -> str:
    if not entry.subject_type:
        return ""
    return f"{audit_terms.SUBJECTS.get(entry.subject_type, entry.subject_type)} {entry.subject_id}"


def _label(entry: AuditEntry, key: str) -> str:
    if (setting := settings_rows.setting(key)) is not None:
        return setting.label
    if (permission := permissions.permission(key)) is not None:
        return permission.label
    area = entry.act.partition(".")[0]
    known = audit_terms.KEYS_OF_AREA.get((area, key)) or audit_terms.KEYS.get(key)
    named_field = str(getattr(_field(entry.subject_type, key), "verbose_name", ""))
    return known or (named_field if not named_field.isascii() else key)


def _value(subject: str, key: str, value: object, codes: Codes) -> str:
    if value is None or value == "" or value == []:
        return _NOTHING
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int) and (key == "fen" or key.endswith("_fen")):
        return yuan_text(value)
    if isinstance(value, str | int):
        choices = dict(getattr(_field(subject, key), "flatchoices", None) or [])
        return str(choices.get(value, "")) or _plain(value, key, codes)
    return _plain(value, key, codes)


def _plain(value: object, key: str, codes: Codes) -> str:
    if isinstance(value, Mapping):
        parts = [
            f"{audit_terms.KEYS.get(name, name)}：{_plain(item, name, codes) or _NOTHING}"
            for name, item in value.items()
        ]
        return "，".join(parts)
    if isinstance(value, list):
        if _is_role_in_department(value, codes):
            return codes["roles"][value[0]] + (f"（科室 {value[1]}）" if value[1] else "")
        return "、".join(_plain(item, key, codes) for item in value)
    if not isinstance(value, str):
        return str(value)
    coded = codes.get(key, {}).get(value) or audit_terms.VALUES.get(value)
    return coded or _actor(value) or _moment(value)


def _is_role_in_department(value: list[object], codes: Codes) -> bool:
    """A role as accounts hold it: its code and the department it is narrowed to, 0 for none."""
    return len(value) == 2 and value[0] in codes["roles"] and isinstance(value[1], int)


def _actor(text: str) -> str:
    """Who it was, where a value says so ("staff:3"); "" for any other text."""
    try:
        return _who(text, {})
    except ValueError:
        return ""


def _moment(text: str) -> str:
    """A moment as the hospital's clock showed it; any other text as it is."""
    if len(text) < len("2026-11-23T00:00") or text[10:11] != "T":
        return text
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{clock.local(at):%Y-%m-%d %H:%M}" if at.tzinfo else text


def _field(subject: str, key: str) -> object:
    if not subject:
        return None
    try:
        return apps.get_model(subject)._meta.get_field(key)
    except (LookupError, FieldDoesNotExist):
        return None
