"""Two persons for what one must not do alone: the one who asks never decides.

It is a check constraint of the table, not a habit of the code. The table knows accounts; which of
them are one person's, the area that keeps accounts says (`tell_persons_apart`).
"""

import datetime as dt
from collections.abc import Callable

from django.db import models
from django.db.models import F, Q

from hospital.kernel.actors import Actor
from hospital.kernel.errors import Refusal
from hospital.kernel.states import StatefulModel, move


class OwnRequest(Refusal):
    code = "FOUR_EYES"
    default_message = "不能复核自己提出的申请，请由另一位同事处理。"
    is_audited = True


class AlreadyDecided(Refusal):
    code = "ALREADY_DECIDED"
    default_message = "该申请已处理，请刷新页面。"


class AlreadyAsked(Refusal):
    code = "ALREADY_ASKED"
    default_message = "已有一份申请在等待复核。"


_is_one_person: list[Callable[[str, str], bool]] = []


def tell_persons_apart(rule: Callable[[str, str], bool]) -> None:
    """Ask this rule whether two actors ("staff:3", "staff:9") are one and the same person."""
    _is_one_person[:] = [rule]


class FourEyes(StatefulModel):
    """Something one person asked and another decides; both are on record.

    Subclasses declare `status`, with one word for undecided.
    """

    status: str
    asked_by = models.CharField(max_length=40)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=40, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_note = models.CharField(max_length=200, blank=True)

    class Meta:
        abstract = True


def four_eyes(waiting: str, *, name: str) -> models.CheckConstraint:
    """The constraint of a FourEyes table that whoever decides is not whoever asked, and that both
    are on record; `waiting` is its undecided status."""
    return models.CheckConstraint(
        condition=Q(status=waiting, decided_by="", decided_at__isnull=True)
        | ~Q(status=waiting)
        & ~Q(decided_by="")
        & ~Q(decided_by=F("asked_by"))
        & Q(decided_at__gte=F("asked_at")),
        name=name,
    )


def check_may_decide(asked: FourEyes, *, waiting: str, by: Actor) -> None:
    """Whether this person may decide what was asked, `waiting` being its undecided status; the
    row is locked. Somebody's second account is the same person.

    Raises AlreadyDecided, OwnRequest.
    """
    if asked.status != waiting:
        raise AlreadyDecided
    if asked.asked_by == str(by) or any(rule(asked.asked_by, str(by)) for rule in _is_one_person):
        raise OwnRequest


def decide(asked: FourEyes, to: str, *, note: str, by: Actor, at: dt.datetime) -> None:
    """Move what was asked to its end, with who decided and why on record: never before it was
    asked, though the clock of the server that heard the question may be ahead of ours."""
    at = max(at, asked.asked_at)
    move(
        asked,
        to,
        by=by,
        at=at,
        reason=note[:200],
        decided_by=str(by),
        decided_at=at,
        decision_note=note[:200],
    )
