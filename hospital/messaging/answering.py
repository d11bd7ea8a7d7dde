"""Which answer fits what somebody wrote: exact words before contained ones, then by priority."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hospital.messaging.states import Match

#: What people put around a word without meaning anything by it.
_AROUND: Final = " \t\r\n.,!?;:~…。，！？；：、～“”\"'《》【】[]()"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's part in the choice; a lower `priority` goes first, then the older rule."""

    id: int
    words: Sequence[str]
    match: str
    priority: int


def plain(text: str) -> str:
    """One spelling of a text: width, case, spaces and surrounding punctuation do not count."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.split()).strip(_AROUND)


def choose(text: str, rules: Iterable[Rule]) -> Rule | None:
    """The first rule that answers a text, None when none does."""
    said = plain(text)
    if not said:
        return None
    ordered = sorted(rules, key=lambda rule: (rule.priority, rule.id))
    for rule in ordered:
        if said in rule.words:
            return rule
    for rule in ordered:
        if rule.match == Match.CONTAINS and any(word in said for word in rule.words):
            return rule
    return None
