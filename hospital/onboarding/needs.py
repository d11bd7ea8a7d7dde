"""Why something cannot be switched off yet: what other rows and coming sessions still need it.

Asked of the areas that own those rows; the forms and the import ask the same questions.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse

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
    """One kind of thing that needs the row; only what `blocks` keeps it from being switched off.

    `url` leads to where it is looked after, "" for nowhere.
    """

    text: str
    blocks: bool = True
    url: str = ""


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
        which = _sessions_of(sheet, saved)
        found.append(("valid_to", _held(which, at=at, since=ends)))
        if sheet.title == "任职":
            # Elsewhere a template stops with what it needs; a role it does not ask for.
            found.append(("valid_to", _planned(which, on=ends)))
    if sheet.title == "医生":
        found += [(field, need) for field, need in _leaving(saved, values, at)]
        gone = set(_codes(saved.values)) - set(_codes(values))
        for which in ({"practitioner_id": saved.id, **_in(code)} for code in sorted(gone)):
            found += [("departments", need) for need in _scheduled(which, at, saved)]
    return [(field, need) for field, need in found if need is not None]


def _leaving(
    saved: MasterRow, values: Mapping[str, Any], at: dt.datetime
) -> Iterator[tuple[str, Need | None]]:
    """What to think of when a practitioner's licence or time here will end: nothing is refused,
    because a licence ends whatever the hospital wants."""
    licensed = values.get("licence_end_date")
    if licensed is not None and licensed < saved.values["licence_end_date"]:
        since = licensed + dt.timedelta(days=1)
        held = _held({"practitioner_id": saved.id}, at=at, since=since)
        yield (
            "licence_end_date",
            replace(held, text=f"执业证到期后还有{held.text}", blocks=False) if held else None,
        )
    ends = values.get("valid_to")
    if ends is not None and ends != saved.values.get("valid_to"):
        names = identity.accounts_of_practitioner(practitioner_id=saved.id)
        yield "valid_to", _named("不会随之停用的登录账号", names, url=_accounts(), blocks=False)


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
        _named("下级科室", organisation.departments_below(row.id), url=_rows("departments", row)),
        *_scheduled(which, at, row),
        _named(
            "账号的科室范围",
            identity.accounts_narrowed_to(department_id=row.id, on=today),
            url=_accounts(),
        ),
        _named(
            "仍在此任职的医生",
            organisation.people_of(row.id, on=today),
            url=_rows("practitioners", row),
            blocks=False,
        ),
        _named(
            "属于这个科室的位置",
            organisation.places_of(row.id),
            url=_rows("locations", row),
            blocks=False,
        ),
    )


def _location(row: MasterRow, at: dt.datetime) -> Answer:
    return (
        _named("下级位置", organisation.places_below(row.id), url=_rows("locations", row)),
        *_scheduled({"room_id": row.id}, at, row),
    )


def _practitioner(row: MasterRow, at: dt.datetime) -> Answer:
    return (
        *_scheduled({"practitioner_id": row.id}, at, row),
        _named(
            "登录账号",
            identity.accounts_of_practitioner(practitioner_id=row.id),
            url=_accounts(),
        ),
    )


def _service_type(row: MasterRow, at: dt.datetime) -> Answer:
    return _scheduled({"service_type_id": row.id}, at, row)


def _price_item(row: MasterRow, at: dt.datetime) -> Answer:
    bills = billing.open_bills_with(price_item_id=row.id)
    return (
        _named(
            "挂号费",
            catalogue.fees_with(price_item_id=row.id, on=hospital_day(at)),
            url=_rows("fees", row),
        ),
        Need(f"{bills} 张未付账单里有它；账单上的金额已定，不受影响", blocks=False)
        if bills
        else None,
    )


def _template(row: MasterRow, at: dt.datetime) -> Answer:
    coming = scheduling.coming_sessions({"template_id": row.id}, at=at)
    if coming is None:
        return ()
    return (Need(f"已生成的 {coming.count} 场出诊照常进行，以后不再生成", blocks=False),)


def _scheduled(which: Mapping[str, int], at: dt.datetime, row: MasterRow) -> Answer:
    """Templates that go on making sessions, and sessions already made."""
    return _planned(which, on=hospital_day(at), row=row), _held(which, at=at)


def _planned(which: Mapping[str, int], *, on: dt.date, row: MasterRow | None = None) -> Need | None:
    url = _rows("templates", row) if row else reverse("onboarding-rows", args=["templates"])
    return _named("启用中的排班模板", scheduling.templates_with(which, on=on), url=url)


def _held(
    which: Mapping[str, int], *, at: dt.datetime, since: dt.date | None = None
) -> Need | None:
    coming = scheduling.coming_sessions(which, at=at, since=since) if which else None
    if coming is None:
        return None
    days = f"{coming.first:%m月%d日}—{coming.latest:%m月%d日}"
    return Need(f"未结束的出诊 {coming.count} 场（{days}）")


def _rows(slug: str, row: MasterRow) -> str:
    """The list of what uses a row: found by its name, which stands in theirs."""
    query = urlencode({"q": row.values["name"]})
    return f"{reverse('onboarding-rows', args=[slug])}?{query}"


def _accounts() -> str:
    return reverse("identity-people")


def _named(noun: str, names: Sequence[str], *, url: str = "", blocks: bool = True) -> Need | None:
    if not names:
        return None
    shown = "、".join(names[:_NAMED_AT_MOST])
    more = " 等" if len(names) > _NAMED_AT_MOST else ""
    return Need(f"{noun} {len(names)} 个：{shown}{more}", blocks, url)


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
