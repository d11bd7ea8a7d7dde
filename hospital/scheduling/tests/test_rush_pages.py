"""The way to a number in a rush: waiting by arrival, and pages drawn for everybody (M1.16)."""

import datetime as dt
import re
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.conf import settings
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hospital.identity import actions as identity
from hospital.identity.models import WeChatUser
from hospital.identity.states import Theme
from hospital.identity.turns import COOKIE
from hospital.kernel import moment_cache, rush_line
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.settings_rows import set_value
from hospital.registration.models import Appointment
from hospital.scheduling.models import Schedule
from hospital.testing.people import a_patient, a_wechat_user, patient_client
from hospital.testing.schedules import NOW, a_released_schedule, band_of

pytestmark = pytest.mark.django_db
DEPARTMENTS = "/m/departments/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as moved:
        yield moved


@pytest.fixture
def schedule() -> Schedule:
    return a_released_schedule()


def sessions(schedule: Schedule) -> str:
    return f"{DEPARTMENTS}{schedule.department.code}/"


def one_a_second() -> None:
    """Four may come at once, then one each second."""
    set_value(setting=rush_line.RUSH_PER_SECOND, value=1, by=SYSTEM, at=NOW)


def fill(count: int = 4) -> None:
    """All who may come at once have come."""
    for _ in range(count):
        assert patient_client(a_wechat_user()).get(DEPARTMENTS).status_code == 200


def test_m1_16_more_than_can_be_served_wait_in_order(clock: time_machine.Traveller) -> None:
    one_a_second()
    fill()
    first, second = (patient_client(a_wechat_user()) for _ in range(2))

    asked = first.get(f"{DEPARTMENTS}?category=x", follow=True)
    also = second.get(DEPARTMENTS, headers=HTMX)

    assert asked.request["PATH_INFO"] == "/m/wait/"
    assert "前面还有 <strong>1</strong> 人" in asked.content.decode()
    assert asked["Retry-After"] == "1"
    assert also["HX-Redirect"].startswith("/m/wait/?next=")
    assert "前面还有 <strong>2</strong> 人" in second.get("/m/wait/").content.decode()

    clock.shift(1)
    here = asked.redirect_chain[0][0]
    assert first.get(here, headers=HTMX)["HX-Redirect"] == f"{DEPARTMENTS}?category=x"
    assert first.get(DEPARTMENTS).status_code == 200
    assert second.get("/m/wait/").status_code == 200
    clock.shift(1)
    assert second.get("/m/wait/")["Location"] == "/m/"


def test_m1_16_who_is_near_asks_at_the_own_turn_and_who_is_far_seldom() -> None:
    """Earlier would be in vain, later would let others pass (within 3 seconds)."""
    one_a_second()
    fill()
    rush_line.take_number()

    def told(people: int) -> float:
        """The seconds of somebody who comes when that many are let in before."""
        while rush_line.ahead_of(rush_line.take_number(), at=NOW) < people - 1:
            pass
        page = patient_client(a_wechat_user()).get(DEPARTMENTS, follow=True).content.decode()
        return float(re.findall(r"load delay:([\d.]+)s", page)[0])

    assert [told(3), told(9)] == [3.0, 9.0]
    assert 0.85 * 60 <= told(60) <= 0.85 * 60 * 1.1 + 0.1 < 60
    assert 90 <= told(600) <= 99


def test_asking_again_reads_neither_session_nor_account() -> None:
    one_a_second()
    fill()
    late = patient_client(a_wechat_user())
    late.get(DEPARTMENTS, follow=True)

    with CaptureQueriesContext(connection) as statements:
        assert late.get("/m/wait/", headers=HTMX).status_code == 200
    assert settings.PATIENT_COOKIE_NAME in late.cookies
    assert [row["sql"].split()[:2] for row in statements] == [["WITH", "allowed"]] * 2


def test_who_asks_again_keeps_the_place_and_who_starts_over_loses_it() -> None:
    one_a_second()
    fill()
    late = patient_client(a_wechat_user())
    ahead = []
    for _ in range(3):
        answer = late.get(DEPARTMENTS, follow=True).content.decode()
        ahead += re.findall(r"<strong>(\d+)</strong> 人", answer)
    late.cookies.pop(COOKIE)
    ahead += re.findall(
        r"<strong>(\d+)</strong> 人", late.get(DEPARTMENTS, follow=True).content.decode()
    )

    assert ahead == ["1", "1", "1", "2"]


@pytest.mark.parametrize(
    "change", [lambda text: text[:-1] + "!", lambda text: "1.1." + text, lambda _: ""]
)
def test_nobody_writes_a_turn_for_oneself(change: Callable[[str], str]) -> None:
    one_a_second()
    fill()
    late = patient_client(a_wechat_user())
    late.get(DEPARTMENTS)
    late.cookies[COOKIE] = change(late.cookies[COOKIE].value)

    assert late.get(DEPARTMENTS)["Location"].startswith("/m/wait/")


def test_a_turn_is_its_owners_alone(schedule: Schedule) -> None:
    """With somebody else's one sees, for a minute, what everybody sees, and comes no further."""
    one_a_second()
    early = patient_client(a_wechat_user())
    assert early.get(DEPARTMENTS).status_code == 200
    fill(3)
    late = patient_client(a_wechat_user())
    late.cookies[COOKIE] = early.cookies[COOKIE].value

    confirm = late.get(f"/m/book/{schedule.pk}/{band_of(schedule).pk}/")
    assert confirm["Location"].startswith("/m/wait/")


def test_who_is_inside_books_without_waiting_again(
    clock: time_machine.Traveller, schedule: Schedule
) -> None:
    one_a_second()
    user = a_wechat_user()
    patient = a_patient(user)
    client, band = patient_client(user), band_of(schedule)
    address = f"/m/book/{schedule.pk}/{band.pk}/"
    form = {"patient": patient.outpatient_no, "key": "once"}
    assert client.get(address).status_code == 200
    clock.shift(20 * 60)
    fill()

    assert client.get(DEPARTMENTS)["Location"].startswith("/m/wait/"), "gone for too long"
    client.cookies.pop(COOKIE)
    assert client.post(address, form)["Location"].startswith("/m/wait/")
    assert Appointment.objects.count() == 0
    clock.shift(60)
    assert client.get(address).status_code == 200
    clock.shift(20 * 60)
    fill()
    assert client.post(address, form)["Location"].startswith("/m/pay/")
    assert Appointment.objects.get().patient_id == patient.pk


def test_a_shared_page_costs_nothing_for_who_is_known(
    monkeypatch: pytest.MonkeyPatch, clock: time_machine.Traveller, schedule: Schedule
) -> None:
    monkeypatch.setattr(moment_cache, "SECONDS", 60.0)
    addresses = [
        sessions(schedule),
        f"/m/doctors/{schedule.practitioner.code}/" if schedule.practitioner else "",
        f"/m/sessions/{schedule.pk}/times/",
    ]
    first, second = (patient_client(a_wechat_user()) for _ in range(2))
    drawn = [first.get(address).content for address in addresses]
    second.get(DEPARTMENTS)

    with CaptureQueriesContext(connection) as statements:
        assert [second.get(address).content for address in addresses] == drawn
    assert [row["sql"] for row in statements] == []
    clock.shift(61)
    with CaptureQueriesContext(connection) as statements:
        second.get(addresses[0])
    assert ["django_session" in row["sql"] for row in statements] == [True, False]


def test_a_shared_page_that_went_out_goes_out_again_as_it_was(
    monkeypatch: pytest.MonkeyPatch, schedule: Schedule
) -> None:
    """Nothing further in than the page itself is asked, and nothing about the answer tells."""
    monkeypatch.setattr(moment_cache, "SECONDS", 60.0)
    first, second = (patient_client(a_wechat_user()) for _ in range(2))
    for client in (first, second):
        client.get(DEPARTMENTS)  # takes a turn
    drawn, again = (client.get(sessions(schedule)) for client in (first, second))

    assert hasattr(drawn.wsgi_request, "session")
    assert not hasattr(again.wsgi_request, "session")
    match = again.wsgi_request.resolver_match
    assert match is not None
    assert match.view_name == "scheduling-sessions"
    assert again.content == drawn.content
    assert dict(again.items()) | {"X-Request-ID": ""} == dict(drawn.items()) | {"X-Request-ID": ""}
    assert again.cookies == {}
    part = second.get(sessions(schedule), headers=HTMX)
    assert part.status_code == 200
    assert "<html" not in part.content.decode()


def test_a_page_that_went_out_is_not_for_who_brings_no_turn(
    monkeypatch: pytest.MonkeyPatch, schedule: Schedule
) -> None:
    monkeypatch.setattr(moment_cache, "SECONDS", 60.0)
    known = patient_client(a_wechat_user())
    known.get(DEPARTMENTS)
    known.get(sessions(schedule))

    stranger, forger = Client(), Client()
    forger.cookies[COOKIE] = known.cookies[COOKIE].value[:-2] + "xx"
    for client in (stranger, forger):
        answer = client.get(sessions(schedule))
        assert answer.status_code == 302
        assert answer["Location"].startswith("/m/login/")


def test_a_shared_page_looks_as_its_reader_wishes(
    monkeypatch: pytest.MonkeyPatch, schedule: Schedule
) -> None:
    monkeypatch.setattr(moment_cache, "SECONDS", 60.0)
    large, plain = a_wechat_user(), a_wechat_user()
    actor = Actor("patient", large.pk)
    identity.set_display(wechat_user_id=large.pk, care_mode=True, theme=Theme.DARK, by=actor)

    def look(user: WeChatUser) -> tuple[bool, bool]:
        text = patient_client(user).get(sessions(schedule)).content.decode()
        return "data-care" in text, 'data-theme="dark"' in text

    assert (look(large), look(plain), look(large)) == ((True, True), (False, False), (True, True))


def test_nothing_of_its_first_reader_stands_on_a_shared_page(
    monkeypatch: pytest.MonkeyPatch, schedule: Schedule
) -> None:
    """A toast waiting in somebody's session is neither shown to all nor used up."""
    monkeypatch.setattr(moment_cache, "SECONDS", 60.0)
    user = a_wechat_user()
    patient = a_patient(user)
    client = patient_client(user)
    client.post("/m/patients/default/", {"patient": patient.outpatient_no})
    before = client.session.get("_messages")

    page = client.get(sessions(schedule))

    assert [str(message) for message in get_messages(page.wsgi_request)] == []
    assert patient.name not in page.content.decode()
    assert patient.outpatient_no not in page.content.decode()
    assert client.session.get("_messages") == before


def test_somebody_blocked_sees_it_for_a_minute_at_most(
    clock: time_machine.Traveller, schedule: Schedule
) -> None:
    user = a_wechat_user()
    client = patient_client(user)
    assert client.get(sessions(schedule)).status_code == 200
    WeChatUser.objects.filter(pk=user.pk).update(is_blocked=True)

    assert client.get(f"/m/book/{schedule.pk}/{band_of(schedule).pk}/").status_code == 403
    clock.shift(dt.timedelta(seconds=61))
    assert client.get(sessions(schedule)).status_code == 403
