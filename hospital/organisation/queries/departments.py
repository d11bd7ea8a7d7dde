"""Departments: as patients browse them, by code, and as master data."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from hospital.kernel import pinyin
from hospital.kernel.clock import today
from hospital.kernel.errors import NotFound
from hospital.kernel.states import subject_type
from hospital.kernel.upserts import MasterRow
from hospital.organisation.models import Department
from hospital.organisation.queries.standing import in_force, is_kept, roles_on
from hospital.organisation.states import SexLimit

# Written out: in a rush it is asked again and again, and building it costs more than asking.
_BY_CODE: Final = "SELECT * FROM organisation_department WHERE code = %s"


@dataclass(frozen=True, slots=True)
class DepartmentRow:
    """A department as patients browse it; `category` is the top node above it."""

    id: int
    code: str
    name: str
    pinyin: str
    initials: str
    category: str
    hint: str
    floor: str
    location_text: str
    is_bookable: bool
    walk_in_only: bool


def bookable_departments(*, through: dt.date | None = None) -> list[DepartmentRow]:
    """What the patient's list shows: open departments, walk-in only ones included (M1.11).

    One that opens after `through`, the latest day that can be booked, does not show yet.
    Categories come in their own order, departments inside by sort order, then pinyin.
    """
    nodes = list(Department.objects.filter(in_force(today(), through)))
    by_id = {node.pk: node for node in nodes}
    shown = [node for node in nodes if node.is_bookable or node.walk_in_only]
    tops = {node.pk: _top(node, by_id) for node in shown}
    shown.sort(key=lambda node: (*_order(tops[node.pk]), *_order(node)))
    return [_department_row(node, tops[node.pk].name) for node in shown]


def search_departments(text: str, *, through: dt.date | None = None) -> list[DepartmentRow]:
    """Departments by name, pinyin, initials or symptom hint; the best matches first.

    Typing nothing finds all of them, in their usual order.
    """
    wanted = pinyin.fold(text)
    ranked = [(_rank(row, wanted), row) for row in bookable_departments(through=through)]
    found = [(rank, row) for rank, row in ranked if rank is not None]
    return [row for _, row in sorted(found, key=lambda pair: pair[0])]


def department(code: str, *, active_only: bool = True) -> Department:
    """The department of a code, unless switched off. Raises NotFound."""
    found = next(iter(Department.objects.raw(_BY_CODE, [code])), None)
    if found is None or (active_only and not is_kept(found)):
        raise NotFound("没有找到这个科室，请返回重新选择。")
    return found


def departments_of(practitioner_id: int, *, on: dt.date) -> list[Department]:
    """Active departments a practitioner has a role in on a hospital day."""
    roles = roles_on(on).filter(practitioner_id=practitioner_id)
    found = Department.objects.filter(in_force(on, on), pk__in=roles.values("department_id"))
    return list(found.order_by("pinyin", "code"))


def departments_below(department_id: int) -> list[str]:
    """Names of the active departments directly below one."""
    below = Department.objects.filter(parent_id=department_id, is_active=True)
    return list(below.order_by("pinyin").values_list("name", flat=True))


def department_rows() -> list[MasterRow]:
    """Every department as `save_department` takes it, switched off ones too."""
    return [
        MasterRow(
            row.pk,
            subject_type(Department),
            {
                "code": row.code,
                "name": row.name,
                "parent": row.parent.code if row.parent else None,
                "hint": row.hint,
                "introduction": row.introduction,
                "sex_limit": SexLimit(row.sex_limit),
                "min_age_months": row.min_age_months,
                "max_age_months": row.max_age_months,
                "min_age_days": row.min_age_days,
                "max_age_days": row.max_age_days,
                "location_text": row.location_text,
                "floor": row.floor,
                "telephone": row.telephone,
                "is_bookable": row.is_bookable,
                "walk_in_only": row.walk_in_only,
                "sort_order": row.sort_order,
                "is_active": row.is_active,
                "valid_from": row.valid_from,
                "valid_to": row.valid_to,
                "reading": row.reading,
            },
            pinyin=row.pinyin,
            initials=row.initials,
        )
        for row in Department.objects.select_related("parent").order_by("code")
    ]


def department_labels(*, active_only: bool = False) -> dict[int, str]:
    """Id → name of every department by pinyin, for whoever keeps their ids."""
    rows = Department.objects.order_by("pinyin", "code")
    if active_only:
        rows = rows.filter(is_active=True)
    return dict(rows.values_list("pk", "name"))


def department_names() -> dict[str, str]:
    """Code → name of every department, switched off ones too."""
    return dict(Department.objects.order_by("code").values_list("code", "name"))


def department_parents() -> dict[str, str]:
    """Code → code of the department above, for those that have one."""
    above = Department.objects.filter(parent__isnull=False)
    return dict(above.values_list("code", "parent__code"))


def _top(node: Department, by_id: dict[int, Department]) -> Department:
    """The category: the highest active node above, or the node itself."""
    while node.parent_id is not None and node.parent_id in by_id:
        node = by_id[node.parent_id]
    return node


def _order(node: Department) -> tuple[int, str, str]:
    return node.sort_order, node.pinyin, node.code


def _department_row(node: Department, category: str) -> DepartmentRow:
    return DepartmentRow(
        id=node.pk,
        code=node.code,
        name=node.name,
        pinyin=node.pinyin,
        initials=node.initials,
        category=category,
        hint=node.hint,
        floor=node.floor,
        location_text=node.location_text,
        is_bookable=node.is_bookable,
        walk_in_only=node.walk_in_only,
    )


def _rank(row: DepartmentRow, wanted: str) -> int | None:
    """How well a department fits what was typed: 0 best, None not at all."""
    name, joined = pinyin.fold(row.name), row.pinyin.replace(" ", "")
    fits = (
        name.startswith(wanted) or row.initials == wanted,
        row.initials.startswith(wanted) or joined.startswith(wanted),
        wanted in name,
        wanted in pinyin.fold(row.hint),
        wanted in row.initials or _starts_a_syllable(row.pinyin, wanted),
    )
    return fits.index(True) if True in fits else None


def _starts_a_syllable(spaced: str, wanted: str) -> bool:
    """Whether the letters begin at a syllable: "tuina" fits "zhen jiu tui na ke", "unake" no."""
    syllables = spaced.split()
    return any("".join(syllables[at:]).startswith(wanted) for at in range(len(syllables)))
