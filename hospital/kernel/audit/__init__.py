"""The audit trail (X13): written with every act, sealed into a chain, verified, read.

`record` is all an area needs. Rows are marked with a key that is not in the database (marks.py)
and sealed every minute (sealing.py), so that whoever changes them there is found (verifying.py).
"""

from hospital.kernel.audit.reading import Entries, Look, Wanted, find, seen_by, seen_lately
from hospital.kernel.audit.sealing import seal_entries
from hospital.kernel.audit.verifying import Anchors, Fault, keep, latest_verification, verify
from hospital.kernel.audit.writing import record, record_many

__all__ = [
    "Anchors",
    "Entries",
    "Fault",
    "Look",
    "Wanted",
    "find",
    "keep",
    "latest_verification",
    "record",
    "record_many",
    "seal_entries",
    "seen_by",
    "seen_lately",
    "verify",
]
