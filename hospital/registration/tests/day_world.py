"""Whom the acts of a random outpatient day happen to: what every example begins with, and how one
of them is picked (the acts: `day_model`)."""

import datetime as dt
import itertools
from collections.abc import Sequence
from random import Random
from typing import TypeVar

from django.db.models import F

from hospital.billing import queries as bills
from hospital.billing.models import Bill
from hospital.billing.states import BillStatus
from hospital.catalogue.queries import registration_fees
from hospital.catalogue.states import ServiceKind
from hospital.organisation.models import Department
from hospital.organisation.states import Title
from hospital.patients.models import Patient
from hospital.registration.models import Appointment
from hospital.registration.states import LIVE, AppointmentStatus, Consent
from hospital.scheduling.models import Schedule, Slot, TimeBand
from hospital.scheduling.states import Pool
from hospital.testing.bookings import a_paid_booking
from hospital.testing.organisation import a_department, a_practitioner, a_service_type
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, band_of

Row = TypeVar("Row")
_FIRST: dict[Pool, int] = {Pool.WECHAT: 2, Pool.WINDOW: 1, Pool.KIOSK: 1, Pool.RESERVED: 1}
#: In what state a booking must be for an act to mean anything.
WANTED = {
    "give_up": (AppointmentStatus.PENDING, AppointmentStatus.BOOKED),
    "cancel": (AppointmentStatus.PENDING, AppointmentStatus.BOOKED),
    "cancel_at_the_desk": (AppointmentStatus.BOOKED, AppointmentStatus.CHECKED_IN),
    "collect": (AppointmentStatus.BOOKED,),
    "exchange": (AppointmentStatus.BOOKED,),
    "check_in": (AppointmentStatus.BOOKED,),
    "undo_check_in": (AppointmentStatus.CHECKED_IN,),
    "start_visit": (AppointmentStatus.BOOKED, AppointmentStatus.CHECKED_IN),
    "continue_visit": (AppointmentStatus.FULFILLED,),
    "correct": (AppointmentStatus.NOSHOW, AppointmentStatus.LEFT_UNSEEN),
}


class World:
    """What every example begins with: made once, taken back to after each."""

    def __init__(self) -> None:
        self.users = [a_wechat_user() for _ in range(5)]
        self.patients: list[Patient] = [a_patient(user) for user in self.users[:-1]]
        self.elderly = a_patient(self.users[-1], born=dt.date(1955, 5, 5))
        self.patients.append(self.elderly)
        first, second, emergency = a_department(), a_department(), a_department(walk_in_only=True)
        sessions = [
            a_session(first, TOMORROW, 2500),
            a_session(second, TOMORROW, 4000),
            a_session(second, TOMORROW + dt.timedelta(days=7), 2500),
            a_session(first, TOMORROW + dt.timedelta(days=1), 2500),
        ]
        a_session(emergency, TOMORROW, 1500, kind=ServiceKind.EMERGENCY)
        colleagues = ((Title.CHIEF, "林若谷"), (Title.ATTENDING, "周明远"))
        self.doctors = [
            a_practitioner(department, name=name, title=title)
            for department in (first, second)
            for title, name in colleagues
        ]
        fees = registration_fees(on=TOMORROW)
        self.fees_fen = {service: fee.total_fen for service, fee in fees.items()}
        self.doctors += [row.practitioner for row in sessions if row.practitioner]
        for place, patient in enumerate(self.patients[:2]):
            band = band_of(sessions[0], place)
            a_paid_booking(patient=patient, schedule=sessions[0], band=band)
        self.received_fen = bills.ledger_totals()["cash_fen"]


def a_session(
    department: Department, day: dt.date, fee_fen: int, kind: ServiceKind = ServiceKind.GENERAL
) -> Schedule:
    """An associate chief's morning; a chief costs more, an attending physician less."""
    fees = ((Title.CHIEF, fee_fen + 1500), (Title.ATTENDING, fee_fen - 1000))
    return a_released_schedule(
        department=department,
        practitioner=a_practitioner(department, title=Title.ASSOCIATE_CHIEF),
        service_type=a_service_type(kind=kind, fee_fen=fee_fen, fees=fees),
        day=day,
        capacity=5,
        band_minutes=120,
        shares=_FIRST,
    )


class House:
    """The people, numbers and bills of one example; `at` is the moment for everybody."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.at = NOW
        self.serial = itertools.count(1)
        self.received_fen = world.received_fen
        self.returned_fen = 0

    def user_of(self, patient_id: int) -> int:
        places = {row.pk: place for place, row in enumerate(self.world.patients)}
        return self.world.users[places[patient_id]].pk

    def bands(self) -> list[TimeBand]:
        return list(TimeBand.objects.select_related("schedule").order_by("pk"))

    def slots(self) -> list[Slot]:
        return list(Slot.objects.filter(is_add_on=False).order_by("pk"))

    def bill(self, dice: Random) -> Bill | None:
        """Some bill, more often one that still waits for money."""
        rows = list(Bill.objects.order_by("pk"))
        waiting = [row for row in rows if row.status == BillStatus.ISSUED]
        return one(dice, waiting * 6 + rows) if rows else None

    def booking(self, dice: Random, act: str) -> Appointment | None:
        """Some booking the act is for; now and then any other."""
        rows = list(Appointment.objects.order_by("pk"))
        meant = [row for row in rows if row.status in WANTED.get(act, ())]
        return one(dice, meant * 4 + rows) if rows else None


def to_settle() -> list[Appointment]:
    """Who booked another doctor than the one who holds the session, and was not asked yet."""
    rows = Appointment.objects.filter(status__in=LIVE).exclude(consent=Consent.ASKED)
    return list(rows.exclude(practitioner=F("schedule__practitioner")).order_by("pk"))


def one(dice: Random, rows: Sequence[Row]) -> Row:
    return dice.choice(rows)
