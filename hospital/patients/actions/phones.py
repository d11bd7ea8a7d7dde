"""Changing the phone a patient is reached under (M11.3): a code to the new one and to the old."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.db import transaction

from hospital.kernel import audit, sealed
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.patients import contacts, queries
from hospital.patients.actions import codes, persons
from hospital.patients.models import Patient
from hospital.patients.states import CodePurpose


class SamePhone(Refusal):
    """It is the phone on file already."""

    code: ClassVar[str] = "SAME_PHONE"
    default_message: ClassVar[str] = "这就是现在登记的手机号，不需要更换。"


class OldCodeWrong(Refusal):
    """The code that went to the phone on file was mistyped, or is over."""

    code: ClassVar[str] = "OLD_CODE_WRONG"
    default_message: ClassVar[str] = "原手机号收到的验证码不正确或已失效，请核对或重新获取。"


def ask_phone_codes(
    *, wechat_user_id: int, number: str, phone: str, by: Actor, at: dt.datetime
) -> bool:
    """Send a code to the new phone and, where one is on file, to the old; say whether there is.

    An old phone that is given up is changed at the desk, which looks at the document. Raises
    NotFound, also for who has no say over the patient, Invalid, SamePhone, CodeTooSoon and
    TooManyCodes.
    """
    patient = _managed(wechat_user_id, number, at=at)
    new = _clean(phone)
    if new == patient.phone:
        raise SamePhone
    with transaction.atomic():
        about = _about(patient)
        codes.send(
            wechat_user_id=wechat_user_id,
            purpose=CodePurpose.NEW_PHONE,
            about=about,
            phone=new,
            at=at,
        )
        if patient.phone:
            codes.send(
                wechat_user_id=wechat_user_id,
                purpose=CodePurpose.OLD_PHONE,
                about=about,
                phone=patient.phone,
                at=at,
            )
    return bool(patient.phone)


def change_phone(
    *,
    wechat_user_id: int,
    number: str,
    phone: str,
    new_code: str,
    old_code: str,
    by: Actor,
    at: dt.datetime,
) -> None:
    """Reach a patient under a new phone, both codes given. All bound users hear of it (N35).

    Must not run inside a transaction of its caller: wrong tries are kept. Raises NotFound, Invalid,
    WrongCode, CodeOver, OldCodeWrong.
    """
    patient = _managed(wechat_user_id, number, at=at)
    new, about = _clean(phone), _about(patient)
    proofs = [
        codes.attempt(
            wechat_user_id=wechat_user_id,
            purpose=CodePurpose.NEW_PHONE,
            about=about,
            phone=new,
            typed=new_code,
            at=at,
        )
    ]
    if patient.phone:
        try:
            proof = codes.attempt(
                wechat_user_id=wechat_user_id,
                purpose=CodePurpose.OLD_PHONE,
                about=about,
                phone=patient.phone,
                typed=old_code,
                at=at,
            )
        except (codes.WrongCode, codes.CodeOver) as problem:
            raise OldCodeWrong from problem
        proofs.append(proof)
    with transaction.atomic():
        locked = persons.lock(patient.pk)
        if locked.phone != patient.phone:
            raise codes.CodeOver
        for proof in proofs:
            codes.use(proof, at=at)
        persons.set_phone(locked, new, at=at)
        audit.record(act="patients.change_phone", subject=locked, by=by, at=at)


def _managed(wechat_user_id: int, number: str, *, at: dt.datetime) -> Patient:
    binding = queries.own_binding(wechat_user_id=wechat_user_id, number=number)
    if not queries.may_manage(binding, on=hospital_day(at)):
        raise NotFound("手机号只能由就诊人本人或未满 14 周岁儿童的监护人更换。")
    return binding.patient


def _clean(phone: str) -> str:
    try:
        return contacts.clean_phone(phone)
    except contacts.BadPhone as problem:
        raise Invalid({"phone": [problem.message]}) from problem


def _about(patient: Patient) -> str:
    return sealed.blind_index(str(patient.pk), "patients.code_patient")
