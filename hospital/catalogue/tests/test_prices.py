"""Finance agrees to prices (chapter 7): what staff type waits, and one person never does both."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse

from hospital.catalogue import actions, queries
from hospital.catalogue.models import Price, PriceChange
from hospital.catalogue.states import FeeCategory, PriceChangeStatus
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, NotFound
from hospital.kernel.four_eyes import AlreadyDecided, OwnRequest
from hospital.kernel.models import AuditEntry
from hospital.testing.people import a_staff, staff_client

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)
WEEK = dt.timedelta(days=7)
TODAY, JUNE = dt.date(2026, 11, 23), dt.date(2026, 6, 1)
STEWARD, FINANCE = Actor("staff", 7), Actor("staff", 8)


def save(
    price_fen: int,
    *,
    by: Actor = STEWARD,
    valid_from: dt.date | None = None,
    code: str = "Z1",
    unit: str = "次",
) -> bool:
    return actions.save_price_item(
        code=code,
        name="针刺",
        category=FeeCategory.TREATMENT,
        unit=unit,
        price_fen=price_fen,
        valid_from=valid_from,
        by=by,
        at=AT,
    )


def periods() -> list[tuple[int, dt.date, dt.date | None]]:
    rows = Price.objects.order_by("valid_from", "pk")
    return list(rows.values_list("price_fen", "valid_from", "valid_to"))


def decide(*, yes: bool = True, note: str = "", by: Actor = FINANCE, at: dt.datetime = AT) -> None:
    change = PriceChange.objects.latest("pk")
    actions.decide_price(change_id=change.pk, is_approved=yes, note=note, by=by, at=at)


@pytest.fixture
def priced() -> None:
    save(2500, by=SYSTEM, valid_from=JUNE)


@pytest.mark.usefixtures("priced")
def test_a_typed_price_waits_for_finance_and_then_holds() -> None:
    assert save(3000)

    assert periods() == [(2500, JUNE, None)]
    assert AuditEntry.objects.latest("pk").act == "catalogue.ask_price"
    decide()
    assert periods() == [(2500, JUNE, TODAY), (3000, TODAY, None)]
    entry = AuditEntry.objects.get(act="catalogue.set_price", by=str(FINANCE))
    assert (entry.before, entry.after["price_fen"]) == ({"price_fen": 2500}, 3000)


@pytest.mark.usefixtures("priced")
def test_nobody_agrees_to_the_own_price() -> None:
    save(3000)

    with pytest.raises(OwnRequest):
        decide(by=STEWARD)
    assert periods() == [(2500, JUNE, None)]
    assert PriceChange.objects.get().status == PriceChangeStatus.WAITING


@pytest.mark.usefixtures("priced")
def test_a_price_is_decided_once_and_refused_with_a_reason() -> None:
    save(3000)
    with pytest.raises(Invalid):
        decide(yes=False, note=" ")
    assert PriceChange.objects.get().status == PriceChangeStatus.WAITING

    decide(yes=False, note="没有物价文件")

    assert periods() == [(2500, JUNE, None)]
    with pytest.raises(AlreadyDecided):
        decide()
    with pytest.raises(NotFound):
        actions.decide_price(change_id=0, is_approved=True, note="", by=FINANCE, at=AT)
    assert periods() == [(2500, JUNE, None)]
    assert save(3200), "after a refusal another price may be asked for"


@pytest.mark.usefixtures("priced")
def test_one_price_waits_at_a_time_and_the_same_is_one_question() -> None:
    save(3000)

    assert not save(3000)
    assert not save(2500), "the price in force is no change"
    for fen, day in ((3100, None), (3000, TODAY + WEEK)):
        with pytest.raises(Invalid) as refusal:
            save(fen, valid_from=day)
        assert refusal.value.errors == {
            "price_fen": ["单价 30.00 元还在等财务批准，处理后才能再改。"]
        }
    assert PriceChange.objects.get().price_fen == 3000
    assert save(2500, unit="部位"), "the rest of the item changes at once"


@pytest.mark.usefixtures("priced")
def test_a_day_to_come_stays_and_a_day_that_passed_is_today() -> None:
    save(3000, valid_from=TODAY + WEEK)
    decide()
    assert periods() == [(2500, JUNE, TODAY + WEEK), (3000, TODAY + WEEK, None)]
    save(2800, valid_from=TODAY)

    decide(at=AT + dt.timedelta(days=2))

    later = TODAY + dt.timedelta(days=2)
    assert (2800, later, TODAY + WEEK) in periods()


def test_a_new_items_first_price_waits_too() -> None:
    save(1200)

    with pytest.raises(NotFound):
        queries.price_fen(code="Z1", on=TODAY)
    (row,) = queries.price_item_rows(on=TODAY)
    assert row.values["price_fen"] == 1200
    assert not save(1200)
    decide()
    assert queries.price_fen(code="Z1", on=TODAY) == 1200


class TestPage:
    @pytest.fixture
    def steward(self) -> Client:
        return staff_client(Role.SYSTEM_ADMIN)

    @pytest.fixture
    def waiting(self, priced: None) -> PriceChange:
        save(3000)
        return PriceChange.objects.get()

    def test_the_steward_reads_that_it_waits(self, waiting: PriceChange, steward: Client) -> None:
        page = steward.get(reverse("onboarding-row", args=["price-items", "Z1"])).content.decode()
        assert "单价 ¥30.00" in page
        assert "等财务批准后生效，批准以前仍收 ¥25.00。" in page
        assert steward.get(reverse("catalogue-prices")).status_code == 403
        path = reverse("catalogue-decide")
        refused = steward.post(path, {"change": waiting.pk, "answer": "yes"})
        assert refused.status_code == 403
        assert [fen for fen, _, _ in periods()] == [2500]

    def test_finance_agrees_to_several_at_once(self, waiting: PriceChange) -> None:
        save(900, code="Z2")
        finance = staff_client(Role.FINANCE)
        page = finance.get(reverse("catalogue-prices")).content.decode()
        for words in ("针刺", "新项目", "30.00", "9.00"):
            assert words in page
        ids = list(PriceChange.objects.values_list("pk", flat=True))

        answer = finance.post(reverse("catalogue-decide"), {"change": ids, "answer": "yes"})

        assert (answer.status_code, answer["Location"]) == (302, reverse("catalogue-prices"))
        assert queries.price_fen(code="Z1", on=clock.today()) == 3000
        assert queries.price_fen(code="Z2", on=clock.today()) == 900
        assert "已批准" in finance.get(reverse("catalogue-prices")).content.decode()

    @pytest.mark.parametrize("ids", [[], ["x"], ["9" * 30]])
    def test_nothing_marked_is_told(self, ids: list[str]) -> None:
        finance = staff_client(Role.FINANCE)
        answer = finance.post(reverse("catalogue-decide"), {"change": ids, "answer": "yes"})
        assert answer.status_code == 422
        assert "请先勾选" in answer.content.decode()

    def test_a_refusal_without_a_reason_loses_no_mark(self, waiting: PriceChange) -> None:
        finance = staff_client(Role.FINANCE)
        answer = finance.post(reverse("catalogue-decide"), {"change": waiting.pk, "answer": "no"})
        assert answer.status_code == 422
        page = answer.content.decode()
        assert "请填写驳回的原因。" in page
        assert re.search(rf'value="{waiting.pk}"\s+checked', page)
        waiting.refresh_from_db()
        assert waiting.status == PriceChangeStatus.WAITING

    def test_all_or_none(self, waiting: PriceChange) -> None:
        own = a_staff(Role.FINANCE)
        save(900, code="Z2", by=Actor("staff", own.pk))
        ids = list(PriceChange.objects.values_list("pk", flat=True))

        answer = staff_client(account=own).post(
            reverse("catalogue-decide"), {"change": ids, "answer": "yes"}
        )

        assert answer.status_code == 409
        assert [fen for fen, _, _ in periods()] == [2500]
        assert {row.status for row in PriceChange.objects.all()} == {PriceChangeStatus.WAITING}
