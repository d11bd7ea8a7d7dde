"""Why something cannot be switched off yet: what other rows and coming sessions still need it.

Asked of the areas that own those rows; the forms and the import ask the same questions.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hospital.billing import queries as billing
from hospital.catalogue import queries as catalogue
from hospital.identity import queries as identity
from hospital.kernel.clock import hospital_day
from hospital.kernel.upserts import MasterRow
from hospital.onboarding.tables import Sheet
from hospital.organisation import queries as organisation
from hospital.scheduling import queries as scheduling

_NAMED_AT_MOST: Final = 6


@dataclass(frozen=True)
class Need:
    """One kind of thing that needs the row; only what `blocks` keeps it from being switched off."""

    text: str
    blocks: bool = True


def needs_of_change(
    sheet: Sheet, saved: MasterRow, values: Mapping[str, Any], *, at: dt.datetime
) -> list[tuple[str, Need]]:
    """What needs a row as it was saved and would not have it with these values: by the field that
    takes it away. A row that was switched off already takes nothing away."""
    if not saved.values.get("is_active", True):
        return []
    if not values.get("is_active", True):
        return [("is_active", need) for need in _asked(sheet, saved, at)]
    found: list[tuple[str, Need | None]] = []
    ends = values.get("valid_to")
    if ends is not None and ends != saved.values.get("valid_to"):
        found.append(("valid_to", _held(_sessions_of(sheet, saved), at=at, since=ends)))
    if sheet.title == "医生":
        gone = set(_codes(saved.values)) - set(_codes(values))
        for which in ({"practitioner_id": saved.id, **_in(code)} for code in sorted(gone)):
            found += [("departments", need) for need in _scheduled(which, at)]
    return [(field, need) for field, need in found if need is not None]


def _asked(sheet: Sheet, row: MasterRow, at: dt.datetime) -> list[Need]:
    ask = _QUESTIONS.get(sheet.title)
    return [need for need in ask(row, at) if need is not None] if ask else []


def _sessions_of(sheet: Sheet, row: MasterRow) -> dict[str, int]:
    """How sessions name a row; a role is its practitioner in its department."""
    if sheet.title == "任职":
        return {"practitioner_id": row.id, **_in(str(row.values["department"]))}
    column = _SCHEDULED_BY.get(sheet.title)
    return {column: row.id} if column else {}


def _in(code: str) -> dict[str, int]:
    return {"department_id": organisation.department(code, active_only=False).pk}


def _codes(values: Mapping[str, Any]) -> Sequence[str]:
    return values.get("departments") or ()


Answer = Sequence[Need | None]


def _department(row: MasterRow, at: dt.datetime) -> Answer:
    today = hospital_day(at)
    which = {"department_id": row.id}
    return (
        _named("下级科室", organisation.departments_below(row.id)),
        *_scheduled(which, at),
        _named("账号的科室范围", identity.accounts_narrowed_to(department_id=row.id, on=today)),
        _named("仍在此任职的医生", organisation.people_of(row.id, on=today), blocks=False),
        _named("属于这个科室的位置", organisation.places_of(row.id), blocks=False),
    )


def _location(row: MasterRow, at: dt.datetime) -> Answer:
    return (
        _named("下级位置", organisation.places_below(row.id)),
        *_scheduled({"room_id": row.id}, at),
    )


def _practitioner(row: MasterRow, at: dt.datetime) -> Answer:
    return (
        *_scheduled({"practitioner_id": row.id}, at),
        _named("登录账号", identity.accounts_of_practitioner(practitioner_id=row.id)),
    )


def _service_type(row: MasterRow, at: dt.datetime) -> Answer:
    return _scheduled({"service_type_id": row.id}, at)


def _price_item(row: MasterRow, at: dt.datetime) -> Answer:
    bills = billing.open_bills_with(price_item_id=row.id)
    return (
        _named("挂号费", catalogue.fees_with(price_item_id=row.id, on=hospital_day(at))),
        Need(f"{bills} 张未付账单里有它；账单上的金额已定，不受影响", blocks=False)
        if bills
        else None,
    )


def _template(row: MasterRow, at: dt.datetime) -> Answer:
    coming = scheduling.coming_sessions({"template_id": row.id}, at=at)
    if coming is None:
        return ()
    return (Need(f"已生成的 {coming.count} 场出诊照常进行，以后不再生成", blocks=False),)


def _scheduled(which: Mapping[str, int], at: dt.datetime) -> Answer:
    """Templates that go on making sessions, and sessions already made."""
    templates = scheduling.templates_with(which, on=hospital_day(at))
    return _named("启用中的排班模板", templates), _held(which, at=at)


def _held(
    which: Mapping[str, int], *, at: dt.datetime, since: dt.date | None = None
) -> Need | None:
    coming = scheduling.coming_sessions(which, at=at, since=since) if which else None
    if coming is None:
        return None
    days = f"{coming.first:%m月%d日}—{coming.latest:%m月%d日}"
    return Need(f"未结束的出诊 {coming.count} 场（{days}）")


def _named(noun: str, names: Sequence[str], *, blocks: bool = True) -> Need | None:
    if not names:
        return None
    shown = "、".join(names[:_NAMED_AT_MOST])
    more = " 等" if len(names) > _NAMED_AT_MOST else ""
    return Need(f"{noun} {len(names)} 个：{shown}{more}", blocks)


_QUESTIONS: Final[Mapping[str, Callable[[MasterRow, dt.datetime], Answer]]] = {
    "科室": _department,
    "诊室": _location,
    "医生": _practitioner,
    "号别": _service_type,
    "收费项目": _price_item,
    "排班模板": _template,
}
_SCHEDULED_BY: Final[Mapping[str, str]] = {
    "科室": "department_id",
    "诊室": "room_id",
    "医生": "practitioner_id",
    "号别": "service_type_id",
}
