"""Machines read these: ready when it can serve, and figures only for the hospital's networks."""

import datetime as dt

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from hospital.kernel import audit, clock, shared_tokens

TOKEN = "wechat.access_token"


@pytest.mark.django_db
def test_a_token_nobody_needed_for_hours_takes_no_traffic_away(client: Client) -> None:
    shared_tokens.token(TOKEN, lambda: ("made up", dt.timedelta(hours=-1)))
    assert shared_tokens.time_left(TOKEN) < dt.timedelta()  # type: ignore[operator]

    answer = client.get("/readyz")

    assert answer.status_code == 200, answer.content
    assert "fetched when next needed" in answer.json()["wechat_token"]


@pytest.mark.django_db
def test_figures_are_not_for_those_behind_our_own_proxy(client: Client, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1

    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404


@pytest.mark.django_db
def test_figures_tell_how_the_audit_trail_stands(client: Client) -> None:
    def faults() -> str:
        lines = client.get("/metrics").content.decode().splitlines()
        return next(line for line in lines if line.startswith("xinglin_audit_faults")).split()[1]

    at = clock.now()
    assert faults() == "NaN"
    audit.keep(audit.verify(at=at), at=at)
    assert faults() == "0.0"
    audit.keep(audit.verify(at=at, anchors=audit.Anchors({"0" * 64: 9})), at=at)
    assert faults() == "1.0"
