"""What people typed into a field: without blanks around it, never longer than it may be.

The character NUL, which no keyboard has and PostgreSQL keeps in no text, is left out.
"""

from collections.abc import Mapping


def typed(data: Mapping[str, str], name: str, *, most: int) -> str:
    """The text of a field, at most so many characters; "" when it is not there."""
    return data.get(name, "").replace("\x00", "").strip()[:most]
