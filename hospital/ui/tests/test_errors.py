"""The error pages, 400 to 503: right audience, right status, no database behind them."""

import json

import pytest
from django.db import InterfaceError, OperationalError
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from hospital.ui import errors


@pytest.mark.parametrize(
    ("path", "mark", "home"),
    [
        ("/m/x/", 'data-audience="patient"', "/m/"),
        ("/staff/x/", 'data-audience="staff"', "/staff/"),
    ],
)
def test_pages_speak_to_their_audience(path: str, mark: str, home: str) -> None:
    request = RequestFactory().get(path)
    for view, status in (
        (errors.not_found, 404),
        (errors.bad_request, 400),
        (errors.forbidden, 403),
        (errors.only_a_step, 405),
    ):
        response = view(request)
        html = response.content.decode()
        assert response.status_code == status
        assert mark in html
        assert f'href="{home}"' in html


def test_large_type_keeps_its_telephone_when_something_goes_wrong(settings: Settings) -> None:
    settings.HOSPITAL_PHONE = "0750-8888888"
    usual = RequestFactory().get("/m/x/")
    large = RequestFactory().get("/m/x/", headers={"Cookie": "care=1"})

    for view in (errors.not_found, errors.forbidden, errors.server_error):
        assert 'href="tel:0750-8888888"' in view(large).content.decode()
        assert "x-help" not in view(usual).content.decode()


def test_a_crash_says_what_is_safe_and_offers_to_try_again() -> None:
    response = errors.server_error(RequestFactory().get("/m/pay/?x=1"))
    html = response.content.decode()
    assert response.status_code == 500
    assert "不受影响" in html
    assert 'href="">重新加载' in html  # the address itself may hold what somebody typed
    assert "x=1" not in html


@pytest.mark.parametrize("failure", [OperationalError, InterfaceError])
def test_a_database_that_is_away_is_no_bug(failure: type[Exception]) -> None:
    try:
        raise failure
    except (OperationalError, InterfaceError):
        response = errors.server_error(RequestFactory().get("/staff/"))
    html = response.content.decode()
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert 'href="">重新加载' in html
    assert "先看一下办成了没有" in html


def test_programs_get_json() -> None:
    response = errors.not_found(RequestFactory().get("/api/x"))
    assert json.loads(response.content)["code"] == "NOT_FOUND"


def test_a_stale_form_is_answered_in_chinese() -> None:
    response = errors.csrf_failure(RequestFactory().post("/m/x/"), reason="no cookie")
    assert response.status_code == 403
    assert "过期" in response.content.decode()
