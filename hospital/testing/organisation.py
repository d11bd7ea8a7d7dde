"""Builders of a small hospital for tests; each calls the action a workbook import would call.

Codes are made up when not given, so builders can be combined freely. Everything holds from a
day long past, so any test date fits.
"""

import datetime as dt
import itertools
from collections.abc import Sequence

from hospital.catalogue import actions as catalogue
from hospital.catalogue.models import PriceItem, ServiceType
from hospital.catalogue.states import FeeCategory, ServiceKind
from hospital.kernel.actors import SYSTEM
from hospital.organisation import actions as organisation
from hospital.organisation.models import Campus, Department, Location, Practitioner
from hospital.organisation.states import LocationKind, Sex, SexLimit, Title

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
PRICED_SINCE = dt.date(2020, 1, 1)
LICENSED_UNTIL = dt.date(2099, 12, 31)

_numbers = itertools.count(1)


def _code(prefix: str) -> str:
    return f"{prefix}{next(_numbers):04d}"


def a_campus(*, code: str = "", name: str = "院本部") -> Campus:
    """A campus; the same code gives the same campus."""
    code = code or "C1"
    organisation.save_campus(code=code, name=name, by=SYSTEM, at=LONG_AGO)
    return Campus.objects.get(code=code)


def a_department(
    *,
    code: str = "",
    name: str = "针灸推拿科",
    parent: Department | None = None,
    hint: str = "",
    sex_limit: SexLimit = SexLimit.NONE,
    min_age_months: int | None = None,
    max_age_months: int | None = None,
    min_age_days: int | None = None,
    max_age_days: int | None = None,
    location_text: str = "门诊楼3楼东侧",
    floor: str = "3楼",
    is_bookable: bool = True,
    walk_in_only: bool = False,
    sort_order: int = 0,
    is_active: bool = True,
) -> Department:
    """A department patients can book; `walk_in_only=True` also takes it off booking."""
    code = code or _code("D")
    organisation.save_department(
        code=code,
        name=name,
        parent=parent.code if parent else None,
        hint=hint,
        sex_limit=sex_limit,
        min_age_months=min_age_months,
        max_age_months=max_age_months,
        min_age_days=min_age_days,
        max_age_days=max_age_days,
        location_text=location_text,
        floor=floor,
        is_bookable=is_bookable and not walk_in_only,
        walk_in_only=walk_in_only,
        sort_order=sort_order,
        is_active=is_active,
        by=SYSTEM,
        at=LONG_AGO,
    )
    return Department.objects.get(code=code)


def a_room(
    *,
    code: str = "",
    name: str = "",
    department: Department | None = None,
    campus: Campus | None = None,
    floor: str = "3楼",
) -> Location:
    """A consulting room."""
    code = code or _code("R")
    organisation.save_location(
        code=code,
        name=name or f"{code}诊室",
        kind=LocationKind.ROOM,
        campus=(campus or a_campus()).code,
        department=department.code if department else None,
        floor=floor,
        by=SYSTEM,
        at=LONG_AGO,
    )
    return Location.objects.get(code=code)


def a_practitioner(
    *departments: Department,
    code: str = "",
    name: str = "陈知行",
    sex: Sex = Sex.MALE,
    title: Title = Title.CHIEF,
    specialty: str = "颈肩腰腿痛的针灸治疗",
    licence_end_date: dt.date = LICENSED_UNTIL,
    is_active: bool = True,
) -> Practitioner:
    """A practitioner with a role in each of the departments since long ago."""
    code = code or _code("P")
    organisation.save_practitioner(
        code=code,
        name=name,
        sex=sex,
        title=title,
        departments=[department.code for department in departments],
        specialty=specialty,
        licence_end_date=licence_end_date,
        is_active=is_active,
        by=SYSTEM,
        at=LONG_AGO,
    )
    return Practitioner.objects.get(code=code)


def a_price_item(
    *,
    code: str = "",
    name: str = "专家诊察费",
    price_fen: int = 2500,
    category: FeeCategory = FeeCategory.CONSULTATION,
    valid_from: dt.date = PRICED_SINCE,
) -> PriceItem:
    """A price item with a price in fen."""
    code = code or _code("F")
    catalogue.save_price_item(
        code=code,
        name=name,
        category=category,
        unit="次",
        price_fen=price_fen,
        valid_from=valid_from,
        by=SYSTEM,
        at=LONG_AGO,
    )
    return PriceItem.objects.get(code=code)


def a_service_type(
    *,
    code: str = "",
    name: str = "专家门诊",
    kind: ServiceKind = ServiceKind.EXPERT,
    fee_fen: int | None = 2500,
    fees: Sequence[tuple[Title, int]] = (),
) -> ServiceType:
    """A 号别 costing `fee_fen` for any title (None: no fee set), other titles as in `fees`."""
    code = code or _code("S")
    catalogue.save_service_type(code=code, name=name, kind=kind, by=SYSTEM, at=LONG_AGO)
    by_title: list[tuple[Title | None, int]] = [(title, fen) for title, fen in fees]
    if fee_fen is not None:
        by_title.append((None, fee_fen))
    for title, fen in by_title:
        catalogue.save_service_fee(
            service_type=code,
            title=title,
            price_items=[a_price_item(price_fen=fen).code],
            valid_from=PRICED_SINCE,
            by=SYSTEM,
            at=LONG_AGO,
        )
    return ServiceType.objects.get(code=code)
