"""Client credentials over HTTP: who gets a token, who does not, and what is kept of it."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client

from hospital.interop import actions as interop
from hospital.interop.models import AccessToken, CallCount, Partner, PartnerCall, PartnerSecret
from hospital.interop.states import Scope
from hospital.kernel.actors import SYSTEM
from hospital.testing.partners import BASE, Program, a_partner, a_secret
from hospital.testing.schedules import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def partner() -> Partner:
    return a_partner(code="jkzl", scopes=[Scope.SCHEDULES, Scope.SLOTS])


def asked(body: str, *, basic: str = "", kind: str = FORM) -> Any:
    headers = {}
    if basic:
        headers["Authorization"] = f"Basic {base64.b64encode(basic.encode()).decode()}"
    return Client().post(f"{BASE}/oauth/token", body, content_type=kind, headers=headers)


def test_a_secret_buys_a_token_either_way(partner: Partner) -> None:
    secret = a_secret(partner)
    by_header = asked("grant_type=client_credentials", basic=f"jkzl:{secret}")
    in_body = asked(
        f"grant_type=client_credentials&client_id=jkzl&client_secret={secret}"
        "&scope=system%2FSlot.rs"
    )

    assert (by_header.status_code, in_body.status_code) == (200, 200)
    assert by_header.headers["Cache-Control"] == "no-store"
    said = by_header.json()
    assert (said["token_type"], said["expires_in"]) == ("Bearer", 600)
    assert said["scope"] == "system/Schedule.rs system/Slot.rs"
    assert in_body.json()["scope"] == "system/Slot.rs"
    kept = str([*AccessToken.objects.values(), *PartnerSecret.objects.values()])
    assert said["access_token"] not in kept
    assert secret not in kept
    narrow = Program(partner, token=in_body.json()["access_token"])
    assert (narrow.get("/Slot").status, narrow.get("/Schedule").status) == (200, 403)


def test_whoever_cannot_prove_it_is_told_nothing_else(partner: Partner) -> None:
    secret, other = a_secret(partner), a_secret(a_partner())
    over = PartnerSecret.objects.get(partner=partner)
    grant = "grant_type=client_credentials"
    answers = [
        asked(grant, basic=f"jkzl:{other}"),
        asked(grant, basic=f"nobody:{secret}"),
        asked(grant, basic=f"jkzl:{secret[:-1]}"),
        asked(grant, basic=f"jkzl\0:{secret}\0"),
        asked(grant, basic="jkzl"),
        asked(grant),
    ]
    with time_machine.travel(over.expires_at, tick=False):
        answers.append(asked(grant, basic=f"jkzl:{secret}"))
    interop.switch_partner(
        partner_id=partner.pk, is_active=False, reason="合同到期", by=SYSTEM, at=NOW
    )
    answers.append(asked(grant, basic=f"jkzl:{secret}"))

    assert {(one.status_code, one.content) for one in answers} == {
        (401, answers[0].content),
    }
    assert answers[0].json()["error"] == "invalid_client"
    assert answers[0].headers["WWW-Authenticate"] == 'Basic realm="fhir"'
    assert not AccessToken.objects.exists()
    assert PartnerCall.objects.filter(partner=None, status=401).count() == 8


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        ("", FORM, "invalid_request"),
        ("grant_type=password", FORM, "unsupported_grant_type"),
        ("grant_type=client_credentials&grant_type=client_credentials", FORM, "invalid_request"),
        ('{"grant_type": "client_credentials"}', "application/json", "invalid_request"),
        ("grant_type=client_credentials&scope=system%2F*.rs", FORM, "invalid_scope"),
        ("grant_type=client_credentials&scope=system%2FAppointment.cu", FORM, "invalid_scope"),
    ],
)
def test_a_question_that_is_none_is_refused(
    partner: Partner, body: str, kind: str, error: str
) -> None:
    secret = a_secret(partner)
    answer = asked(body, basic=f"jkzl:{secret}", kind=kind)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert not AccessToken.objects.exists()


def test_guessing_is_slow(partner: Partner) -> None:
    secret = a_secret(partner)
    for _ in range(20):
        assert asked("grant_type=client_credentials", basic="jkzl:x").status_code == 401
    answer = asked("grant_type=client_credentials", basic=f"jkzl:{secret}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "61")
    assert not AccessToken.objects.exists()


def test_a_token_ends_with_its_secret() -> None:
    partner = a_partner()
    secret = a_secret(partner, days=1)
    late = NOW + dt.timedelta(days=1, minutes=-3)
    issued = interop.issue_token(client_id=partner.code, client_secret=secret, scopes=(), at=late)
    assert issued.seconds == 180


def test_what_is_over_is_forgotten_at_night(partner: Partner) -> None:
    program = Program(partner)
    program.get("/Slot")
    assert interop.forget_old(at=NOW + dt.timedelta(days=1)) == 0
    assert interop.forget_old(at=NOW + dt.timedelta(days=2)) == 2
    assert not AccessToken.objects.exists()
    assert not CallCount.objects.exists()
    assert PartnerCall.objects.count() == 1
    assert interop.forget_old(at=NOW + dt.timedelta(days=201)) == 1
