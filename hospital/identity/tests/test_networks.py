"""From where a role may be used: at log-in and with every request; nobody locks themselves out."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from hospital.identity import actions, networks, queries
from hospital.identity.models import NetworkRule, StaffSession
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid
from hospital.kernel.models import AuditEntry
from hospital.kernel.settings_rows import set_value
from hospital.testing.people import PASSWORD, a_staff, staff_client

pytestmark = pytest.mark.django_db
PAGE = "/staff/password/"


def rule(role: str, text: str, *, address: str = "127.0.0.1") -> bool:
    return actions.set_networks(
        role=role, text=text, reason="规定", address=address, by=SYSTEM, at=clock.now()
    )


@pytest.mark.parametrize(
    ("text", "address", "is_inside"),
    [
        ("10.1.0.0/16", "10.1.255.255", True),
        ("10.1.0.0/16", "10.2.0.1", False),
        ("10.1.0.0/16, 192.168.3.7", "192.168.3.7", True),
        ("10.1.0.0/16", "::ffff:10.1.2.3", True),
        ("fc00::/7", "10.1.2.3", False),
        ("", "10.1.2.3", False),
        ("nonsense", "10.1.2.3", False),
    ],
)
def test_a_network_holds_its_addresses(text: str, address: str, is_inside: bool) -> None:  # noqa: FBT001
    assert networks.contains(text, address) is is_inside


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.0.0/8",
        "10.0.0.256",
        "10.0.0.0/33",
        "10.0.0.1-9",
        "hospital",
        "10.0.0.0/8;::1",
        "f::/129",
    ],
)
def test_hospital_networks_nobody_could_read_are_not_set(text: str) -> None:
    with pytest.raises(Invalid):
        set_value(setting=queries.HOSPITAL_NETWORKS, value=text, by=SYSTEM, at=clock.now())

    assert queries.is_inside(address="10.0.0.1")


@pytest.mark.parametrize("text", ["10.0.0.0/8, ::1", "192.168.0.7 fc00::/7", "2001:db8:1::/48"])
def test_hospital_networks_are_set_as_people_write_them(text: str) -> None:
    set_value(setting=queries.HOSPITAL_NETWORKS, value=text, by=SYSTEM, at=clock.now())

    assert queries.is_inside(address=re.split("[,/ ]", text)[0])


def test_a_role_is_used_from_its_networks_only() -> None:
    a_staff(Role.CASHIER, username="cashier")
    rule(Role.CASHIER, "10.1.2.0/24")
    typed = {"username": "cashier", "password": PASSWORD}
    client = Client()

    refused = client.post("/staff/login/", typed)
    assert refused.status_code == 422
    assert "规定的电脑" in refused.content.decode()
    assert not StaffSession.objects.exists()
    wrong = client.post("/staff/login/", typed | {"password": "x"})
    assert "规定的电脑" not in wrong.content.decode()

    assert client.post("/staff/login/", typed, REMOTE_ADDR="10.1.2.9").status_code == 302
    assert client.get(PAGE, REMOTE_ADDR="10.1.2.9").status_code == 200
    assert client.get(PAGE, REMOTE_ADDR="10.1.3.9").status_code == 302
    assert client.get(PAGE, REMOTE_ADDR="10.1.2.9").status_code == 200


def test_what_is_lent_works_only_where_the_lenders_role_does() -> None:
    giver, taker = a_staff(Role.CASHIER), a_staff(Role.TRIAGE_NURSE)
    at = clock.now()
    actions.lend(
        giver=giver,
        taker_id=taker.pk,
        permissions=["payments.collect"],
        begins_at=at,
        ends_at=at + dt.timedelta(hours=1),
        reason="请假",
        by=Actor("staff", giver.pk),
        at=at,
    )
    nurse = staff_client(account=taker)
    assert nurse.get("/staff/collect/").status_code == 200

    rule(Role.CASHIER, "10.1.2.0/24")

    assert nurse.get("/staff/collect/").status_code == 403
    assert nurse.get(PAGE).status_code == 200  # the own work goes on
    assert nurse.get("/staff/collect/", REMOTE_ADDR="10.1.2.9").status_code == 200


def test_a_new_rule_holds_for_open_pages_and_the_newest_counts() -> None:
    cashier, clerk = staff_client(Role.CASHIER), staff_client(Role.REGISTRATION_CLERK)

    assert rule(Role.CASHIER, "10.1.2.0/24")
    assert cashier.get(PAGE).status_code == 302
    assert clerk.get(PAGE).status_code == 200
    assert rule(Role.CASHIER, "10.1.2.0/24，127.0.0.1")
    assert cashier.get(PAGE).status_code == 200
    assert not rule(Role.CASHIER, "10.1.2.0/24 127.0.0.1/32")
    assert rule(Role.CASHIER, "")

    assert queries.network_rules()[Role.CASHIER].networks == ""
    assert NetworkRule.objects.count() == 3
    assert AuditEntry.objects.filter(act="identity.set_networks").count() == 3


@pytest.mark.parametrize(
    ("role", "text", "reason"),
    [
        ("queen", "10.0.0.0/8", "x"),
        ("cashier", "10.0.0.0/99", "x"),
        ("cashier", "window 3", "x"),
        ("cashier", "10.0.0.0/8", " "),
        ("cashier", ", ".join(f"10.1.{number}.0/24" for number in range(60)), "x"),
    ],
)
def test_what_is_no_rule_is_refused(role: str, text: str, reason: str) -> None:
    with pytest.raises(Invalid):
        actions.set_networks(
            role=role, text=text, reason=reason, address="10.0.0.1", by=SYSTEM, at=clock.now()
        )

    assert not NetworkRule.objects.exists()


def test_the_security_administrator_cannot_lock_out_the_own_role() -> None:
    client = staff_client(Role.SECURITY_ADMIN)
    address = "/staff/log-ins/networks/security_admin/"

    refused = client.post(address, {"networks": "10.1.2.0/24", "reason": "误"})
    assert refused.status_code == 422
    assert "关在外面" in refused.content.decode()
    assert not NetworkRule.objects.exists()

    assert client.post(address, {"networks": "127.0.0.0/8", "reason": "机房"}).status_code == 302
    page = client.get("/staff/log-ins/networks/").content.decode()
    assert "127.0.0.0/8" in page
    assert "机房" in client.get(address).content.decode()
    for role in (Role.SYSTEM_ADMIN, Role.AUDIT_ADMIN, Role.CASHIER):
        assert staff_client(role).get(address).status_code == 403
    assert client.get("/staff/log-ins/networks/queen/").status_code == 404


def test_rules_are_kept_for_ever() -> None:
    rule(Role.CASHIER, "10.1.2.0/24")

    for statement in (
        "UPDATE identity_networkrule SET networks = ''",
        "DELETE FROM identity_networkrule",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    assert NetworkRule.objects.get().networks == "10.1.2.0/24"
