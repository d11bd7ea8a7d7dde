"""Prices and fees by period: history kept, same again changes nothing, overlaps impossible."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hospital.catalogue import actions, queries
from hospital.catalogue.models import Price, PriceItem, ServiceFee, ServiceType
from hospital.catalogue.states import FeeCategory, ServiceKind
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import Invalid, NotFound
from hospital.kernel.models import AuditEntry
from hospital.organisation.states import Title
from hospital.testing.organisation import a_price_item, a_service_type

pytestmark = pytest.mark.django_db

AT = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 23)
JUNE, JULY = dt.date(2026, 6, 1), dt.date(2026, 7, 1)


def save_item(price_fen: int, valid_from: dt.date | None = JUNE, *, name: str = "针刺") -> bool:
    return actions.save_price_item(
        code="Z1",
        name=name,
        category=FeeCategory.TREATMENT,
        unit="次",
        price_fen=price_fen,
        valid_from=valid_from,
        by=SYSTEM,
        at=AT,
    )


def periods() -> list[tuple[int, dt.date, dt.date | None]]:
    return list(
        Price.objects.order_by("valid_from", "id").values_list(
            "price_fen", "valid_from", "valid_to"
        )
    )


def test_a_new_price_ends_the_old_period() -> None:
    assert save_item(2500)
    assert save_item(3000, None)

    assert periods() == [(2500, JUNE, TODAY), (3000, TODAY, None)]
    assert queries.price_fen(code="Z1", on=JULY) == 2500
    assert queries.price_fen(code="Z1", on=TODAY) == 3000
    entry = AuditEntry.objects.latest("id")
    assert entry.before == {"price_fen": 2500}
    assert entry.after == {"price_fen": 3000, "valid_from": "2026-11-23"}


def test_the_same_price_again_changes_nothing() -> None:
    save_item(2500)
    entries = AuditEntry.objects.count()

    assert not save_item(2500)
    assert not save_item(2500, TODAY)
    assert not save_item(2500, None)

    assert periods() == [(2500, JUNE, None)]
    assert AuditEntry.objects.count() == entries


def test_a_planned_price_stays_planned() -> None:
    save_item(2500)
    save_item(4000, dt.date(2027, 1, 1))

    assert not save_item(2500, None)
    assert save_item(3000, None)

    assert periods() == [
        (2500, JUNE, TODAY),
        (3000, TODAY, dt.date(2027, 1, 1)),
        (4000, dt.date(2027, 1, 1), None),
    ]


def test_a_price_replaced_on_its_first_day_stays_as_an_empty_period() -> None:
    save_item(2500)
    save_item(250, None)
    save_item(2600, None)

    assert periods() == [(2500, JUNE, TODAY), (250, TODAY, TODAY), (2600, TODAY, None)]
    assert queries.price_fen(code="Z1", on=TODAY) == 2600


def test_a_price_before_all_others_ends_where_they_begin() -> None:
    save_item(2500)
    save_item(2000, dt.date(2026, 1, 1))

    assert periods() == [(2000, dt.date(2026, 1, 1), JUNE), (2500, JUNE, None)]


def test_a_new_name_leaves_the_price_alone() -> None:
    save_item(2500)

    assert save_item(2500, name="普通针刺")

    assert Price.objects.count() == 1
    assert AuditEntry.objects.latest("id").before == {
        "name": "针刺",
        "pinyin": "zhen ci",
        "initials": "zc",
    }


def test_a_negative_price_is_refused() -> None:
    with pytest.raises(Invalid):
        save_item(-1)

    assert not PriceItem.objects.exists()


def test_no_price_on_a_day_is_not_found() -> None:
    save_item(2500)

    with pytest.raises(NotFound):
        queries.price_fen(code="Z1", on=dt.date(2026, 5, 31))


def test_the_database_refuses_two_prices_on_a_day() -> None:
    item = a_price_item()

    with pytest.raises(IntegrityError), transaction.atomic():
        Price.objects.create(price_item=item, price_fen=1, valid_from=JUNE)


def save_fee(
    *codes: str, title: Title | None = Title.CHIEF, valid_from: dt.date | None = None
) -> bool:
    return actions.save_service_fee(
        service_type="ZJ", title=title, price_items=codes, valid_from=valid_from, by=SYSTEM, at=AT
    )


@pytest.fixture
def service_type() -> ServiceType:
    for code, fen in (("GH", 100), ("ZC", 2400), ("TX", 10000)):
        a_price_item(code=code, price_fen=fen)
    return a_service_type(code="ZJ", fee_fen=None)


def quote(service_type: ServiceType, title: str, on: dt.date = TODAY) -> list[str]:
    """The items of a fee on a day, none where there is no price."""
    found = queries.registration_fees(on=on).get((service_type.pk, title))
    if found is None:
        return []
    assert found.total_fen == sum(line.amount_fen for line in found.lines)
    return [line.code for line in found.lines]


def test_fees_by_title_on_the_visit_date(service_type: ServiceType) -> None:
    assert save_fee("GH", "ZC", valid_from=JUNE)
    assert save_fee("GH", title=None, valid_from=JUNE)
    assert save_fee("GH", "TX")

    assert quote(service_type, Title.CHIEF, JUNE) == ["GH", "ZC"]
    assert quote(service_type, Title.CHIEF) == ["GH", "TX"]
    assert quote(service_type, Title.ATTENDING) == ["GH"]
    assert quote(service_type, "") == ["GH"]
    assert quote(service_type, Title.CHIEF, dt.date(2026, 5, 31)) == []


def test_the_same_fee_again_changes_nothing(service_type: ServiceType) -> None:
    save_fee("GH", "ZC", valid_from=JUNE)
    entries = AuditEntry.objects.count()

    assert not save_fee("ZC", "GH")
    assert not save_fee("GH", "ZC", valid_from=JUNE)

    assert AuditEntry.objects.count() == entries


def test_a_planned_fee_stays_planned(service_type: ServiceType) -> None:
    january = dt.date(2027, 1, 1)
    save_fee("GH", valid_from=JUNE)
    save_fee("GH", "ZC", valid_from=january)

    assert save_fee("TX")

    assert quote(service_type, Title.CHIEF, JULY) == ["GH"]
    assert quote(service_type, Title.CHIEF) == ["TX"]
    assert quote(service_type, Title.CHIEF, january) == ["GH", "ZC"]


def test_unknown_codes_are_refused(service_type: ServiceType) -> None:
    with pytest.raises(Invalid) as refusal:
        save_fee("GH", "??")
    assert list(refusal.value.errors) == ["price_items"]
    with pytest.raises(Invalid):
        actions.save_service_fee(service_type="??", price_items=["GH"], by=SYSTEM, at=AT)

    assert not ServiceFee.objects.exists()


def test_the_database_refuses_a_fee_twice(service_type: ServiceType) -> None:
    save_fee("GH", title=None)
    save_fee("GH", title=Title.CHIEF)
    fee = ServiceFee.objects.get(title="chief")

    with pytest.raises(IntegrityError), transaction.atomic():
        ServiceFee.objects.create(
            service_type=service_type,
            title="chief",
            price_item=fee.price_item,
            valid_from=dt.date(2027, 1, 1),
        )


def test_a_fee_with_an_unpriced_item_is_no_fee_at_all(service_type: ServiceType) -> None:
    a_price_item(code="NEU", valid_from=dt.date(2027, 1, 1))
    save_fee("GH", title=None)
    save_fee("GH", "NEU")

    assert (service_type.pk, "chief") not in queries.registration_fees(on=TODAY)
    assert (service_type.pk, "") in queries.registration_fees(on=TODAY)
    assert quote(service_type, Title.CHIEF) == []


def test_every_title_has_a_fee_where_one_is_for_all_and_else_its_own_alone(
    service_type: ServiceType,
) -> None:
    save_fee("GH", "ZC")
    save_fee("GH", title=None)
    eminent = a_service_type(fee_fen=None, fees=[(Title.EMINENT, 10000)])

    fees = queries.registration_fees(on=TODAY)

    assert fees.keys() == {
        *((service_type.pk, title) for title in (*Title.values, "")),
        (eminent.pk, Title.EMINENT),
    }


def test_service_types_and_names() -> None:
    a_service_type(code="A", name="普通门诊", kind=ServiceKind.GENERAL)
    actions.save_service_type(
        code="B", name="旧号别", kind=ServiceKind.REFILL, is_active=False, by=SYSTEM, at=AT
    )

    assert [(row.code, row.kind) for row in queries.service_types()] == [("A", "general")]
    assert queries.service_type("A").name == "普通门诊"
    with pytest.raises(NotFound):
        queries.service_type("B")
    assert queries.service_type("B", active_only=False).name == "旧号别"
    assert queries.service_type_names() == {"A": "普通门诊", "B": "旧号别"}
    assert len(queries.price_item_names()) == 1


days = st.dates(dt.date(2026, 1, 1), dt.date(2026, 1, 12))


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.lists(st.tuples(days, st.integers(0, 3)), min_size=1, max_size=8))
def test_any_order_of_price_changes_leaves_one_price_a_day(
    changes: list[tuple[dt.date, int]],
) -> None:
    with transaction.atomic():
        for day, fen in changes:
            save_item(fen, day)
            assert queries.price_fen(code="Z1", on=day) == fen
            assert not save_item(fen, day)
        first = min(day for day, _ in changes)
        for offset in range(14):
            queries.price_fen(code="Z1", on=first + dt.timedelta(days=offset))
        transaction.set_rollback(True)
