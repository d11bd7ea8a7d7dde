"""Networks as administrators write them: "10.1.0.0/16, 10.2.3.4"; no database."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse(text: str) -> tuple[Network, ...]:
    """The networks of a list by comma, blank or line. Raises ValueError for what is none."""
    parts = text.replace("，", ",").replace(",", " ").split()
    return tuple(ipaddress.ip_network(part, strict=False) for part in parts)


@lru_cache(maxsize=256)
def contains(text: str, address: str) -> bool:
    """Say whether an address lies in a list of networks; a list nobody can read holds nothing."""
    try:
        networks, one = parse(text), ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(one, "ipv4_mapped", None) or one
    return any(mapped in network for network in networks if network.version == mapped.version)


def written(text: str) -> str:
    """The list as it is kept: one spelling, by comma. Raises ValueError."""
    return ", ".join(str(network) for network in parse(text))
