"""Reads about log-ins of staff: where they are open, from where they may be, who is locked out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, Q

from hospital.identity import networks
from hospital.identity.models import (
    LoginAttempt,
    SecondFactor,
    StaffAccount,
    StaffSession,
)
from hospital.identity.queries.attempts import login_failures
from hospital.identity.queries.grants import roles_of
from hospital.identity.queries.rules import rules_of
from hospital.identity.states import ADMINISTRATORS, AttemptOutcome, SecondStep
from hospital.kernel.errors import NotFound
from hospital.kernel.settings_rows import Setting

# A list nobody can read would leave everybody outside: no log-in without a code, no phone bound.
_OCTET: Final = r"(25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV4: Final = rf"{_OCTET}(\.{_OCTET}){{3}}(/(3[0-2]|[12]?\d))?"
_IPV6: Final = r"([0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(/(12[0-8]|1[01]\d|\d?\d))?"
_NETWORK: Final = rf"({_IPV4}|{_IPV6})"
HOSPITAL_NETWORKS: Final = Setting(
    key="identity.hospital_networks",
    label="院内网络（从别处登录须动态口令）",
    default="127.0.0.0/8, ::1/128, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7",
    pattern=rf"{_NETWORK}([, ]+{_NETWORK})*",
    rule="X10",
    is_policy=True,
)
_ADMINISTRATORS: Final = {role.value for role in ADMINISTRATORS}
HISTORY: Final = 20
MOST_ROWS: Final = 200


@dataclass(frozen=True)
class Locked:
    """A user name that may not try now, and until when (UTC) unless somebody unlocks it."""

    account: StaffAccount
    failures: int
    latest_at: dt.datetime
    until: dt.datetime
    addresses: list[str]


def account_at_work(*, account_id: int) -> StaffAccount | None:
    """Return an active account as the access mark needs it, in one statement.

    `open_sessions` are the ids of its log-ins without an end, `network_rules` the networks its
    roles may be used from.
    """
    opened = StaffSession.objects.filter(account=OuterRef("pk"), ended_at__isnull=True)
    rows = StaffAccount.objects.filter(pk=account_id, is_active=True)
    return rows.annotate(
        open_sessions=ArraySubquery(opened.values("pk")),
        network_rules=ArraySubquery(rules_of(OuterRef(OuterRef("pk"))).values("networks")),
    ).first()


def is_open(*, account: StaffAccount, session_id: int) -> bool:
    """Say whether a log-in of this account goes on."""
    known: list[int] | None = getattr(account, "open_sessions", None)
    if known is not None:
        return session_id in known
    return account.sessions.filter(pk=session_id, ended_at__isnull=True).exists()


def is_allowed_from(*, account: StaffAccount, address: str) -> bool:
    """Say whether every role of an account may be used from an address; no rule allows all."""
    rules: list[str] | None = getattr(account, "network_rules", None)
    if rules is None:
        rules = list(rules_of(account.pk).values_list("networks", flat=True))
    return all(networks.contains(rule, address) for rule in rules if rule)


def is_inside(*, address: str) -> bool:
    """Say whether an address belongs to the hospital's own networks."""
    return networks.contains(HOSPITAL_NETWORKS.value(), address)


def asks_second_step(*, account: StaffAccount, address: str) -> bool:
    """Say whether a password alone is too little here (X10: administrators, and from outside)."""
    return not is_inside(address=address) or bool(set(roles_of(account=account)) & _ADMINISTRATORS)


def second_step(*, account: StaffAccount, address: str) -> SecondStep:
    """What is asked after the right password."""
    if not asks_second_step(account=account, address=address):
        return SecondStep.NONE
    is_enrolled = SecondFactor.objects.filter(account=account).exists()
    return SecondStep.CODE if is_enrolled else SecondStep.ENROLMENT


def second_factor(*, account: StaffAccount) -> SecondFactor | None:
    """The factor an account proved, None when it has none."""
    return SecondFactor.objects.filter(account=account).first()


def recovery_codes_left(*, account: StaffAccount) -> int:
    """How many recovery codes still work."""
    return account.recovery_codes.filter(used_at__isnull=True).count()


def sessions_of(*, account: StaffAccount) -> list[StaffSession]:
    """The log-ins of an account: the open ones, then the latest that ended."""
    rows = StaffSession.objects.filter(account=account)
    opened = rows.filter(ended_at__isnull=True).order_by("-seen_at")
    ended = rows.filter(ended_at__isnull=False).order_by("-ended_at")
    return [*opened[:MOST_ROWS], *ended[:HISTORY]]


def open_sessions(*, text: str = "") -> list[StaffSession]:
    """Every open log-in of all staff whose name, user name or address fits, the latest first."""
    rows = StaffSession.objects.filter(ended_at__isnull=True).select_related("account")
    for word in text.split():
        rows = rows.filter(
            Q(account__display_name__icontains=word)
            | Q(account__username__istartswith=word)
            | Q(account__pinyin__istartswith=word)
            | Q(account__initials__istartswith=word)
            | Q(address__startswith=word)
        )
    return list(rows.order_by("-seen_at")[:MOST_ROWS])


def staff_session(*, session_id: int) -> StaffSession:
    """Return one log-in with its account. Raises NotFound."""
    row = StaffSession.objects.select_related("account").filter(pk=session_id).first()
    if row is None:
        raise NotFound("没有这次登录。")
    return row


def second_factors(*, text: str = "") -> list[SecondFactor]:
    """Who has bound a phone and fits a name or user name, by name."""
    rows = SecondFactor.objects.filter(account__is_active=True).select_related("account")
    for word in text.split():
        rows = rows.filter(
            Q(account__display_name__icontains=word) | Q(account__username__istartswith=word)
        )
    return list(rows.order_by("account__pinyin", "account__username")[:MOST_ROWS])


def locked_accounts(*, at: dt.datetime, minutes: int, most: int) -> list[Locked]:
    """Accounts with too many failed log-ins in the counting time, the latest first."""
    since = at - dt.timedelta(minutes=minutes)
    failed = LoginAttempt.objects.filter(
        at__gt=since, outcome=AttemptOutcome.FAILED, account__isnull=False
    )
    suspects = failed.values("account_id").annotate(n=Count("pk")).filter(n__gte=most)
    accounts = StaffAccount.objects.filter(pk__in=suspects.values("account_id"))
    found = []
    for account in accounts:
        failures = login_failures(since=since, username=account.username)
        if failures >= most:
            rows = list(failed.filter(account=account).order_by("-at")[:failures])
            # Free again when so many have grown old that fewer than the limit remain.
            frees = rows[most - 1].at + dt.timedelta(minutes=minutes)
            addresses = sorted({row.address for row in rows})
            found.append(Locked(account, failures, rows[0].at, frees, addresses))
    return sorted(found, key=lambda row: row.latest_at, reverse=True)
