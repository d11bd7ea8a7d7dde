"""What people typed into a field: without blanks around it, never longer than it may be.

The character NUL, which no keyboard has and PostgreSQL keeps in no text, is left out. And the ids
that forms carry along, which strangers may have changed.
"""

import re
from collections.abc import Mapping
from typing import Final

from hospital.kernel.money import parse_plain

#: Every number of so many digits fits a column of ids.
_LONGEST_ID: Final = 18
_YUAN: Final = re.compile(r"[0-9]{1,5}([.。][0-9]{1,2})?")


def typed(data: Mapping[str, str], name: str, *, most: int) -> str:
    """The text of a field, at most so many characters; "" when it is not there."""
    return data.get(name, "").replace("\x00", "").strip()[:most]


def typed_id(text: str) -> int | None:
    """The id a field carries; None for whatever is none, or too long to be one."""
    is_id = text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID
    return int(text) if is_id else None


def typed_fen(text: str) -> int | None:
    """Notes on a table, typed in yuan, as fen; None for whatever is no such sum."""
    plain = text.strip().lstrip("¥￥").strip()
    return parse_plain(plain.replace("。", ".")) if _YUAN.fullmatch(plain) else None
