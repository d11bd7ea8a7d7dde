"""Builders of people for tests: staff with a role, WeChat users, patients, logged-in clients.

Patients come with valid, made-up documents that belong to nobody: their area is real, their
birth date and check digit fit, their serial counts up.
"""

import datetime as dt
import itertools
from importlib import import_module

from django.conf import settings
from django.test import Client

from hospital.identity import actions as identity
from hospital.identity import sessions
from hospital.identity.models import StaffAccount, WeChatUser
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.organisation.models import Department, Practitioner
from hospital.patients import actions as patients
from hospital.patients import documents, queries
from hospital.patients.models import Patient
from hospital.patients.states import CodePurpose, DocumentKind, Relationship, Sex

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
PASSWORD = "a-Long-Enough-1"
APPID = "wx0000000000000000"
ADULT_BORN = dt.date(1985, 3, 12)

_numbers = itertools.count(1)


def a_staff(
    *roles: Role | str,
    username: str = "",
    display_name: str = "林若水",
    department: Department | None = None,
    practitioner: Practitioner | None = None,
    is_active: bool = True,
) -> StaffAccount:
    """A member of staff with these roles since long ago; the password is PASSWORD."""
    username = username or f"staff{next(_numbers)}"
    identity.save_staff(
        username=username,
        display_name=display_name,
        roles=[str(role) for role in roles],
        department=department.code if department else None,
        practitioner=practitioner.code if practitioner else None,
        initial_password=PASSWORD,
        must_change_password=False,
        is_active=is_active,
        by=SYSTEM,
        at=LONG_AGO,
    )
    return StaffAccount.objects.get(username=username)


def a_wechat_user(*, openid: str = "", appid: str = "") -> WeChatUser:
    """Somebody who came through WeChat; the appid is the connected account's where there is one."""
    connected = settings.WECHAT.appid if settings.WECHAT else APPID
    openid = openid or f"o-test-{next(_numbers):020d}"
    return identity.sign_in_wechat_user(appid=appid or connected, openid=openid, at=LONG_AGO)


def a_resident_id(*, born: dt.date = ADULT_BORN, sex: Sex = Sex.FEMALE, serial: int = 0) -> str:
    """A valid resident ID number of the county of Heshan; another one at every call."""
    number = serial or next(_numbers)
    last = (number * 2) % 1000 + (1 if sex is Sex.MALE else 0)
    area = 440700 + 81 + number // 500
    seventeen = f"{area}{born:%Y%m%d}{last:03d}"
    return seventeen + documents.check_character(seventeen)


def a_patient(
    user: WeChatUser | None = None,
    *,
    name: str = "陈晓宁",
    born: dt.date = ADULT_BORN,
    sex: Sex = Sex.FEMALE,
    phone: str = "13800138000",
    document_no: str = "",
    relationship: Relationship | None = None,
    at: dt.datetime | None = None,
) -> Patient:
    """A patient bound to the user (a new user when none is given), the first one as self.

    A child under 14 given without a self-bound guardian gets one. The hospital's own people do it,
    who need no code by SMS.
    """
    user = user or a_wechat_user()
    at = at or clock.now()
    bound = queries.patients_for(wechat_user_id=user.pk)
    has_self = any(row.relationship is Relationship.SELF for row in bound)
    is_child = documents.age_in_years(born, on=clock.hospital_day(at)) < 14
    if is_child and not has_self:
        a_patient(user, name="陈大安", at=at)
        has_self = True
    return patients.add_patient(
        wechat_user_id=user.pk,
        name=name,
        document_kind=DocumentKind.RESIDENT_ID,
        document_no=document_no or a_resident_id(born=born, sex=sex),
        phone=phone,
        relationship=relationship or (Relationship.OTHER if has_self else Relationship.SELF),
        is_guardian=is_child,
        key=f"builder-{next(_numbers)}",
        by=SYSTEM,
        at=at,
    )


def a_code(user: WeChatUser, purpose: CodePurpose = CodePurpose.BIND) -> str:
    """The digits that went to a phone last, for what this user is about to do."""
    latest = queries.latest_code(wechat_user_id=user.pk, purpose=purpose)
    assert latest is not None, "nobody asked for a code"
    return latest.code


def patient_client(user: WeChatUser) -> Client:
    """A browser in which this WeChat user is logged in."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    sessions.sign_in_patient(session, wechat_user_id=user.pk)
    session.save()
    client = Client()
    client.cookies[settings.PATIENT_COOKIE_NAME] = session.session_key
    return client


def staff_client(*roles: Role | str, account: StaffAccount | None = None) -> Client:
    """A browser in which an account (a new one with these roles) is logged in, past both steps."""
    client, account = Client(), account or a_staff(*roles)
    client.force_login(account)
    session, at = client.session, clock.now()
    row = identity.begin_session(account=account, address="127.0.0.1", device="test", at=at)
    sessions.sign_in_staff(session, session_id=row.pk, is_proved=True, at=at)
    session.save()
    return client
