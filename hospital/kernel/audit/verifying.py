"""Going through the whole audit trail: is every row as it was written, and is every row there?

Reads rows and seals side by side in the order of their numbers, some thousand in memory at a time,
and goes on after a fault, so that one changed row does not hide another.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db.models import TextChoices

from hospital.kernel.audit import marks
from hospital.kernel.audit.sealing import HOLES_STAY_OPEN, RowDigest, entries_after
from hospital.kernel.models import AuditEntry, AuditSeal, AuditVerification

#: The seal job runs every minute; a worker may be restarted, but not for longer.
UNSEALED_AT_MOST: Final = dt.timedelta(minutes=15)
#: More are counted, not kept.
KEPT_FINDINGS: Final = 200
_SEALS_AT_ONCE: Final = 2000
_ENTRIES_AT_ONCE: Final = 10_000


class Fault(TextChoices):
    """What can be wrong with a number of the trail (labels are what the audit page says)."""

    CHANGED = "changed", "记录被改动或伪造"
    UNKNOWN_KEY = "unknown_key", "记录使用了未知的密钥"
    MISSING = "missing", "已封存的记录被删除"
    INSERTED = "inserted", "封存之后插入的记录"
    SEAL_CHANGED = "seal_changed", "封存值被改动"
    CUT = "cut", "已封存的一段整段消失"
    NOT_SEALED = "not_sealed", "记录长时间没有封存"


@dataclass(frozen=True)
class Finding:
    """One fault: of an entry, a seal ("seal 7") or all up to an entry ("through 900")."""

    fault: Fault
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {self.fault.value}"


@dataclass
class Verification:
    """What going through the trail has found so far; `findings` holds the first ones only."""

    entries: int = 0
    seals: int = 0
    unsealed: int = 0
    through_id: int = 0
    digest: str = ""
    faults: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not self.faults

    def note(self, fault: Fault, where: str) -> None:
        """Note one more fault."""
        self.faults += 1
        if len(self.findings) < KEPT_FINDINGS:
            self.findings.append(Finding(fault, where))


@dataclass(frozen=True)
class Anchors:
    """What is known from outside the database: seals by digest with the number of their last
    entry, and numbers of entries."""

    seals: Mapping[str, int] = field(default_factory=dict)
    entries: Collection[int] = ()


def verify(*, at: dt.datetime, anchors: Anchors | None = None) -> Verification:
    """Check every mark, every seal and the chain, as of one moment, and that what `anchors` name
    is there; the latest verification of our own is always one of them."""
    found, anchors = Verification(), anchors or Anchors()
    known = dict(anchors.seals)
    latest = latest_verification()
    if latest is not None and latest.digest and marks.is_own_verification(latest):
        known[latest.digest] = latest.through_id
    walk = _Walk(found, at=at)
    for seal in _seals(up_to=walk.newest_seal):
        known.pop(seal.digest, None)
        walk.check_seal(seal)
    walk.check_rest()
    walk.check_known(anchors.entries)
    for through in sorted(known.values()):
        found.note(Fault.CUT, f"through {through}")
    return found


def keep(found: Verification, *, at: dt.datetime) -> AuditVerification:
    """Store what a verification found; the next one starts from it, monitoring shows it."""
    row = AuditVerification(
        at=at,
        entries=found.entries,
        seals=found.seals,
        unsealed=found.unsealed,
        through_id=found.through_id,
        digest=found.digest,
        is_sound=found.is_sound,
        findings=[[finding.fault.value, finding.where] for finding in found.findings],
    )
    row.mac = marks.verification_mark(row)
    row.save(force_insert=True)
    return row


def latest_verification() -> AuditVerification | None:
    """The last verification that was stored, None before the first; a forged one is not sound."""
    row = AuditVerification.objects.order_by("-pk").first()
    if row is not None and not marks.is_own_verification(row):
        row.is_sound = False
    return row


class _Walk:
    """Rows and seals side by side. What is written meanwhile counts as not sealed yet."""

    def __init__(self, found: Verification, *, at: dt.datetime) -> None:
        self._found = found
        self._at = at
        newest = AuditSeal.objects.order_by("-pk").first()
        self.newest_seal = newest.pk if newest else 0
        seals = AuditSeal.objects.filter(pk__lte=self.newest_seal).exclude(late=[])
        self._told: list[tuple[int, int]] = []
        self._late = {pk for late in seals.values_list("late", flat=True) for pk in late}
        self._rows = entries_after(0)
        self._next = next(self._rows, None)

    def check_seal(self, seal: AuditSeal) -> None:
        """Check the rows a seal covers, that none is missing or too many, and the seal itself."""
        found, rows, before = self._found, RowDigest(), self._found.faults
        late = AuditEntry.objects.filter(pk__in=seal.late).order_by("pk")
        count = self._cover(late, rows)
        self._missing(_outside(seal.late, [entry.pk for entry in late]))
        expected = found.through_id + 1
        for entry in self._up_to(seal.through_id):
            if _is_in(entry.pk, seal.holes):
                self._in_hole(entry, seal)
                continue
            self._missing(_gaps(expected, entry.pk - 1, seal.holes))
            expected = entry.pk + 1
            count += self._cover([entry], rows)
        self._missing(_gaps(expected, seal.through_id, seal.holes))
        if found.faults == before and not self._is_intact(seal, rows, count):
            found.note(Fault.SEAL_CHANGED, f"seal {seal.pk}")
        found.seals += 1
        found.through_id, found.digest = seal.through_id, seal.digest

    def check_rest(self) -> None:
        """Check the marks of the rows no seal covers yet."""
        waiting_since = None
        for entry in self._up_to(None):
            self._check_mark(entry)
            self._found.unsealed += 1
            if self._at - entry.at > UNSEALED_AT_MOST:
                waiting_since = waiting_since or entry.pk
        if waiting_since is not None:
            self._found.note(Fault.NOT_SEALED, f"from entry {waiting_since}")

    def check_known(self, entries: Iterable[int]) -> None:
        """Check that entries known from outside are there; what seals miss was told already."""
        known = sorted(set(entries))
        for start in range(0, len(known), _ENTRIES_AT_ONCE):
            asked = known[start : start + _ENTRIES_AT_ONCE]
            rows = AuditEntry.objects.filter(pk__in=asked)
            gone = _outside(asked, rows.values_list("pk", flat=True))
            self._missing(span for span in gone if not _is_in(span[0], self._told))

    def _up_to(self, through: int | None) -> Iterator[AuditEntry]:
        while self._next is not None and (through is None or self._next.pk <= through):
            entry, self._next = self._next, next(self._rows, None)
            if entry.pk not in self._late:
                yield entry

    def _cover(self, entries: Iterable[AuditEntry], rows: RowDigest) -> int:
        count = 0
        for entry in entries:
            rows.add(entry, self._check_mark(entry))
            count += 1
        return count

    def _check_mark(self, entry: AuditEntry) -> bytes:
        self._found.entries += 1
        content = marks.canonical(entry)
        try:
            if not marks.is_marked(entry, content):
                self._found.note(Fault.CHANGED, f"entry {entry.pk}")
        except marks.UnknownKey:
            self._found.note(Fault.UNKNOWN_KEY, f"entry {entry.pk}")
        return content

    def _in_hole(self, entry: AuditEntry, seal: AuditSeal) -> None:
        """A row whose transaction ended after the seal: the next seal will cover it, if soon."""
        self._check_mark(entry)
        if self._at - seal.sealed_at > HOLES_STAY_OPEN:
            self._found.note(Fault.INSERTED, f"entry {entry.pk}")
        else:
            self._found.unsealed += 1

    def _missing(self, spans: Iterable[tuple[int, int]]) -> None:
        for first, last in spans:
            name = f"entry {first}" if first == last else f"entries {first}-{last}"
            self._found.note(Fault.MISSING, name)
            self._told.append((first, last))

    def _is_intact(self, seal: AuditSeal, rows: RowDigest, count: int) -> bool:
        try:
            digest = marks.seal_digest(seal, previous=self._found.digest, rows=str(rows))
        except marks.UnknownKey:
            return False
        return digest == seal.digest and count == seal.entries


def _seals(*, up_to: int) -> Iterator[AuditSeal]:
    pk = 0
    seals = AuditSeal.objects.filter(pk__lte=up_to).order_by("pk")
    while batch := list(seals.filter(pk__gt=pk)[:_SEALS_AT_ONCE]):
        yield from batch
        pk = batch[-1].pk


def _is_in(pk: int, spans: Iterable[Sequence[int]]) -> bool:
    return any(first <= pk <= last for first, last in spans)


def _outside(wanted: Iterable[int], there: Iterable[int]) -> list[tuple[int, int]]:
    return [(pk, pk) for pk in sorted(set(wanted) - set(there))]


def _gaps(first: int, last: int, holes: Iterable[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """The parts of first–last that no hole explains."""
    for hole_first, hole_last in sorted((a, b) for a, b in holes):
        if hole_last < first or hole_first > last:
            continue
        if first < hole_first:
            yield first, hole_first - 1
        first = hole_last + 1
    if first <= last:
        yield first, last
