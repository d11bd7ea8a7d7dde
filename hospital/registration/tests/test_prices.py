"""What a booking costs is what it cost when it was made (M2.5)."""

import pytest

from hospital.catalogue import actions as catalogue
from hospital.catalogue.models import PriceItem
from hospital.catalogue.states import FeeCategory
from hospital.kernel import moment_cache
from hospital.kernel.actors import SYSTEM
from hospital.registration import actions
from hospital.testing.bookings import a_booking, a_paid_booking, pay
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule

pytestmark = pytest.mark.django_db


def test_m2_05_a_price_change_after_booking_does_not_charge_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(moment_cache, "SECONDS", 0.0)
    schedule = a_released_schedule(fee_fen=2500)
    paid, unpaid = a_paid_booking(schedule=schedule), a_booking(schedule=schedule)
    item = PriceItem.objects.get(service_fees__service_type=schedule.service_type)

    catalogue.save_price_item(
        code=item.code,
        name=item.name,
        category=FeeCategory(item.category),
        unit=item.unit,
        price_fen=8000,
        valid_from=TOMORROW,
        by=SYSTEM,
        at=NOW,
    )
    later = a_booking(schedule=schedule)

    pay(unpaid.bill)
    actions.confirm(bill_id=unpaid.bill_id, by=SYSTEM, at=NOW)
    for booked in (paid, unpaid):
        booked.refresh_from_db()
        booked.bill.refresh_from_db()
        assert (booked.status, booked.bill.total_fen, booked.bill.status) == (
            "booked",
            2500,
            "settled",
        )
    assert later.bill.total_fen == 8000
