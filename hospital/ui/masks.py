"""How personal data is hidden on lists, screens and messages (rules Q11 and X12).

Pure functions of text. What is masked stays masked: nothing here can be undone, so pages that
may reveal a value ask the patients area for it, which records the act.
"""

from __future__ import annotations

import unicodedata

STAR = "*"


def mask_name(name: str) -> str:
    """Return a name as waiting screens show it: 张*, 张*明, 欧**明; foreign names keep a letter.

    Foreign names (anything with a Latin or other alphabetic first letter) become that letter in
    upper case and three stars. An empty name stays empty.
    """
    plain = "".join(name.split())
    if not plain:
        return ""
    if not _is_han(plain[0]):
        return plain[0].upper() + STAR * 3
    if len(plain) == 1:
        return plain
    if len(plain) == 2:
        return plain[0] + STAR
    return plain[0] + STAR * (len(plain) - 2) + plain[-1]


def mask_id(number: str) -> str:
    """Return a document number with its first 3 and last 4 characters, the rest stars (X12).

    Numbers too short for that keep only their last two characters.
    """
    plain = "".join(number.split())
    if len(plain) <= 8:
        return STAR * max(len(plain) - 2, 0) + plain[-2:]
    return plain[:3] + STAR * (len(plain) - 7) + plain[-4:]


def mask_phone(number: str) -> str:
    """Return a mobile number as 138****1234; other numbers keep only their last four digits."""
    plain = "".join(number.split())
    if len(plain) == 11 and plain.isdigit():
        return plain[:3] + STAR * 4 + plain[-4:]
    return STAR * max(len(plain) - 4, 0) + plain[-4:]


def _is_han(character: str) -> bool:
    return "CJK" in unicodedata.name(character, "")
