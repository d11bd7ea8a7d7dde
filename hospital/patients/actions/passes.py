"""The one-time QR code of a patient (M11.3): shown on the phone, read at a window, gone."""

from __future__ import annotations

import datetime as dt
import re
from typing import ClassVar, Final

from django.db import connection, transaction

from hospital.kernel import audit, sealed, serials
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Refusal
from hospital.patients import queries, thresholds
from hospital.patients.models import DataCopy, Patient, PatientPass, PhoneCode

PREFIX: Final = "XL"
_SHAPE: Final = re.compile(r"XL[0-9A-Za-z]{22}")
#: What was read is kept a day; who asked for codes must be counted for longer.
_PASSES_KEPT: Final = dt.timedelta(days=1)
_COPIES_WAITED: Final = dt.timedelta(days=1)
_CODES_KEPT: Final = dt.timedelta(days=7)
# One statement, so that of many readers at once one gets the row and the others nothing.
_REDEEM: Final = """
    UPDATE patients_patientpass pass SET redeemed_at = %s
    FROM patients_patientbinding binding, identity_wechatuser holder
    WHERE pass.digest = %s AND pass.redeemed_at IS NULL
        AND pass.created_at <= %s AND pass.expires_at > %s
        AND binding.patient_id = pass.patient_id
        AND binding.wechat_user_id = pass.wechat_user_id AND binding.ended_at IS NULL
        AND holder.id = pass.wechat_user_id AND NOT holder.is_blocked
    RETURNING pass.id, pass.patient_id
"""


class PassOver(Refusal):
    """The code was read before, is too old, or its holder may no longer act for the patient."""

    code: ClassVar[str] = "PASS_OVER"
    default_message: ClassVar[str] = "二维码已失效或已使用，请患者刷新后重新出示。"


def is_pass(text: str) -> bool:
    """Say whether a reader typed the text of a one-time QR code."""
    return _SHAPE.fullmatch(text.strip()) is not None


def show_pass(*, wechat_user_id: int, number: str, by: Actor, at: dt.datetime) -> str:
    """Return the text of a fresh QR code for one of the user's patients. Raises NotFound.

    Not audited: it shows its holder nothing; the reading of it is.
    """
    patient = queries.patient_for(wechat_user_id=wechat_user_id, number=number)
    token = PREFIX + serials.opaque()
    PatientPass.objects.create(
        patient=patient,
        wechat_user_id=wechat_user_id,
        digest=_digest(token),
        created_at=at,
        expires_at=at + dt.timedelta(seconds=thresholds.PASS_SECONDS.value()),
    )
    return token


def redeem_pass(*, token: str, by: Actor, at: dt.datetime) -> Patient:
    """Return the patient whose code was read, and use the code up (audited). Raises PassOver."""
    text = token.strip()
    if not is_pass(text):
        raise PassOver
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_REDEEM, [at, _digest(text), at, at])
            row = cursor.fetchone()
        if row is None:
            raise PassOver
        pass_id, patient_id = row
        patient = queries.patient(patient_id=patient_id)
        audit.record(
            act="patients.redeem_pass",
            subject=None,
            by=by,
            at=at,
            after={"pass_id": pass_id},
            person_id=patient.pk,
        )
    return patient


def forget(*, at: dt.datetime) -> None:
    """Delete QR codes of yesterday and SMS codes of last week; blank copies whose link is over."""
    DataCopy.objects.filter(expires_at__lt=at).exclude(content=b"").update(content=b"")
    # A copy that could not be made in all this time is asked for anew.
    DataCopy.objects.filter(made_at__isnull=True, asked_at__lt=at - _COPIES_WAITED).delete()
    PatientPass.objects.filter(expires_at__lt=at - _PASSES_KEPT).delete()
    PhoneCode.objects.filter(expires_at__lt=at - _CODES_KEPT).delete()


def _digest(token: str) -> str:
    return sealed.blind_index(token, "patients.pass")
