"""MOVES, trigger, constraint and drawing of a lifecycle are one thing (law 5)."""

from typing import Any

import pgtrigger
import pytest
from django.db.models import CheckConstraint, Model, Q
from pgtrigger.core import INSTALLED

from tools.inventory import Lifecycle, lifecycles, own_models
from tools.pages_of_code import states

LIFECYCLES = lifecycles()
each = pytest.mark.parametrize("life", LIFECYCLES, ids=lambda life: str(life.model._meta.label))


def reachable(life: Lifecycle) -> set[str]:
    """The states a life that begins at its first one can come to."""
    seen, front = {life.first}, {life.first}
    while front:
        front = {new for old, new in life.moves if old in front} - seen
        seen |= front
    return seen


def fsm(life: Lifecycle) -> list[pgtrigger.FSM]:
    return [one for one in triggers(life.model) if isinstance(one, pgtrigger.FSM)]


def triggers(model: type[Model]) -> list[pgtrigger.Trigger]:
    """What a model's Meta declares; pgtrigger adds that word to Django's own."""
    return list(getattr(model._meta, "triggers", ()))


def test_there_are_lifecycles() -> None:
    assert len(LIFECYCLES) >= 5


@each
def test_moves_use_the_words_of_the_enum_and_reach_all_of_them(life: Lifecycle) -> None:
    words = {state for state, _ in life.states}

    assert {word for move in life.moves for word in move} <= words
    assert reachable(life) == words


@each
def test_the_trigger_knows_the_same_moves(life: Lifecycle) -> None:
    (trigger,) = fsm(life)

    assert trigger.field == "status"
    assert {(str(old), str(new)) for old, new in trigger.transitions} == set(life.moves)


@each
def test_a_constraint_knows_the_same_words(life: Lifecycle) -> None:
    wanted = Q(status__in=[state for state, _ in life.states])
    conditions = [
        one.condition for one in life.model._meta.constraints if isinstance(one, CheckConstraint)
    ]

    assert wanted in conditions


@each
def test_the_drawing_shows_every_state_and_move(life: Lifecycle) -> None:
    _, _, section = states().partition(f"## {life.model._meta.label}\n")
    drawing = section.split("```")[1]

    assert f"[*] --> {life.first}\n" in drawing
    for state, label in life.states:
        assert f"    {state}: {label} {state}\n" in drawing
    for old, new in life.moves:
        assert f"    {old} --> {new}\n" in drawing


@pytest.mark.django_db
def test_every_declared_trigger_is_in_the_database() -> None:
    absent = [
        f"{model._meta.label}: {trigger.name}"
        for model in own_models()
        for trigger in triggers(model)
        if not _is_installed(trigger, model)
    ]

    assert absent == []


def _is_installed(trigger: pgtrigger.Trigger, model: Any) -> bool:
    # pgtrigger asks for an instance where it takes the class.
    status, enabled = trigger.get_installation_status(model)
    return bool(status == INSTALLED and enabled)
