"""What the product consists of, read from its own declarations: addresses, lifecycles, floors.

The generated pages print it, and tests/architecture holds the laws against it. Django must be set
up first.
"""

import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.db.models import ForeignKey, Model
from django.urls import URLPattern, URLResolver, get_resolver

from hospital.identity.access import Access, access_of
from hospital.kernel.states import StatefulModel

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Address:
    """One URL: its route, its name, the view behind it and the mark that view wears."""

    route: str
    name: str
    view: Callable[..., object]
    access: Access | None

    @property
    def place(self) -> str:
        """Where the view is written, without the package: "payments.views.patient.pay"."""
        return f"{self.view.__module__}.{self.view.__qualname__}".removeprefix("hospital.")


@dataclass(frozen=True)
class Lifecycle:
    """The states of one noun (value, label) and the moves between them, in its enum's order."""

    model: type[StatefulModel]
    states: tuple[tuple[str, str], ...]
    moves: tuple[tuple[str, str], ...]

    @property
    def first(self) -> str:
        """Where a life begins: the first word of the enum."""
        return self.states[0][0]

    @property
    def last(self) -> tuple[str, ...]:
        """The states nothing leaves."""
        left = {old for old, _ in self.moves}
        return tuple(state for state, _ in self.states if state not in left)


@dataclass(frozen=True)
class Reference:
    """A foreign key of ours: from which model, by which field, to which app."""

    model: type[Model]
    field: str
    target: type[Model]


def addresses(patterns: "Sequence[URLPattern | URLResolver] | None" = None) -> list[Address]:
    """Every address the product answers (or these patterns do), by route."""
    found = _walk(get_resolver().url_patterns if patterns is None else patterns, "")
    return sorted(found, key=lambda address: address.route)


def lifecycles() -> list[Lifecycle]:
    """Every stateful model of the product."""
    return [_lifecycle(model) for model in own_models() if issubclass(model, StatefulModel)]


def own_models() -> list[type[Model]]:
    """The product's models, by area and name."""
    models = [model for model in apps.get_models() if model.__module__.startswith("hospital.")]
    return sorted(models, key=lambda model: model._meta.label_lower)


def references() -> Iterator[Reference]:
    """Every foreign key (and one-to-one) from one of our models to one of our models."""
    for model in own_models():
        for field in model._meta.get_fields():
            if isinstance(field, ForeignKey) and _is_ours(field):
                yield Reference(model, field.name, field.related_model)


def floors() -> dict[str, int]:
    """Area → floor, 1 the lowest, from the import contract itself."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract.get("exhaustive"))
    return {
        area.strip(" ()"): number
        for number, layer in enumerate(reversed(layers), start=1)
        for area in layer.split("|")
    }


def areas() -> list[str]:
    """The areas that exist, from the top floor down, then by name."""
    height = floors()
    found = [path.parent.name for path in (ROOT / "hospital").glob("*/__init__.py")]
    return sorted((area for area in found if area in height), key=lambda a: (-height[a], a))


def _walk(patterns: Sequence[URLPattern | URLResolver], prefix: str) -> Iterator[Address]:
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, route)
        else:
            view = entry.callback
            yield Address("/" + route, entry.name or "", view, access_of(view))


def _lifecycle(model: type[StatefulModel]) -> Lifecycle:
    status = next(field for field in model._meta.fields if field.name == "status")
    states = tuple((str(value), str(label)) for value, label in status.flatchoices)
    order = {state: number for number, (state, _) in enumerate(states)}
    moves = sorted(model.MOVES, key=lambda move: (order[move[0]], order[move[1]]))
    return Lifecycle(model, states, tuple((str(old), str(new)) for old, new in moves))


def _is_ours(field: "ForeignKey[Model, Model]") -> bool:
    return field.related_model._meta.app_config.name.startswith("hospital.")
