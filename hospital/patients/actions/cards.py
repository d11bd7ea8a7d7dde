"""Hospital cards (H2.1): given out, lost, frozen, replaced, taken back; one a patient at a time."""

from __future__ import annotations

import datetime as dt
import re
from typing import ClassVar, Final

from django.db import IntegrityError, transaction

from hospital.kernel import audit, serials, states
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.patients import queries
from hospital.patients.actions import persons
from hospital.patients.models import PatientCard
from hospital.patients.states import CARD_IN_HAND, CardKind, CardStatus

SERIES: Final = "patient_card"
_SHAPE: Final = re.compile(r"[0-9A-Z]{6,20}")
#: What the desk may do to a card, with the words for it.
CARD_ACTS: Final[dict[CardStatus, str]] = {
    CardStatus.LOST: "挂失",
    CardStatus.FROZEN: "冻结",
    CardStatus.ACTIVE: "恢复使用",
    CardStatus.RETURNED: "退卡",
}


class CardInHand(Refusal):
    """The patient has a card already: lose or replace that one."""

    code: ClassVar[str] = "CARD_IN_HAND"
    default_message: ClassVar[str] = "患者已有一张就诊卡，请先挂失补卡或换卡。"


class CardTaken(Refusal):
    """This card was given out before; numbers are never used twice."""

    code: ClassVar[str] = "CARD_TAKEN"
    default_message: ClassVar[str] = "这个卡号已经发出过，请换一张卡。"


def issue_card(*, patient_id: int, number: str, by: Actor, at: dt.datetime) -> PatientCard:
    """Give a patient a card: the number read off a blank one, or ours for a barcode card ("").

    Raises NotFound, Invalid, CardInHand, CardTaken.
    """
    patient = queries.patient(patient_id=patient_id)
    with transaction.atomic():
        persons.lock(patient.pk)
        if _in_hand(patient.pk) is not None:
            raise CardInHand
        card = _make(patient.pk, number, at=at)
        audit.record(act="patients.issue_card", subject=card, by=by, at=at)
    return card


def move_card(
    *, card_id: int, to: CardStatus, reason: str, by: Actor, at: dt.datetime
) -> PatientCard:
    """Report a card lost, freeze it, use it again or take it back.

    Raises Invalid without a reason or for a move the card's life does not have, NotFound, Stale.
    """
    if not reason.strip():
        raise Invalid({"reason": ["请填写原因。"]})
    with transaction.atomic():
        card = _locked(card_id)
        if to not in CARD_ACTS or (card.status, to) not in PatientCard.MOVES:
            raise Invalid({"": ["这张卡现在不能这样处理，请刷新页面。"]})
        was = card.status
        states.move(card, to, by=by, at=at, reason=reason.strip())
        audit.record(
            act="patients.move_card",
            subject=card,
            by=by,
            at=at,
            before={"status": was},
            after={"status": to.value},
            reason=reason.strip(),
        )
    return card


def replace_card(
    *, card_id: int, number: str, reason: str, by: Actor, at: dt.datetime
) -> PatientCard:
    """Give a new card for a lost, frozen or damaged one; the old one opens nothing any more.

    Raises Invalid, NotFound, CardTaken, Stale.
    """
    if not reason.strip():
        raise Invalid({"reason": ["请填写补换的原因。"]})
    with transaction.atomic():
        old = _locked(card_id)
        if (old.status, CardStatus.REPLACED) not in PatientCard.MOVES:
            raise Invalid({"": ["这张卡已经停用，不能补换，请刷新页面。"]})
        states.move(old, CardStatus.REPLACED, by=by, at=at, reason=reason.strip())
        new = _make(old.patient_id, number, at=at)
        PatientCard.objects.filter(pk=old.pk).update(replaced_by=new)
        audit.record(
            act="patients.replace_card",
            subject=new,
            by=by,
            at=at,
            before={"card_id": old.pk},
            reason=reason.strip(),
        )
    return new


def our_number(serial: int) -> str:
    """Return the number of a barcode card for a running number: K, eight digits, a check digit."""
    digits = serials.scattered(serial)
    return f"K{digits}{serials.check_digit(digits)}"


def _in_hand(patient_id: int) -> PatientCard | None:
    return PatientCard.objects.filter(patient=patient_id, status__in=CARD_IN_HAND).first()


def _locked(card_id: int) -> PatientCard:
    card = PatientCard.objects.filter(pk=card_id).first()
    if card is None:
        raise NotFound("没有找到这张卡。")
    persons.lock(card.patient_id)
    return PatientCard.objects.select_for_update().get(pk=card_id)


def _make(patient_id: int, number: str, *, at: dt.datetime) -> PatientCard:
    clean = number.strip().upper()
    if clean and not _SHAPE.fullmatch(clean):
        raise Invalid({"number": ["卡号为 6 到 20 位数字或大写字母，请重新读卡。"]})
    if clean and queries.is_reserved_number(clean):
        raise Invalid({"number": ["这不是空白卡的卡号，请放上一张空白卡重新读。"]})
    if not clean:
        clean = our_number(serials.gap_free(series=SERIES))
        kind = CardKind.BARCODE
    else:
        kind = CardKind.PREPRINTED
    try:
        with transaction.atomic():
            return PatientCard.objects.create(
                patient_id=patient_id, number=clean, kind=kind, issued_at=at
            )
    except IntegrityError as problem:
        raise CardTaken from problem
