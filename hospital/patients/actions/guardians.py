"""Guardians of children (M3.4): linked while the child is under 14, ended when custody changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import ClassVar, Final

from django.db import transaction

from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.patients import documents, queries
from hospital.patients.actions import persons
from hospital.patients.actions.checking import is_child
from hospital.patients.models import Guardian, Patient, PatientBinding
from hospital.patients.states import REAL_NAME, GuardianRelation, Relationship, Sex

_ADULT_AGE: Final = 18
_ELDERS: Final = {
    Relationship.GRANDCHILD: GuardianRelation.GRANDPARENT,
    Relationship.SIBLING: GuardianRelation.SIBLING,
}
_PARENTS: Final = {Sex.MALE: GuardianRelation.FATHER, Sex.FEMALE: GuardianRelation.MOTHER}


class NoChild(Refusal):
    """From the 14th birthday on a person answers for itself."""

    code: ClassVar[str] = "NO_CHILD"
    default_message: ClassVar[str] = "患者已满 14 周岁，不再需要监护人。"


class GuardianNotKnown(Refusal):
    """A guardian is a real-name patient first, and an adult (M3.4)."""

    code: ClassVar[str] = "GUARDIAN_NOT_KNOWN"
    default_message: ClassVar[str] = "监护人须先在本院实名建档，并且已成年。"


def add_guardian(
    *,
    child_id: int,
    guardian_id: int,
    relationship: GuardianRelation,
    by: Actor,
    at: dt.datetime,
) -> Guardian:
    """Link a child to a guardian whose document the desk has seen; the same again is the same.

    Raises NotFound, NoChild, GuardianNotKnown, Invalid (a second mother).
    """
    child = queries.patient(patient_id=child_id)
    guardian = queries.patient(patient_id=guardian_id)
    with transaction.atomic():
        return link(persons.lock(child.pk), guardian, relationship, by=by, at=at)


def end_guardian(*, link_id: int, reason: str, by: Actor, at: dt.datetime) -> None:
    """End a guardian's say over a child. Raises Invalid without a reason, NotFound."""
    if not reason.strip():
        raise Invalid({"reason": ["请填写解除监护关系的原因。"]})
    with transaction.atomic():
        row = Guardian.objects.select_for_update().filter(pk=link_id, ended_at__isnull=True).first()
        if row is None:
            raise NotFound("这个监护关系不存在，或已经解除。")
        row.ended_at = at
        row.save(update_fields=["ended_at"])
        audit.record(act="patients.end_guardian", subject=row, by=by, at=at, reason=reason.strip())


def link(
    child: Patient,
    guardian: Patient,
    relationship: GuardianRelation,
    *,
    by: Actor,
    at: dt.datetime,
) -> Guardian:
    """Link a locked child to a guardian. Raises NoChild, GuardianNotKnown, Invalid."""
    on = hospital_day(at)
    if not is_child(child.birth_date, on=on):
        raise NoChild
    if not may_guard(guardian, on=on):
        raise GuardianNotKnown
    rows = Guardian.objects.filter(child=child, ended_at__isnull=True)
    known = rows.filter(guardian=guardian).first()
    if known is not None:
        return known
    is_mother = relationship is GuardianRelation.MOTHER
    if is_mother and rows.filter(relationship=GuardianRelation.MOTHER).exists():
        raise Invalid({"relationship": ["档案中已登记另一位母亲，请核对。"]})
    made = Guardian.objects.create(
        child=child, guardian=guardian, relationship=relationship, verified_at=at
    )
    audit.record(
        act="patients.add_guardian",
        subject=made,
        by=by,
        at=at,
        after={"guardian_id": guardian.pk, "relationship": relationship.value},
    )
    return made


def link_self(
    child: Patient,
    bindings: Sequence[PatientBinding],
    relationship: Relationship,
    *,
    by: Actor,
    at: dt.datetime,
) -> None:
    """Link a child to the person who added it on the phone and consented as its guardian.

    A second mother stays unlinked: the desk looks at both.
    """
    own = next(row.patient for row in bindings if row.relationship == Relationship.SELF)
    wanted = _ELDERS.get(relationship, GuardianRelation.OTHER)
    if relationship in (Relationship.SON, Relationship.DAUGHTER):
        wanted = _PARENTS.get(Sex(own.sex), GuardianRelation.OTHER)
    rows = Guardian.objects.filter(child=child, ended_at__isnull=True)
    has_mother = rows.filter(relationship=GuardianRelation.MOTHER).exists()
    if wanted is GuardianRelation.MOTHER and has_mother:
        return
    link(child, own, wanted, by=by, at=at)


def may_guard(guardian: Patient, *, on: dt.date) -> bool:
    """Say whether somebody can answer for a child: an adult, and real-name (M3.4)."""
    age = documents.age_in_years(guardian.birth_date, on=on)
    return guardian.assurance in REAL_NAME and age >= _ADULT_AGE
