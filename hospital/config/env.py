"""Typed reading of the environment, failing loudly; the settings table in the docs is its log."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """One documented variable: its name, kind, default ("" = none) and what it does."""

    name: str
    kind: str
    default: str
    meaning: str


class BadEnvironment(Exception):
    """A variable is missing or unreadable; the message says which and how to mend it."""


documented: list[Variable] = []


def text(name: str, meaning: str, *, default: str | None = None) -> str:
    """A text variable; without a default it is required."""
    documented.append(Variable(name, "text", "required" if default is None else default, meaning))
    value = os.environ.get(name, default)
    if value is None:
        raise BadEnvironment(f"{name} is not set: {meaning}")
    return value


def flag(name: str, meaning: str, *, default: bool) -> bool:
    """A yes/no variable: 1, true, yes, on or 0, false, no, off."""
    documented.append(Variable(name, "yes/no", "yes" if default else "no", meaning))
    value = os.environ.get(name, "yes" if default else "no").lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off", ""):
        return False
    raise BadEnvironment(f"{name} must be yes or no, not {value!r}")


def number(name: str, meaning: str, *, default: int) -> int:
    """A whole-number variable."""
    documented.append(Variable(name, "number", str(default), meaning))
    value = os.environ.get(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise BadEnvironment(f"{name} must be a whole number, not {value!r}") from None


def secret(name: str, meaning: str, *, insecure: str, allow_insecure: bool) -> str:
    """A secret; outside production a well-known value stands in so that tests and tools run."""
    documented.append(Variable(name, "secret", "required in production", meaning))
    value = os.environ.get(name)
    if value:
        return value
    if allow_insecure:
        return insecure
    raise BadEnvironment(f"{name} is not set: {meaning}")
