"""Codes by SMS: the text, and the conversation with the platform about one.

They are no messages of the inbox: whoever holds the phone is to read them, at once and nowhere
else, and nothing of them is kept here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from typing import Final

from django.conf import settings
from django.db import transaction

from hospital.kernel import clock
from hospital.messaging import sms
from hospital.patients import queries as patients
from hospital.patients.queries import CodeToSend
from hospital.patients.states import CodePurpose

logger = logging.getLogger(__name__)
_TEXTS: Final = {
    CodePurpose.BIND: "验证码{code}，用于在微信中添加您为就诊人。若非您本人同意，请勿告诉任何人。",
    CodePurpose.NEW_PHONE: "验证码{code}，用于把就诊人的手机号改为本号码。若非本人操作，请忽略。",
    CodePurpose.OLD_PHONE: "验证码{code}，用于更换就诊人的手机号。若非本人操作，请勿告诉任何人。",
}


class NotYetSent(Exception):
    """The platform did not take it; the job tries again."""


def send(*, code_id: int, at: dt.datetime) -> None:
    """Send a code while it can still be used. Raises NotYetSent.

    The reference is the code's own, so a repeat after a lost answer is one SMS.
    """
    code = patients.code_to_send(code_id=code_id, at=at)
    if code is None:
        return
    platform = sms.gateway()
    if platform is None:
        logger.error("no sms platform for a phone code", extra={"code_id": code_id})
        return
    with transaction.atomic(durable=True):
        pass  # Refuses to hold a transaction while the platform is asked.
    reference = hashlib.sha256(f"phone code {code_id}".encode()).hexdigest()[:32]
    outcome = platform.send(to=code.phone, text=_text(code), reference=reference)
    if isinstance(outcome, sms.TryLater):
        raise NotYetSent
    if isinstance(outcome, sms.Refused):
        logger.warning("phone code refused", extra={"code_id": code_id, "why": outcome.code})


def _text(code: CodeToSend) -> str:
    until = clock.local(code.expires_at)
    said = _TEXTS[code.purpose].format(code=code.code)
    return f"【{settings.HOSPITAL_NAME}】{said}{until:%H:%M}前有效。"
