"""Booking: M1.3's checks in their order, each with its code, and one hold (M1.5)."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from hospital.catalogue.queries import NoFee
from hospital.identity.models import WeChatUser
from hospital.kernel import moment_cache
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import NotFound, Refusal
from hospital.kernel.request_keys import KeyReused
from hospital.messaging.models import Message
from hospital.organisation.states import SexLimit
from hospital.patients.models import Patient
from hospital.patients.states import Sex
from hospital.registration import actions, rules, thresholds
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus
from hospital.registration.tests.refusals import refused, rows, someone
from hospital.scheduling import actions as scheduling
from hospital.scheduling.actions import SlotTaken
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.jobs import due_jobs
from hospital.testing.organisation import (
    a_department,
    a_service_type,
)
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import (
    NOW,
    TOMORROW,
    a_released_schedule,
    an_unreleased_schedule,
    band_of,
    moment,
)

pytestmark = pytest.mark.django_db


def test_m1_05_a_booking_holds_a_number_and_bills_it_for_fifteen_minutes() -> None:
    schedule = a_released_schedule(capacity=4, fee_fen=2500)
    user, patient = someone()

    booked = a_booking(user=user, patient=patient, schedule=schedule)

    until = NOW + dt.timedelta(minutes=15)
    stored = Appointment.objects.select_related("slot", "bill").get()
    assert (stored.status, stored.hold_until, stored.booking_kind) == ("pending", until, "advance")
    assert (stored.patient, stored.wechat_user, stored.schedule) == (patient, user, schedule)
    assert (stored.slot.status, stored.slot.held_until) == ("held", until)
    assert (stored.bill.status, stored.bill.total_fen) == ("issued", 2500)
    assert (stored.bill.expires_at, stored.bill.wechat_user) == (until, user)
    assert stored.bill.path == f"/m/appointments/{booked.number}/result/"
    assert re.fullmatch(r"261124\d{8}", booked.number)
    charge = stored.bill.charges.get()
    assert (charge.source_kind, charge.source_id) == ("appointment", stored.pk)
    assert [name for name in due_jobs() if name.startswith("registration.")] == [
        "registration.jobs.release_unpaid"
    ]
    connection.check_constraints()


def test_m1_11_a_booking_for_today_is_a_same_day_one() -> None:
    schedule = a_released_schedule(day=dt.date(2026, 11, 23), starts=dt.time(14), ends=dt.time(17))

    assert a_booking(schedule=schedule).booking_kind == "same_day"


def test_m4_09_a_free_booking_is_booked_at_once() -> None:
    schedule = a_released_schedule(fee_fen=0)

    booked = a_booking(schedule=schedule)

    booked.refresh_from_db()
    assert (booked.status, booked.booked_at) == ("booked", NOW)
    assert (booked.slot.status, booked.bill.status) == ("booked", "settled")
    assert Message.objects.get().kind == "N01"
    actions.confirm(bill_id=booked.bill_id, by=SYSTEM, at=NOW)
    assert Message.objects.count() == 1


def test_a_double_tap_books_once() -> None:
    schedule = a_released_schedule()
    user, patient = someone()

    first = a_booking(user=user, patient=patient, schedule=schedule, key="tap")
    before = rows()
    second = a_booking(user=user, patient=patient, schedule=schedule, key="tap")

    assert second == first
    assert rows() == before


def test_the_same_key_for_something_else_is_refused() -> None:
    schedule = a_released_schedule()
    user, patient = someone()
    a_booking(user=user, patient=patient, schedule=schedule, key="tap")

    refused(
        lambda: a_booking(
            user=user, patient=patient, schedule=schedule, band=band_of(schedule, 1), key="tap"
        ),
        KeyReused,
        "KEY_REUSED",
    )


def test_m1_03_1_identity_a_patient_not_bound_to_the_user() -> None:
    schedule, (_, stranger), user = a_released_schedule(), someone(), a_wechat_user()

    refused(
        lambda: a_booking(user=user, patient=stranger, schedule=schedule),
        rules.NotIdentified,
        "NOT_IDENTIFIED",
    )


def test_m1_03_1_identity_a_patient_never_identified() -> None:
    schedule, (user, patient) = a_released_schedule(), someone()
    Patient.objects.filter(pk=patient.pk).update(assurance="none")

    refused(
        lambda: a_booking(user=user, patient=patient, schedule=schedule),
        rules.NotIdentified,
        "NOT_IDENTIFIED",
    )


def test_m3_01_a_patient_in_the_index_without_a_valid_document() -> None:
    schedule, (user, patient) = a_released_schedule(), someone()
    Patient.objects.filter(pk=patient.pk).update(assurance="declared")

    problem = refused(
        lambda: a_booking(user=user, patient=patient, schedule=schedule),
        rules.NotRealName,
        "NOT_REAL_NAME",
    )

    assert "请携带就诊人的证件到挂号窗口补登" in problem.message


@pytest.mark.parametrize(
    ("in_time", "late"),
    [
        (
            {"kind": "newborn", "birth_date": TOMORROW - dt.timedelta(days=61)},
            {"birth_date": TOMORROW - dt.timedelta(days=62)},
        ),
        (
            {"kind": "unidentified", "created_at": NOW - dt.timedelta(hours=72)},
            {"created_at": NOW - dt.timedelta(hours=72, seconds=1)},
        ),
    ],
)
def test_m3_04_newborns_and_rescue_patients_have_their_time(
    in_time: dict[str, object], late: dict[str, object]
) -> None:
    schedule, other, (user, patient) = a_released_schedule(), a_released_schedule(), someone()
    rows_of = Patient.objects.filter(pk=patient.pk)
    rows_of.update(assurance="declared", **in_time)

    a_paid_booking(user=user, patient=patient, schedule=schedule)

    rows_of.update(**late)
    refused(
        lambda: a_booking(user=user, patient=patient, schedule=other),
        rules.NotRealName,
        "NOT_REAL_NAME",
    )


def test_m1_03_2_an_inactive_or_merged_patient() -> None:
    schedule, (user, patient), (_, survivor) = a_released_schedule(), someone(), someone()

    for change in ({"is_active": False}, {"is_active": True, "merged_into": survivor}):
        Patient.objects.filter(pk=patient.pk).update(**change)
        refused(
            lambda: a_booking(user=user, patient=patient, schedule=schedule),
            rules.PatientInactive,
            "PATIENT_INACTIVE",
        )


def test_m1_03_3_sex() -> None:
    schedule = a_released_schedule(department=a_department(name="妇科", sex_limit=SexLimit.FEMALE))
    user = a_wechat_user()
    man = a_patient(user, sex=Sex.MALE)

    refusal = refused(
        lambda: a_booking(user=user, patient=man, schedule=schedule),
        rules.DepartmentLimitSex,
        "DEPARTMENT_LIMIT_SEX",
    )
    assert refusal.message == "妇科只接诊女性患者。"
    a_booking(schedule=schedule, patient=a_patient(sex=Sex.FEMALE))


@pytest.mark.parametrize(
    ("born", "limits", "code"),
    [
        (dt.date(2012, 11, 24), (None, 168), "DEPARTMENT_LIMIT_AGE"),  # 14 on the day of the visit
        (dt.date(2012, 11, 25), (None, 168), ""),  # a day short of 14
        (dt.date(2012, 11, 24), (168, None), ""),
        (dt.date(2012, 11, 25), (168, None), "DEPARTMENT_LIMIT_AGE"),
        (dt.date(1966, 11, 25), (720, None), "DEPARTMENT_LIMIT_AGE"),
    ],
)
def test_m1_12_age_counts_on_the_visit_date(
    born: dt.date, limits: tuple[int | None, int | None], code: str
) -> None:
    department = a_department(name="儿科", min_age_months=limits[0], max_age_months=limits[1])
    schedule = a_released_schedule(department=department)
    user = a_wechat_user()
    patient = a_patient(user, born=born, at=NOW)

    def book() -> Appointment:
        return a_booking(user=user, patient=patient, schedule=schedule)

    if code:
        refused(book, rules.DepartmentLimitAge, code)
    else:
        assert book().status == "pending"


@pytest.mark.parametrize(
    ("days", "limits", "code"),
    [
        (28, (None, 28), ""),
        (29, (None, 28), "DEPARTMENT_LIMIT_AGE"),
        (28, (29, None), "DEPARTMENT_LIMIT_AGE"),
        (29, (29, None), ""),
        (1, (0, 28), ""),
    ],
)
def test_m1_12_days_of_age_count_on_the_visit_date(
    days: int, limits: tuple[int | None, int | None], code: str
) -> None:
    """A clinic for the newborn sees day 28 and not day 29; the day of the booking is no matter."""
    department = a_department(
        name="新生儿科", min_age_days=limits[0], max_age_days=limits[1], max_age_months=180
    )
    schedule = a_released_schedule(department=department)
    user = a_wechat_user()
    patient = a_patient(user, born=TOMORROW - dt.timedelta(days=days), at=NOW)

    def book() -> Appointment:
        return a_booking(user=user, patient=patient, schedule=schedule)

    if code:
        refusal = refused(book, rules.DepartmentLimitAge, code)
        words = "不超过 28 天" if limits[1] else "满 29 天"
        assert refusal.message == f"新生儿科只接诊15岁以下、就诊当日出生{words}的患者。"
    else:
        assert book().status == "pending"


def test_m1_03_4_restriction_a_blocked_user() -> None:
    schedule, (user, patient) = a_released_schedule(), someone()
    WeChatUser.objects.filter(pk=user.pk).update(is_blocked=True)

    refused(
        lambda: a_booking(user=user, patient=patient, schedule=schedule),
        rules.Restricted,
        "RESTRICTED",
    )


def test_m1_10_three_late_cancellations_in_thirty_days_stop_advance_booking() -> None:
    user, patient = someone()
    for day in (2, 12, 20):
        visit = dt.date(2026, 11, day)
        at = moment(visit, 7)
        late = a_paid_booking(
            user=user, patient=patient, schedule=a_released_schedule(day=visit, at=at), at=at
        )
        actions.cancel(number=late.number, by=Actor("patient", user.pk), at=at)
        actions.recount(patient_id=patient.pk, by=SYSTEM, at=at)
    advance = a_released_schedule()
    same_day = a_released_schedule(day=dt.date(2026, 11, 23), starts=dt.time(14), ends=dt.time(17))

    refusal = refused(
        lambda: a_booking(user=user, patient=patient, schedule=advance),
        rules.Restricted,
        "RESTRICTED",
    )

    assert refusal.details["until"] == moment(dt.date(2026, 12, 20), 7)
    assert a_booking(user=user, patient=patient, schedule=same_day).status == "pending"


def test_m1_03_5_duplicate_the_same_session() -> None:
    schedule, (user, patient) = a_released_schedule(), someone()
    booked = a_paid_booking(user=user, patient=patient, schedule=schedule)

    refusal = refused(
        lambda: a_booking(user=user, patient=patient, schedule=schedule),
        rules.Duplicate,
        "DUPLICATE",
    )

    assert refusal.details["number"] == booked.number


def test_m1_11_walk_in_departments_say_so() -> None:
    schedule = a_released_schedule(department=a_department(name="急诊科", walk_in_only=True))

    user, patient = someone()
    refusal = refused(
        lambda: a_booking(user=user, patient=patient, schedule=schedule),
        rules.ChannelClosed,
        "CHANNEL_CLOSED",
    )

    assert refusal.message == "急诊科只在现场挂号，请直接到院就诊。"


def test_m1_11_a_session_in_its_last_half_hour_is_closed() -> None:
    schedule, (user, patient) = a_released_schedule(), someone()

    refused(
        lambda: a_booking(
            user=user, patient=patient, schedule=schedule, at=moment(TOMORROW, 11, 30)
        ),
        rules.ChannelClosed,
        "CHANNEL_CLOSED",
    )


def test_m1_08_a_suspended_session() -> None:
    schedule, (user, patient) = a_released_schedule(), someone()
    scheduling.suspend_schedule(schedule_id=schedule.pk, reason="病假", by=SYSTEM, at=NOW)

    refused(
        lambda: a_booking(user=user, patient=patient, schedule=schedule),
        rules.SessionSuspended,
        "SUSPENDED",
    )


def test_m1_16_before_seven_by_the_servers_clock() -> None:
    schedule, (user, patient) = an_unreleased_schedule(), someone()
    release_at = schedule.release_at

    refusal = refused(
        lambda: a_booking(
            user=user,
            patient=patient,
            schedule=schedule,
            at=release_at - dt.timedelta(microseconds=1),
        ),
        rules.NotReleased,
        "NOT_RELEASED",
    )

    assert refusal.details["release_at"] == release_at
    booked = a_booking(user=user, patient=patient, schedule=schedule, at=release_at)
    assert (booked.status, booked.slot.sequence_no) == ("pending", 1)


def test_m1_02_a_full_band_names_alternatives() -> None:
    schedule, (user, patient) = a_released_schedule(capacity=4), someone()
    a_booking(schedule=schedule)

    refusal = refused(
        lambda: a_booking(user=user, patient=patient, schedule=schedule), SlotTaken, "SLOT_TAKEN"
    )

    found = refusal.details["alternatives"]
    assert isinstance(found, list)
    assert len(found) == 3


def test_a_session_without_a_price_cannot_be_booked() -> None:
    schedule = a_released_schedule(service_type=a_service_type(fee_fen=None))
    user, patient = someone()

    refused(lambda: a_booking(user=user, patient=patient, schedule=schedule), NoFee, "NO_FEE")


def test_an_unknown_session_or_a_band_of_another_one_is_not_found() -> None:
    schedule, other, (user, patient) = a_released_schedule(), a_released_schedule(), someone()

    refused(
        lambda: a_booking(user=user, patient=patient, schedule=schedule, band=band_of(other)),
        NotFound,
        "NOT_FOUND",
    )


def test_m1_03_the_first_failure_wins() -> None:
    """Everything is wrong at once; each mended, the next one speaks."""
    department = a_department(name="妇科", sex_limit=SexLimit.FEMALE, min_age_months=168)
    schedule = a_released_schedule(department=department, capacity=1, band_minutes=240)
    a_booking(schedule=schedule)
    user = a_wechat_user()
    patient = a_patient(user, sex=Sex.MALE)
    WeChatUser.objects.filter(pk=user.pk).update(is_blocked=True)
    Patient.objects.filter(pk=patient.pk).update(is_active=False, assurance="none")
    codes = []
    mend: list[Callable[[], object]] = [
        lambda: Patient.objects.filter(pk=patient.pk).update(assurance="document"),
        lambda: Patient.objects.filter(pk=patient.pk).update(is_active=True),
        lambda: Patient.objects.filter(pk=patient.pk).update(sex="female"),
        lambda: WeChatUser.objects.filter(pk=user.pk).update(is_blocked=False),
        lambda: None,
    ]
    for step in mend:
        with pytest.raises(Refusal) as raised:
            a_booking(user=user, patient=patient, schedule=schedule)
        codes.append(raised.value.code)
        step()

    assert codes == [
        "NOT_IDENTIFIED",
        "PATIENT_INACTIVE",
        "DEPARTMENT_LIMIT_SEX",
        "RESTRICTED",
        "SLOT_TAKEN",
    ]


def test_the_database_refuses_a_second_booking_of_a_slot_or_a_session() -> None:
    booked = a_booking()
    other_slot = booked.schedule.slots.exclude(pk=booked.slot_id)[0]
    again = {
        "wechat_user_id": booked.wechat_user_id,
        "schedule_id": booked.schedule_id,
        "visit_date": booked.visit_date,
        "department_id": booked.department_id,
        "channel": booked.channel,
        "booking_kind": booked.booking_kind,
        "status": AppointmentStatus.PENDING,
        "created_at": NOW,
        "hold_until": NOW,
    }

    for clash in (
        {"slot_id": booked.slot_id, "patient_id": a_patient().pk},
        {"slot_id": other_slot.pk, "patient_id": booked.patient_id},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Appointment.objects.create(number="x", bill_id=0, **again, **clash)


@time_machine.travel(NOW, tick=False)
def test_law_13_booking_takes_few_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve in a rush, and once a second five more for what all bookings of a session share."""
    monkeypatch.setattr(moment_cache, "SECONDS", 60.0)
    schedule = a_released_schedule(capacity=8)
    band = band_of(schedule)
    used = []
    for _ in range(2):
        user, patient = someone()
        thresholds.HOLD_MINUTES.value()
        with CaptureQueriesContext(connection) as context:
            a_booking(user=user, patient=patient, schedule=schedule, band=band)
        used.append([query["sql"] for query in context if "SAVEPOINT" not in query["sql"]])

    assert [len(statements) for statements in used] == [17, 12], used
