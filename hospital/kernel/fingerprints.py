"""A short text that stands for a value: another value, another text."""

import hashlib
import json


def fingerprint(value: object) -> str:
    """The same for equal values of plain data, whatever the order of their keys."""
    plain = json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()
