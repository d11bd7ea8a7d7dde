"""Which topics a page may listen to, as a signed text the page carries to the live process.

The live process trusts the signature and asks no database.
"""

from collections.abc import Sequence

from django.core import signing

_SALT = "hospital.live"
_LIFE_SECONDS = 12 * 3600


class BadTicket(Exception):
    """The ticket is forged, damaged or older than twelve hours."""


def issue(topics: Sequence[str]) -> str:
    """A ticket for these topics; only a page that may show them asks for one."""
    return signing.dumps(sorted(set(topics)), salt=_SALT)


def topics_of(ticket: str) -> list[str]:
    """The topics of a ticket. Raises BadTicket."""
    try:
        topics = signing.loads(ticket, salt=_SALT, max_age=_LIFE_SECONDS)
    except signing.BadSignature as problem:
        raise BadTicket from problem
    return [str(topic) for topic in topics]
