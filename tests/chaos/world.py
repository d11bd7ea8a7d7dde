"""The hospital of a run: short holds, a few sessions with too few numbers, its staff, and people
logged in."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hospital.catalogue.models import ServiceType

CSRF: Final = "c" * 32
BANDS: Final = 2
#: What a session costs, line by line, in fen.
FEES_FEN: Final = ((2500,), (1800, 700), (5000, 1500, 900), (1,), (12345, 3000))
HOLD_MINUTES: Final = 2
#: Above this a refund takes two persons, and a scanned payment code asks for the password.
APPROVAL_ABOVE_FEN: Final = 2000
PASSWORD_ABOVE_FEN: Final = 6000
STAFF_TABLE: Final = Path(__file__).resolve().parents[2] / "demo" / "tables" / "staff.csv"
#: Of the demo's staff, those whom money passes through.
ROLES: Final = {
    "挂号员": "registration_clerk",
    "收费员": "cashier",
    "财务": "finance",
    "收费主管": "cashier_supervisor",
}


@dataclass(frozen=True)
class Clinic:
    """A session on the web: its id and its bands' ids."""

    schedule_id: int
    band_ids: tuple[int, ...]


@dataclass(frozen=True)
class Person:
    """Somebody logged in: openid and cookies."""

    openid: str
    cookies: dict[str, str]


@dataclass(frozen=True)
class Account:
    """What a member of staff types into the log-in page."""

    username: str
    password: str


def environment(folder: Path, *, database: str, web: str, live: str) -> dict[str, str]:
    """What every process of the hospital gets."""
    templates = Path(__file__).resolve().parents[2] / "demo" / "wechat_templates.json"
    return {
        "DATA": str(folder / "data"),
        "DATABASE_URL": database,
        "PUBLIC_URL": web,
        "LIVE_URL": live,
        "WECHAT_CONFIG_FILE": str(folder / "wechat.json"),
        "WECHAT_TEMPLATES_FILE": str(templates),
        "LOG_LEVEL": "INFO",
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "hospital.config.settings",
    }


def make_tables() -> None:
    """Every migration."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def shorten_waits() -> None:
    """What waits for minutes waits as briefly as the rules let it."""
    from hospital.kernel import clock
    from hospital.kernel.actors import SYSTEM
    from hospital.kernel.settings_rows import set_value
    from hospital.messaging import thresholds as messaging
    from hospital.payments import thresholds as payments
    from hospital.registration import thresholds as registration
    from hospital.scheduling import thresholds as scheduling

    for setting, value in (
        (registration.HOLD_MINUTES, HOLD_MINUTES),
        (registration.REMIND_MINUTES, 1),
        (scheduling.RECLAIM_MINUTES_MIN, 0),
        (scheduling.RECLAIM_MINUTES_MAX, 1),
        (payments.APPROVAL_ABOVE_FEN, APPROVAL_ABOVE_FEN),
        # A run at night must not wait for the morning.
        (messaging.QUIET_FROM, "00:00"),
        (messaging.QUIET_UNTIL, "00:00"),
    ):
        set_value(setting=setting, value=value, by=SYSTEM, at=clock.now())


def clinics(count: int, *, numbers: int) -> list[Clinic]:
    """Sessions of two bands, each in a department of its own, on the days after tomorrow."""
    from hospital.kernel import clock
    from hospital.testing.organisation import a_department
    from hospital.testing.schedules import a_released_schedule

    made = []
    for place in range(count):
        schedule = a_released_schedule(
            day=clock.today() + dt.timedelta(days=2 + place % 4),
            department=a_department(),
            capacity=numbers,
            band_minutes=240 // BANDS,
            service_type=_service_type(FEES_FEN[place % len(FEES_FEN)]),
            at=clock.now(),
        )
        bands = schedule.bands.order_by("starts_at").values_list("pk", flat=True)
        made.append(Clinic(schedule.pk, tuple(bands)))
    return made


def staff() -> dict[str, Account]:
    """The demo's own staff as its table names them, by user name."""
    from hospital.identity import actions as identity
    from hospital.kernel import clock
    from hospital.kernel.actors import SYSTEM

    made = {}
    with STAFF_TABLE.open(encoding="utf-8", newline="") as table:
        for line in csv.DictReader(table):
            if line["角色"] not in ROLES:
                continue
            account = Account(line["登录名"], line["初始密码"])
            identity.save_staff(
                username=account.username,
                display_name=line["姓名"],
                roles=[ROLES[line["角色"]]],
                initial_password=account.password,
                must_change_password=False,
                by=SYSTEM,
                at=clock.now(),
            )
            made[account.username] = account
    return made


def _service_type(lines_fen: tuple[int, ...]) -> ServiceType:
    """A 号别 whose fee has these lines."""
    from hospital.catalogue import actions as catalogue
    from hospital.kernel import clock
    from hospital.kernel.actors import SYSTEM
    from hospital.testing.organisation import PRICED_SINCE, a_price_item, a_service_type

    made = a_service_type(fee_fen=None)
    catalogue.save_service_fee(
        service_type=made.code,
        title=None,
        price_items=[a_price_item(price_fen=fen).code for fen in lines_fen],
        valid_from=PRICED_SINCE,
        by=SYSTEM,
        at=clock.now(),
    )
    return made


def people(count: int) -> list[Person]:
    """WeChat users with a patient each and a live session, made by the product's own actions."""
    from django.conf import settings

    from hospital.testing.people import a_patient, a_wechat_user, patient_client

    made = []
    for place in range(count):
        user = a_wechat_user(openid=f"oChaos{place:022d}")
        a_patient(user)
        key = patient_client(user).cookies[settings.PATIENT_COOKIE_NAME].value
        made.append(
            Person(
                user.openid,
                {settings.PATIENT_COOKIE_NAME: key, settings.CSRF_COOKIE_NAME: CSRF},
            )
        )
    return made
