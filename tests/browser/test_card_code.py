"""The card's code on a phone that slept, and on one without a network (M11.3)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from hospital.patients.models import PatientPass
from hospital.testing.people import a_patient, a_wechat_user, patient_client
from tests.browser.walk import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Watch = Callable[[Page], Page]


@pytest.fixture
def card(browser: Browser, live_server: LiveServer) -> Page:
    user = a_wechat_user()
    patient = a_patient(user)
    context = browser.new_context(**PHONE, base_url=live_server.url)
    session = patient_client(user).cookies[settings.PATIENT_COOKIE_NAME].value
    address = f"{live_server.url}/m/"
    cookie = {"name": settings.PATIENT_COOKIE_NAME, "value": session, "url": address}
    context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    page.clock.install()
    page.goto(f"/m/patients/{patient.outpatient_no}/card/")
    return page


def code(page: Page) -> Locator:
    return page.get_by_label("就诊二维码").locator("path")


def test_a_phone_that_slept_shows_a_fresh_code_at_once(card: Page, watched: Watch) -> None:
    watched(card)
    before = code(card).get_attribute("d") or ""

    card.clock.fast_forward("10:00")  # its clocks stood still, only the time went on
    expect(code(card)).not_to_have_attribute("d", before)

    expect(card.locator("[data-pass]")).not_to_have_attribute("data-over", "")
    assert PatientPass.objects.count() == 2


def test_without_a_network_a_code_that_is_over_is_not_shown_as_one(card: Page) -> None:
    card.route("**/card/renew/", lambda route: route.abort())

    card.clock.fast_forward("00:55")
    expect(card.locator("[data-pass]")).not_to_have_attribute("data-over", "")
    card.clock.fast_forward("00:10")

    expect(card.locator("[data-pass]")).to_have_attribute("data-over", "")
    expect(card.get_by_text("这个二维码已经过期")).to_be_visible()
    card.unroute("**/card/renew/")
    card.clock.fast_forward("00:10")
    expect(card.locator("[data-pass]")).not_to_have_attribute("data-over", "")
    expect(card.get_by_text("这个二维码已经过期")).not_to_be_visible()
