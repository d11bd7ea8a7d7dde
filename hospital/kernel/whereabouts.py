"""From where the present request or job acts: address, device and roles, for the audit (X13).

The outermost middleware and the job runner say it once; the access mark adds the roles of the
account it let in. The id of the request is the logs' (kernel/logs.py).
"""

import contextlib
import re
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Final

_LONGEST: Final = 80
_LONGEST_ADDRESS: Final = 45
_SYSTEMS: Final = (
    ("HarmonyOS", "HarmonyOS|OpenHarmony"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("macOS", "Macintosh"),
    ("Linux", "Linux"),
)
# The more special one first: nearly every browser also claims to be Chrome and Safari.
_BROWSERS: Final = (
    ("微信", r"MicroMessenger/([0-9.]+)"),
    ("Edge", r"Edg/([0-9]+)"),
    ("Firefox", r"Firefox/([0-9]+)"),
    ("Chrome", r"Chrome/([0-9]+)"),
    ("Safari", r"Version/([0-9]+).*Safari/"),
)


@dataclass(frozen=True)
class Whereabouts:
    """`roles` are codes; a job has neither address nor roles, its device is its own name."""

    address: str = ""
    device: str = ""
    roles: tuple[str, ...] = ()


_NOWHERE: Final = Whereabouts()
_here: ContextVar[Whereabouts | None] = ContextVar("whereabouts", default=None)


def here() -> Whereabouts:
    """Where the request or job being served acts from; empty outside of both."""
    return _here.get() or _NOWHERE


@contextlib.contextmanager
def bound(*, address: str = "", device: str = "") -> Iterator[None]:
    """Everything recorded inside was done from there."""
    token = _here.set(Whereabouts(address[:_LONGEST_ADDRESS], device[:_LONGEST]))
    try:
        yield
    finally:
        _here.reset(token)


def take_roles(roles: Iterable[str]) -> None:
    """Note the roles (codes) of the account the request turned out to belong to."""
    known = _here.get()
    if known is not None:
        _here.set(replace(known, roles=tuple(roles)))


def device_of(user_agent: str) -> str:
    """What a browser says about itself in a few words: "Windows · Edge 126", "iPhone · 微信 8.0".

    Of a program that says neither system nor browser the first 40 printable characters remain.
    """
    system = next((name for name, mark in _SYSTEMS if re.search(mark, user_agent)), "")
    for name, mark in _BROWSERS:
        if found := re.search(mark, user_agent):
            return " · ".join(part for part in (system, f"{name} {found[1]}") if part)[:_LONGEST]
    plain = "".join(sign for sign in user_agent if sign.isprintable())
    return system or plain[:40].strip()
