"""Chapter 7's function matrix over every staff address: each role is let in where the matrix says
so, and everywhere else turned away with nothing changed (acceptance 1 of the roles).

One world, one test: whoever adds an address gets every role tried at it without doing anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import pytest
import time_machine
from django.contrib.sessions.backends.base import SessionBase
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.urls import resolve, reverse

from hospital.identity import access, queries
from hospital.identity.function_matrix import FUNCTIONS
from hospital.identity.models import StaffAccount
from hospital.identity.permissions import SIGNED_IN
from hospital.identity.states import Role
from hospital.kernel import moment_cache
from hospital.kernel.errors import NotAllowed
from hospital.kernel.models import AuditEntry, AuditResult
from hospital.testing.people import staff_client
from hospital.testing.schedules import NOW
from hospital.testing.wechat import StandIn
from tests.journeys.matrix_world import DEEDS, NOTHING_THERE, OWN_THINGS, World, a_world
from tools.inventory import Address, addresses, own_models

#: What a visit itself writes: who came, and that somebody was turned away.
FOOTPRINTS: Final = {"kernel_auditentry", "identity_staffsession", "kernel_rushline"}
#: A form that is sent empty is told so; a thing whose moment has passed says that.
TOLD: Final = {HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
#: Two kinds of administrators open these pages, and each may change only some of it.
SHARED_FORMS: Final = {"identity-person", "desk-setting-change"}


@dataclass
class Door:
    """A staff address with real identifiers, who may open it, and how it may be asked."""

    address: Address
    path: str
    allowed: list[Role]
    body: dict[str, str]
    methods: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, address: Address, world: World) -> Door:
        assert address.access is not None
        assert address.access.permission is not None
        path = reverse(address.name, kwargs=world.path_arguments(address))
        allowed = allowed_roles(address.access.permission.code)
        return cls(address, path, allowed, world.body(address))


def allowed_roles(permission: str) -> list[Role]:
    """Who the matrix lets in."""
    return [role for one in FUNCTIONS if permission in one.permissions for role in one.roles]


def staff_addresses() -> list[Address]:
    return [one for one in addresses() if one.access and one.access.kind == "staff"]


@contextmanager
def taken_back() -> Iterator[None]:
    """What happens inside did not happen. A plain savepoint: gateways insist on no transaction."""
    point = transaction.savepoint()
    yield
    transaction.savepoint_rollback(point)


def state_of_everything() -> str:
    """A digest of every row of every table but the footprints."""
    tables = sorted({model._meta.db_table for model in own_models()} - FOOTPRINTS)
    sums = " UNION ALL ".join(
        f"SELECT '{table}', count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {table} t"
        for table in tables
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT md5(string_agg(x::text, ',')) FROM ({sums}) x")
        return str(cursor.fetchone()[0])


def is_well(address: Address, method: str, status: int) -> bool:
    """Whether an answer is one that somebody who may do it should get."""
    if status == HTTPStatus.NOT_FOUND:
        return address.name in NOTHING_THERE | OWN_THINGS
    if status == HTTPStatus.FORBIDDEN:
        return method == "POST" and address.name in SHARED_FORMS
    return status < HTTPStatus.BAD_REQUEST or status in TOLD


def tried(client: Client, method: str, path: str, body: Mapping[str, str] | None = None) -> int:
    with taken_back():
        answer = client.get(path) if method == "GET" else client.post(path, dict(body or {}))
    return int(answer.status_code)


def did(client: Client, path: str, body: Mapping[str, str]) -> bool:
    """Whether a filled-in form was answered well and its act audited, then take it back."""
    done = AuditEntry.objects.exclude(result=AuditResult.REFUSED)
    before = done.count()
    with taken_back():
        status = client.post(path, dict(body)).status_code
        return status < HTTPStatus.BAD_REQUEST and done.count() > before


@pytest.fixture
def world(db: None, wechat: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with time_machine.travel(NOW, tick=False):
        made = a_world()
        monkeypatch.setattr(moment_cache, "SECONDS", 3600.0)
        yield made


@dataclass
class Visitor:
    """Somebody of a role, logged in: as a browser, and as what a request knows of them."""

    account: StaffAccount
    client: Client
    session: SessionBase

    @classmethod
    def of(cls, account: StaffAccount) -> Visitor:
        client = staff_client(account=account)
        client.raise_request_exception = False
        return cls(account, client, client.session)


@pytest.fixture
def visitors(world: World) -> dict[Role, Visitor]:
    return {role: Visitor.of(account) for role, account in world.accounts.items()}


@pytest.mark.slow
def test_the_function_matrix_holds_at_every_address(
    world: World, visitors: dict[Role, Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    doors = [Door.of(one, world) for one in staff_addresses()]
    let_in = [answer for door in doors for answer in _let_in(door, visitors)]
    before, entries = state_of_everything(), AuditEntry.objects.count()
    turned_away = [answer for door in doors for answer in _turned_away(door, visitors)]
    monkeypatch.setattr(access, "_staff_account", lambda request: request.user)
    turned_away += [answer for door in doors for answer in _stopped(door, visitors)]

    assert [line for line in let_in + turned_away if line] == []
    assert len(turned_away) > len(doors) * len(Role) / 2
    assert state_of_everything() == before
    written = AuditEntry.objects.order_by("pk")[entries:].values_list("act", "result")
    assert set(written) == {("identity.refused", "refused")}


def test_a_permission_nobody_may_use_turns_everybody_away() -> None:
    assert allowed_roles("nobody.may") == []
    assert allowed_roles("identity.approve_access") == [Role.SECURITY_ADMIN]


def test_a_changed_row_is_seen(world: World) -> None:
    before = state_of_everything()
    account = world.accounts[Role.CASHIER]
    account.display_name = "改过的名字"
    account.save(update_fields=["display_name"])

    assert state_of_everything() != before


def _let_in(door: Door, visitors: dict[Role, Visitor]) -> Iterator[str]:
    """For each role that may, and each way of asking: nothing, or what went wrong.

    What everybody may open is opened by a few; that the others hold the right is enough.
    """
    is_for_all = len(door.allowed) == len(Role)
    for role in door.allowed[::6] if is_for_all else door.allowed:
        client = visitors[role].client
        door.methods = door.methods or _methods(client, door.path)
        for method in door.methods:
            status = tried(client, method, door.path, door.body)
            well = is_well(door.address, method, status)
            yield "" if well else f"{role} may {method} {door.path}: {status}"
        if door.address.name in DEEDS:
            is_done = did(client, door.path, door.body)
            yield "" if is_done else f"{role} sends {door.path}, and nothing is done"
    for role in door.allowed if is_for_all else ():
        holds = queries.may(visitors[role].account, SIGNED_IN)
        yield "" if holds else f"{role} may not even sign in"


def _turned_away(door: Door, visitors: dict[Role, Visitor]) -> Iterator[str]:
    """For a role that may not, through the whole of HTTP: nothing, or what went wrong.

    The way of asking that would change something is tried.
    """
    for role in _strangers(door)[:1]:
        client = visitors[role].client
        answer = client.post(door.path) if "POST" in door.methods else client.get(door.path)
        is_out = answer.status_code in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
        yield "" if is_out else f"{role} may not {door.path}: {answer.status_code}"


def _stopped(door: Door, visitors: dict[Role, Visitor]) -> Iterator[str]:
    """For every other role that may not: nothing, or what went wrong.

    They stand before the marked view itself, which is what decides, and are known to be logged in.
    """
    request, match = RequestFactory().post(door.path), resolve(door.path)
    request.resolver_match = match
    for role in _strangers(door)[1:]:
        request.session, request.user = visitors[role].session, visitors[role].account
        try:
            answer = match.func(request, *match.args, **match.kwargs)
        except NotAllowed:
            yield ""
        else:
            yield f"{role} may not {door.path}: {answer.status_code}"


def _strangers(door: Door) -> list[Role]:
    return [role for role in Role if role not in door.allowed]


def _methods(client: Client, path: str) -> list[str]:
    """What an address understands: to be looked at, to be acted upon, or both."""
    refused = HTTPStatus.METHOD_NOT_ALLOWED
    return [method for method in ("GET", "POST") if tried(client, method, path) != refused]
