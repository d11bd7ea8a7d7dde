"""Codes by SMS (M3.12, M11.3): asked for within limits, tried a few times, used once."""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
import unicodedata
from typing import ClassVar, Final

from django.db.models import F

from hospital.identity import queries as identity
from hospital.kernel import events, sealed, whereabouts
from hospital.kernel.errors import Refusal
from hospital.patients import queries, thresholds
from hospital.patients.actions import persons
from hospital.patients.events import PhoneCodeAsked
from hospital.patients.models import PhoneCode
from hospital.patients.states import CodePurpose

DIGITS: Final = 6
_DAY: Final = dt.timedelta(days=1)
_HOUR: Final = dt.timedelta(hours=1)


class CodeTooSoon(Refusal):
    """The last code was sent a moment ago."""

    code: ClassVar[str] = "CODE_TOO_SOON"
    default_message: ClassVar[str] = "验证码刚刚发出，请稍等再重新获取。"


class TooManyCodes(Refusal):
    """This phone, user or network has been sent as many codes as allowed."""

    code: ClassVar[str] = "TOO_MANY_CODES"
    default_message: ClassVar[str] = "获取验证码的次数过多，请明天再试，或携带证件到挂号窗口办理。"


class WrongCode(Refusal):
    """Not the code that was sent; it may be tried again a few times."""

    code: ClassVar[str] = "WRONG_CODE"
    default_message: ClassVar[str] = "验证码不正确，请核对短信。"


class CodeOver(Refusal):
    """There is no code, or it is too old, used, or was mistyped too often."""

    code: ClassVar[str] = "CODE_OVER"
    default_message: ClassVar[str] = "验证码已失效，请重新获取。"


def send(
    *, wechat_user_id: int, purpose: CodePurpose, about: str, phone: str, at: dt.datetime
) -> PhoneCode:
    """Make a code and have it sent to a clean phone; earlier ones of this purpose end with it.

    Runs in the caller's transaction, which has checked that the phone is the right one. Raises
    CodeTooSoon, TooManyCodes.
    """
    identity.lock_wechat_user(user_id=wechat_user_id)
    index = queries.phone_index(phone)
    address = _address_index()
    persons.lock_words(f"code {index}")
    _check_limits(wechat_user_id, purpose, index, address, at=at)
    code = PhoneCode.objects.create(
        wechat_user_id=wechat_user_id,
        purpose=purpose,
        about=about,
        phone=phone,
        phone_index=index,
        address_index=address,
        code=f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}",
        created_at=at,
        expires_at=at + dt.timedelta(minutes=thresholds.CODE_MINUTES.value()),
    )
    events.emit(PhoneCodeAsked(code.pk))
    return code


def attempt(
    *,
    wechat_user_id: int,
    purpose: CodePurpose,
    about: str,
    phone: str,
    typed: str,
    at: dt.datetime,
) -> PhoneCode:
    """Return the code that was typed rightly; `use` it where the act is done.

    Must not run inside a transaction of its caller: a wrong try is kept to count it. Of many
    tries at once no more than allowed are looked at. Raises WrongCode, CodeOver.
    """
    latest = queries.latest_code(wechat_user_id=wechat_user_id, purpose=purpose)
    if (
        latest is None
        or latest.about != about
        or latest.phone_index != queries.phone_index(phone)
        or latest.expires_at <= at
    ):
        raise CodeOver
    if latest.used_at is None:
        most = thresholds.CODE_TRIES.value()
        rows = PhoneCode.objects.filter(pk=latest.pk, tries__lt=most, used_at__isnull=True)
        if not rows.update(tries=F("tries") + 1):
            raise CodeOver
    digits = "".join(unicodedata.normalize("NFKC", typed).split())
    if not hmac.compare_digest(latest.code.encode(), digits.encode()):
        raise WrongCode
    return latest


def use(code: PhoneCode, *, at: dt.datetime) -> None:
    """Use a rightly typed code up, inside the transaction of what it opens. Raises CodeOver."""
    if not PhoneCode.objects.filter(pk=code.pk, used_at__isnull=True).update(used_at=at):
        raise CodeOver


def _check_limits(
    wechat_user_id: int, purpose: CodePurpose, phone: str, address: str, *, at: dt.datetime
) -> None:
    latest = queries.latest_code(wechat_user_id=wechat_user_id, purpose=purpose)
    pause = dt.timedelta(seconds=thresholds.CODE_PAUSE_SECONDS.value())
    if latest is not None and latest.used_at is None and latest.created_at + pause > at:
        raise CodeTooSoon
    today = PhoneCode.objects.filter(created_at__gt=at - _DAY)
    if today.filter(wechat_user=wechat_user_id).count() >= thresholds.CODES_PER_USER.value():
        raise TooManyCodes
    if today.filter(phone_index=phone).count() >= thresholds.CODES_PER_PHONE.value():
        raise TooManyCodes
    lately = PhoneCode.objects.filter(created_at__gt=at - _HOUR, address_index=address)
    if address and lately.count() >= thresholds.CODES_PER_ADDRESS.value():
        raise TooManyCodes


def _address_index() -> str:
    address = whereabouts.here().address
    return sealed.blind_index(address, "patients.code_address") if address else ""
