"""The staff rail: which work places exist, in order, and the permission that shows each."""

from dataclasses import dataclass

from hospital.kernel.permissions import Permission


@dataclass(frozen=True)
class Entry:
    """One place on the rail; `icon` is a symbol of the sprite in hospital/ui."""

    label: str
    icon: str
    url_name: str
    permission: Permission


STAFF_NAV: tuple[Entry, ...] = ()
