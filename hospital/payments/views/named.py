"""Who asked and who decided, in words, for the desk's money pages."""

from collections.abc import Iterable

from hospital.identity import queries as identity
from hospital.kernel.actors import Actor

_KINDS = {"patient": "患者", "system": "系统"}


def people(actors: Iterable[str]) -> dict[str, str]:
    """ "staff:3" → "林若水", "system:0" → "系统"; staff names are read once. "" is left out."""
    parsed = {text: Actor.parse(text) for text in set(actors) if text}
    words = {text: _KINDS.get(who.kind, f"员工 {who.id}") for text, who in parsed.items()}
    return words | identity.staff_names(actors=parsed)
