"""Renaming a department, a doctor or a 号别 does not rewrite what was booked before (H1)."""

import datetime as dt

import pytest

from hospital.billing.models import Charge
from hospital.catalogue import actions as catalogue
from hospital.catalogue.states import FeeCategory, ServiceKind
from hospital.kernel.actors import SYSTEM
from hospital.organisation import actions as organisation
from hospital.organisation.states import Sex, Title
from hospital.registration import queries
from hospital.testing.bookings import a_paid_booking
from hospital.testing.organisation import LICENSED_UNTIL, a_department, a_practitioner
from hospital.testing.schedules import NOW, a_released_schedule

pytestmark = pytest.mark.django_db
LATER = NOW + dt.timedelta(days=3)


def test_history_keeps_its_own_names_and_what_is_to_come_has_the_new_ones() -> None:
    department = a_department(code="PWB", name="脾胃病科")
    doctor = a_practitioner(department, code="0101", name="陈知行", title=Title.ATTENDING)
    schedule = a_released_schedule(department=department, practitioner=doctor)
    booked = a_paid_booking(schedule=schedule)
    item = Charge.objects.get(bill=booked.bill).price_item
    before = queries.appointment(number=booked.number, at=NOW)

    organisation.save_department(code="PWB", name="消化中心", by=SYSTEM, at=NOW)
    organisation.save_practitioner(
        code="0101",
        name="陈知行行",
        sex=Sex.MALE,
        title=Title.CHIEF,
        departments=["PWB"],
        licence_end_date=LICENSED_UNTIL,
        by=SYSTEM,
        at=NOW,
    )
    catalogue.save_service_type(
        code=schedule.service_type.code, name="名医门诊", kind=ServiceKind.EXPERT, by=SYSTEM, at=NOW
    )
    catalogue.save_price_item(
        code=item.code,
        name="名医诊察费",
        category=FeeCategory.CONSULTATION,
        unit="次",
        price_fen=9900,
        by=SYSTEM,
        at=NOW,
    )

    coming = queries.appointment(number=booked.number, at=NOW)
    past = queries.appointment(number=booked.number, at=LATER)
    assert (coming.department, coming.doctor, coming.title_label, coming.service_name) == (
        "消化中心",
        "陈知行行",
        "主任医师",
        "名医门诊",
    )
    assert (past.department, past.doctor, past.title_label, past.service_name) == (
        before.department,
        before.doctor,
        before.title_label,
        before.service_name,
    )
    assert past.department == "脾胃病科"
    booked.bill.refresh_from_db()
    assert booked.bill.title == "挂号费 脾胃病科 陈知行"
    charge = Charge.objects.get(bill=booked.bill)
    assert (charge.item_name, charge.amount_fen) == (item.name, before.total_fen)
