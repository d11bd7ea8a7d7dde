"""A desk's or a phone's own browser window with somebody logged in, and the devices it may be."""

from __future__ import annotations

from http.cookies import Morsel
from typing import Any

from django.conf import settings
from playwright.sync_api import Browser, BrowserContext
from pytest_django.live_server_helper import LiveServer

from hospital.identity.models import StaffAccount, WeChatUser
from hospital.testing.people import patient_client, staff_client
from tests.browser.walk import DESK, PHONE

Device = dict[str, Any]

#: The smallest screen a desk has.
SMALL: Device = DESK | {"viewport": {"width": 1366, "height": 768}}
#: Added to a device where what slides and fades is to do so.
MOVING: Device = {"reduced_motion": "no-preference"}


def a_desk(
    browser: Browser, server: LiveServer, account: StaffAccount, device: Device = DESK
) -> BrowserContext:
    """The browser of a member of staff."""
    session = staff_client(account=account).cookies[settings.SESSION_COOKIE_NAME]
    return _opened(browser, server, device, "/", session)


def a_phone(
    browser: Browser, server: LiveServer, user: WeChatUser, device: Device = PHONE
) -> BrowserContext:
    """A WeChat user's phone."""
    session = patient_client(user).cookies[settings.PATIENT_COOKIE_NAME]
    return _opened(browser, server, device, "/m/", session)


def without_live(context: BrowserContext) -> None:
    """No live channel runs beside a test's server: 204 tells a page not to ask again."""
    context.route(f"{settings.LIVE_URL}/**", lambda route: route.fulfill(status=204))


def _opened(
    browser: Browser, server: LiveServer, device: Device, below: str, session: Morsel[str]
) -> BrowserContext:
    context = browser.new_context(**device, base_url=server.url)
    cookie = {"name": session.key, "value": session.value, "url": f"{server.url}{below}"}
    context.add_cookies([cookie])  # type: ignore[list-item]
    return context
