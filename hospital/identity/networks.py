"""Networks as administrators write them: "10.1.0.0/16, 10.2.3.4"; no database."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Where somebody is whose address cannot be read: in no network anybody would write down.
NOWHERE: Final = "0.0.0.0"  # noqa: S104  nobody listens here
#: What one subscriber gets of IPv6: so many addresses that each of them alone counts for nothing.
_SUBSCRIBER: Final = 64


def readable(text: str) -> str:
    """An address as proxies write it, in one spelling: without port and zone, IPv4 as IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        one = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return NOWHERE
    return str(getattr(one, "ipv4_mapped", None) or one)


def neighbourhood(address: str) -> Network:
    """What one person can easily come from: an IPv4 address, a subscriber's part of IPv6."""
    one = ipaddress.ip_address(address)
    length = _SUBSCRIBER if one.version > 4 else one.max_prefixlen
    return ipaddress.ip_network((one, length), strict=False)


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
