"""Every address wears exactly one access mark (law 6), and the net below it is in place."""

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

from hospital.identity.access import callback, public_page
from tools.inventory import Address, addresses

# Below each prefix: the marks an address there may wear. Log-in pages are public everywhere.
AUDIENCES = {
    "/m/": {"patient", "public"},
    "/staff/": {"staff", "public"},
    "/screen/": {"screen"},
    "/kiosk/": {"device", "public"},
    "/callback/": {"callback"},
    "/fhir/": {"partner", "public"},
    "/api/": {"api"},
}


def bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse("anybody may read this")


@public_page
def marked(request: HttpRequest) -> HttpResponse:
    return HttpResponse("on purpose")


def without_mark(found: list[Address]) -> list[str]:
    return [f"{one.route} ({one.place})" for one in found if one.access is None]


def test_every_address_wears_a_mark() -> None:
    assert without_mark(addresses()) == []


def test_a_bare_view_is_caught() -> None:
    found = addresses([path("open/", marked), path("forgotten/", bare)])

    assert without_mark(found) == [f"/forgotten/ ({__name__}.bare)"]


def test_a_second_mark_is_refused() -> None:
    with pytest.raises(TypeError, match="two access marks"):
        callback(marked)


def test_the_net_below_the_marks_is_installed() -> None:
    assert "hospital.identity.middleware.EveryViewIsMarked" in settings.MIDDLEWARE


def test_marks_fit_the_prefix_they_stand_under() -> None:
    strangers = [
        f"{one.route}: {one.access.kind}"
        for one in addresses()
        for prefix, kinds in AUDIENCES.items()
        if one.access and one.route.startswith(prefix) and one.access.kind not in kinds
    ]
    outside = [
        one.route
        for one in addresses()
        if not one.route.startswith(tuple(AUDIENCES)) and one.access and one.access.kind != "public"
    ]
    assert strangers == []
    assert outside == []


def test_only_what_no_cookie_opens_skips_the_csrf_check() -> None:
    exempt = {one.route for one in addresses() if getattr(one.view, "csrf_exempt", False)}
    kinds = {"callback", "partner"}  # proved by a signature, by a token
    signed = {one.route for one in addresses() if one.access and one.access.kind in kinds}

    assert exempt == signed


def test_every_address_has_a_name_of_its_own_that_begins_with_its_area() -> None:
    found = [one for one in addresses() if not one.place.startswith("config.")]
    names = [one.name for one in found]

    assert sorted(set(names)) == sorted(names)
    assert [one.route for one in found if not one.name.startswith(one.place.split(".")[0])] == []
