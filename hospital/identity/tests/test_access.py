"""The marks: who gets in, what a stranger meets, and that nothing runs without a mark."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from contextlib import suppress

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import include, path
from pytest_django import Settings

from hospital.identity import access, actions, paths
from hospital.identity.access import (
    Access,
    PatientRequest,
    StaffRequest,
    api,
    callback,
    patient_page,
    public_page,
    screen_page,
    staff_page,
)
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import Invalid, NotFound, Refusal, Stale
from hospital.patients.permissions import REVEAL
from hospital.testing.people import (
    LONG_AGO,
    a_staff,
    a_wechat_user,
    patient_client,
    staff_client,
)

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class TooLate(Refusal):
    code = "TOO_LATE"


def refuse(request: HttpRequest) -> None:
    name = request.GET.get("refuse", "")
    refusals: dict[str, Refusal] = {
        "late": TooLate("来晚了。"),
        "stale": Stale(),
        "missing": NotFound(),
        "invalid": Invalid({"phone": ["请填写手机号。"]}),
    }
    if name:
        raise refusals[name]


@patient_page
def patient_view(request: PatientRequest) -> HttpResponse:
    refuse(request)
    return HttpResponse(f"{request.actor} {request.wechat_user.pk}")


@staff_page(REVEAL)
def staff_view(request: StaffRequest) -> HttpResponse:
    refuse(request)
    return HttpResponse(f"{request.actor} {request.user.pk}")


@api(REVEAL)
def api_view(request: StaffRequest) -> HttpResponse:
    refuse(request)
    return HttpResponse(str(request.actor))


@screen_page
def screen_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("screen")


@callback
def callback_view(request: HttpRequest) -> HttpResponse:
    refuse(request)
    return HttpResponse("stored")


@patient_page
def overtaken_view(request: PatientRequest) -> HttpResponse:
    Session.objects.all().delete()
    request.session["late"] = True
    return HttpResponse()


@patient_page
def cut_off_view(request: PatientRequest) -> HttpResponse:
    request.session["late"] = True
    with suppress(OperationalError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    return HttpResponse()


@public_page
def public_view(request: HttpRequest) -> HttpResponse:
    refuse(request)
    return HttpResponse(access.client_address(request))


def bare_view(request: HttpRequest) -> HttpResponse:
    raise AssertionError("an unmarked view ran")


urlpatterns = [
    path("m/page/", patient_view, name="patient"),
    path("m/overtaken/", overtaken_view),
    path("m/cut-off/", cut_off_view),
    path("staff/page/", staff_view),
    path("api/page/", api_view),
    path("screen/page/", screen_view),
    path("callback/page/", callback_view),
    path("page/", public_view),
    path("bare/", bare_view),
    path("", include("hospital.config.urls")),
]
handler400 = "hospital.ui.errors.bad_request"
handler500 = "hospital.ui.errors.server_error"


def test_every_mark_can_be_read_from_its_view() -> None:
    marks: list[tuple[Callable[..., object], Access]] = [
        (patient_view, Access("patient")),
        (staff_view, Access("staff", REVEAL)),
        (api_view, Access("api", REVEAL)),
        (screen_view, Access("screen")),
        (callback_view, Access("callback")),
        (public_view, Access("public")),
    ]
    for view, mark in marks:
        assert access.access_of(view) == mark
        assert vars(view)["login_required"] is False
    assert access.access_of(bare_view) is None


def test_a_view_with_two_marks_fails_at_import() -> None:
    with pytest.raises(TypeError, match="two access marks"):
        patient_page(public_view)


def test_an_unmarked_view_never_runs(client: Client) -> None:
    assert client.get("/bare/").status_code == 403


def test_a_patient_gets_in_as_the_wechat_user() -> None:
    user = a_wechat_user()

    answer = patient_client(user).get("/m/page/")

    assert answer.content.decode() == f"patient:{user.pk} {user.pk}"


def test_without_a_log_in_a_patient_goes_to_wechat_and_comes_back(client: Client) -> None:
    answer = client.get("/m/page/?day=3")

    assert answer.status_code == 302
    assert answer["Location"] == "/m/login/?next=%2Fm%2Fpage%2F%3Fday%3D3"


def test_a_form_cannot_be_come_back_to_but_its_page_can(client: Client) -> None:
    from_page = client.post("/m/page/", headers={"referer": "http://testserver/m/shown/?a=1"})
    from_elsewhere = client.post("/m/page/", headers={"referer": "https://evil.example/m/shown/"})

    assert from_page["Location"] == "/m/login/?next=%2Fm%2Fshown%2F%3Fa%3D1"
    assert from_elsewhere["Location"] == "/m/login/?next=%2Fm%2F"


def test_htmx_is_sent_to_log_in_with_its_whole_page(client: Client) -> None:
    answer = client.get(
        "/m/page/",
        headers={"hx-request": "true", "hx-current-url": "http://testserver/m/shown/"},
    )

    assert answer["HX-Redirect"] == "/m/login/?next=%2Fm%2Fshown%2F"


def test_a_blocked_user_reads_where_to_go() -> None:
    user = a_wechat_user()
    client = patient_client(user)
    actions.set_blocked(
        wechat_user_id=user.pk, is_blocked=True, reason="倒号", by=SYSTEM, at=LONG_AGO
    )

    answer = client.get("/m/page/")

    assert answer.status_code == 403
    assert "门诊办公室" in answer.content.decode()


def test_a_session_that_ended_meanwhile_is_not_brought_back() -> None:
    client = patient_client(a_wechat_user())

    client.raise_request_exception = False

    answer = client.get("/m/overtaken/")

    assert answer.status_code == 400
    assert "这一页已经失效" in answer.content.decode()
    assert not Session.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_dies_under_a_request_is_no_ended_session() -> None:
    client = patient_client(a_wechat_user())
    client.raise_request_exception = False

    answer = client.get("/m/cut-off/")
    connection.close()

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "系统暂时连不上" in answer.content.decode()
    assert client.get("/m/page/").status_code == 200  # reloaded: still logged in
    assert "late" not in client.session


@pytest.mark.django_db(transaction=True)
def test_a_database_nobody_reaches_is_said_so_and_ends_no_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = patient_client(a_wechat_user())
    client.raise_request_exception = False
    connection.close()
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "HOST", "/nonexistent")
        answer = client.get("/m/page/")

    assert answer.status_code == 503
    assert "xinglin_patient" not in answer.cookies
    assert client.get("/m/page/").status_code == 200


def test_a_bug_stays_a_bug(client: Client) -> None:
    with pytest.raises(KeyError):
        client.get("/page/?refuse=nonsense")


def test_a_deleted_session_is_no_log_in() -> None:
    client = Client()
    client.cookies["xinglin_patient"] = "x" * 32

    assert client.get("/m/page/").status_code == 302


def test_staff_with_the_permission_gets_in() -> None:
    account = a_staff(Role.REGISTRATION_CLERK)

    answer = staff_client(account=account).get("/staff/page/")

    assert answer.content.decode() == f"staff:{account.pk} {account.pk}"


def test_staff_without_the_permission_reads_which_one_is_missing() -> None:
    answer = staff_client(Role.DOCTOR).get("/staff/page/")

    assert answer.status_code == 403
    assert REVEAL.label in answer.content.decode()


def test_staff_without_a_log_in_goes_to_the_log_in_page(client: Client) -> None:
    assert client.get("/staff/page/")["Location"] == "/staff/login/?next=%2Fstaff%2Fpage%2F"
    assert client.get("/api/page/").status_code == 401


def test_a_switched_off_account_is_out_at_once() -> None:
    account = a_staff(Role.REGISTRATION_CLERK)
    client = staff_client(account=account)
    type(account).objects.filter(pk=account.pk).update(is_active=False)

    assert client.get("/staff/page/").status_code == 302


def test_a_quarter_of_an_hour_without_a_click_locks_the_log_in() -> None:
    client = staff_client(Role.REGISTRATION_CLERK)
    start = clock.now()
    with time_machine.travel(start + dt.timedelta(minutes=14)):
        assert client.get("/staff/page/").status_code == 200
    with time_machine.travel(start + dt.timedelta(minutes=28)):
        assert client.get("/staff/page/").status_code == 200
    with time_machine.travel(start + dt.timedelta(minutes=44)):
        assert client.get("/staff/page/").status_code == 302
        assert client.get("/staff/page/").status_code == 302


def test_a_clock_that_was_set_back_keeps_nobody_awake() -> None:
    with time_machine.travel(dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)):
        client = staff_client(Role.REGISTRATION_CLERK)
    with time_machine.travel(dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)):
        assert client.get("/staff/page/").status_code == 302
    with time_machine.travel(dt.datetime(2026, 11, 23, 1, 59, tzinfo=dt.UTC)):
        assert client.get("/staff/page/").status_code == 200  # another server, a minute behind


def test_no_program_works_with_a_password_somebody_else_gave() -> None:
    account = a_staff(Role.REGISTRATION_CLERK)
    client = staff_client(account=account)
    assert client.get("/api/page/").status_code == 200

    type(account).objects.update(must_change_password=True)

    answer = client.get("/api/page/")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (403, "PASSWORD_FIRST")


def test_a_page_that_refreshes_itself_does_not_keep_staff_logged_in() -> None:
    client = staff_client(Role.REGISTRATION_CLERK)
    start = clock.now()
    with time_machine.travel(start + dt.timedelta(minutes=14)):
        assert client.get("/staff/page/", headers={"x-live": "1"}).status_code == 200
    with time_machine.travel(start + dt.timedelta(minutes=16)):
        assert client.get("/staff/page/", headers={"x-live": "1"}).status_code == 302


def test_a_patient_is_no_staff_and_staff_is_no_patient() -> None:
    assert patient_client(a_wechat_user()).get("/staff/page/").status_code == 302
    assert staff_client(Role.REGISTRATION_CLERK).get("/m/page/").status_code == 302


def test_the_two_sessions_live_side_by_side_in_one_browser() -> None:
    user, account = a_wechat_user(), a_staff(Role.REGISTRATION_CLERK)
    client = staff_client(account=account)
    client.cookies["xinglin_patient"] = patient_client(user).cookies["xinglin_patient"].value

    assert client.get("/m/page/").content.decode() == f"patient:{user.pk} {user.pk}"
    assert client.get("/staff/page/").content.decode() == f"staff:{account.pk} {account.pk}"


def test_a_screen_is_read_only(client: Client) -> None:
    assert client.get("/screen/page/").content == b"screen"
    assert client.post("/screen/page/").status_code == 405


def test_only_callbacks_do_without_a_csrf_token() -> None:
    strict = Client(enforce_csrf_checks=True)

    assert strict.post("/callback/page/").content == b"stored"
    assert strict.post("/page/").status_code == 403


@pytest.mark.parametrize(
    ("refusal", "status", "sentence"),
    [
        ("late", 409, "来晚了。"),
        ("stale", 409, "请刷新后重试"),
        ("missing", 404, "没有找到"),
        ("invalid", 422, "请填写手机号。"),
    ],
)
def test_a_refusal_is_answered_for_each_audience(refusal: str, status: int, sentence: str) -> None:
    patient, staff = patient_client(a_wechat_user()), staff_client(Role.REGISTRATION_CLERK)
    for client, address in ((patient, "/m/page/"), (staff, "/staff/page/"), (Client(), "/page/")):
        page = client.get(address, {"refuse": refusal})
        fragment = client.get(address, {"refuse": refusal}, headers={"hx-request": "true"})

        assert page.status_code == fragment.status_code == status
        assert sentence in page.content.decode()
        assert sentence in fragment.content.decode()
        assert "<html" in page.content.decode()
        assert "<html" not in fragment.content.decode()
        assert fragment["X-Refusal"]


def test_a_refusal_to_a_program_is_json() -> None:
    client = staff_client(Role.REGISTRATION_CLERK)

    late = client.get("/api/page/?refuse=late")
    invalid = client.get("/callback/page/?refuse=invalid")

    assert (late.status_code, json.loads(late.content)) == (
        409,
        {"code": "TOO_LATE", "message": "来晚了。"},
    )
    assert invalid.status_code == 422
    assert json.loads(invalid.content)["errors"] == {"phone": ["请填写手机号。"]}


@pytest.mark.parametrize(
    ("text", "home", "path"),
    [
        ("/m/visits/?day=1", "/m/", "/m/visits/?day=1"),
        ("/staff/desk/", "/staff/", "/staff/desk/"),
        (None, "/m/", "/m/"),
        ("", "/m/", "/m/"),
        ("/staff/desk/", "/m/", "/m/"),
        ("https://evil.example/m/", "/m/", "/m/"),
        ("//evil.example/m/", "/m/", "/m/"),
        ("/m/../staff/desk/", "/m/", "/m/"),
        ("/m/%2e%2E/staff/desk/", "/m/", "/m/"),
        ("/m/.%2e/staff/desk/", "/m/", "/m/"),
        ("/m//evil.example", "/m/", "/m//evil.example"),
        ("/m/\\evil.example\n", "/m/", "/m/"),
        ("javascript:alert(1)", "/m/", "/m/"),
        ("/m/" + "a" * 600, "/m/", "/m/"),
    ],
)
def test_only_own_paths_are_gone_to(text: str | None, home: str, path: str) -> None:
    assert paths.own_path(text, home=home) == path


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "6.6.6.6", "10.0.0.9"),
        (1, "6.6.6.6, 203.0.113.5", "203.0.113.5"),
        (2, "6.6.6.6, 203.0.113.5, 10.0.0.2", "203.0.113.5"),
        (1, "", "10.0.0.9"),
        (1, "nonsense", "0.0.0.0"),
        (1, "6.6.6.6, unknown", "0.0.0.0"),
        (1, "203.0.113.5:4711", "203.0.113.5"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "fe80::1%eth0", "fe80::1"),
        (1, "::ffff:203.0.113.5", "203.0.113.5"),
        (2, "203.0.113.5", "10.0.0.9"),
    ],
)
def test_only_our_own_proxies_are_believed(
    settings: Settings, rf: RequestFactory, proxies: int, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = rf.get("/", REMOTE_ADDR="10.0.0.9", headers={"x-forwarded-for": forwarded})

    assert access.client_address(request) == address
