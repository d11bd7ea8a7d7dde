"""Foreign keys point to the same or a lower floor (law 1), as imports do."""

import pytest

from hospital.identity.models import WeChatUser
from hospital.organisation.models import Department
from tools.inventory import Reference, areas, floors, references


def upward(found: list[Reference]) -> list[str]:
    height = floors()
    return [
        f"{one.model._meta.label}.{one.field} → {one.target._meta.label}"
        for one in found
        if height[one.target._meta.app_label] > height[one.model._meta.app_label]
    ]


def sideways(found: list[Reference]) -> list[str]:
    height = floors()
    return [
        f"{one.model._meta.label}.{one.field} → {one.target._meta.label}"
        for one in found
        if one.target._meta.app_label != one.model._meta.app_label
        and height[one.target._meta.app_label] == height[one.model._meta.app_label]
    ]


def test_the_floors_are_those_of_the_import_contract() -> None:
    height = floors()

    assert height["kernel"] == 1
    assert height["ui"] == height["live"] == height["wechat"] == 2
    assert height["config"] == max(height.values()) == 12
    assert set(areas()) <= set(height)


def test_foreign_keys_go_down() -> None:
    found = list(references())

    assert found
    assert upward(found) == []
    assert sideways(found) == []


def test_a_planted_upward_key_is_caught() -> None:
    planted = Reference(Department, "opened_by", WeChatUser)

    assert upward([planted]) == ["organisation.Department.opened_by → identity.WeChatUser"]


@pytest.mark.parametrize("area", areas())
def test_an_area_that_has_tables_is_an_app_of_its_own_name(area: str) -> None:
    own = [one for one in references() if one.model.__module__.startswith(f"hospital.{area}.")]

    assert {one.model._meta.app_label for one in own} <= {area}
