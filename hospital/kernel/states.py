"""Lifecycles. An area lists its legal moves once; `move`, the trigger, the constraint and the
drawing in docs/generated all read that list (law 5).

`move` is a compare-and-swap: it updates the row only while its status is still the one we saw.
"""

import datetime as dt
from collections.abc import Iterable
from typing import ClassVar, TypeVar

import pgtrigger
from django.db import models
from django.db.models import Q

from hospital.kernel.actors import Actor
from hospital.kernel.errors import Stale
from hospital.kernel.models import Transition

Moves = frozenset[tuple[str, str]]
Model = TypeVar("Model", bound="StatefulModel")


class IllegalMove(Exception):
    """The code asked for a move the lifecycle does not have: a bug, not a refusal."""


class StatefulModel(models.Model):
    """A model with a `status` that only `move` may change.

    Subclasses declare `status`, set MOVES, and put guard(...) and one_of(...) into Meta.
    """

    MOVES: ClassVar[Moves]

    class Meta:
        abstract = True


def guard(moves: Moves, *, name: str) -> pgtrigger.FSM:
    """The trigger that refuses an illegal jump of `status`, also from raw SQL."""
    return pgtrigger.FSM(name=name, field="status", transitions=sorted(moves))


def one_of(statuses: Iterable[str], *, name: str) -> models.CheckConstraint:
    """The constraint that `status` is a known word."""
    return models.CheckConstraint(condition=Q(status__in=list(statuses)), name=name)


def move(
    obj: Model,
    to: str,
    *,
    by: Actor,
    at: dt.datetime,
    reason: str = "",
    **changes: object,
) -> Model:
    """Move `obj` to a status, writing `changes` to its columns and a Transition beside it.

    `at` is in UTC. Raises Stale when the row's status is no longer the one `obj` carries, and
    IllegalMove when the lifecycle has no such move.
    """
    old = obj.status  # type: ignore[attr-defined]
    to = str(to)
    if (old, to) not in obj.MOVES:
        raise IllegalMove(f"{type(obj).__name__} {obj.pk}: {old} → {to}")
    rows = type(obj)._base_manager.filter(pk=obj.pk, status=old)
    if rows.update(status=to, **changes) == 0:
        raise Stale
    obj.status = to  # type: ignore[attr-defined]
    for column, value in changes.items():
        setattr(obj, column, value)
    record(obj, old, to, by=by, at=at, reason=reason)
    return obj


def record(
    obj: models.Model, old: str, to: str, *, by: Actor, at: dt.datetime, reason: str = ""
) -> None:
    """Write the Transition of a change that SQL of a hot path made itself (law 13)."""
    Transition.objects.create(
        subject_type=subject_type(obj),
        subject_id=obj.pk,
        from_status=old,
        to_status=to,
        by=str(by),
        at=at,
        reason=reason,
    )


def subject_type(obj: models.Model | type[models.Model]) -> str:
    """How history rows name a kind of thing: "registration.appointment"."""
    return obj._meta.label_lower


def history(obj: models.Model) -> list[Transition]:
    """All moves of one thing, oldest first."""
    return list(
        Transition.objects.filter(subject_type=subject_type(obj), subject_id=obj.pk).order_by("id")
    )
