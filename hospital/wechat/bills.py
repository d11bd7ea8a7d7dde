"""Fetching a day's bill: ask for its address, then stream it to a temporary file, in one step.

The file is unsigned; its SHA-1 over the uncompressed bytes comes in the signed answer, so bytes are
unpacked and hashed as they arrive and nothing is handed on before the hash agrees. The address
lives for minutes: when the file does not come whole, a new address is asked for, once.
"""

import gzip
import hashlib
import hmac
import tempfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from types import TracebackType
from typing import IO, BinaryIO, Literal, Self, cast
from urllib.parse import urlencode, urlsplit

from hospital.wechat import reading
from hospital.wechat.outcomes import Refused, Unknown
from hospital.wechat.pay_calls import PayCalls

TradeKind = Literal["ALL", "SUCCESS", "REFUND"]
Account = Literal["BASIC", "OPERATION", "FEES"]

DOWNLOADS = "/v3/billdownload/"
GZIP_MARK = b"\x1f\x8b"
PIECE_BYTES = 256 * 1024
# A million rows are about 400 MB; beyond this somebody is filling our disk.
MOST_BYTES = 8 * 1024**3


@dataclass(frozen=True, kw_only=True)
class NotReady:
    """WeChat is still making this day's bill: ask again later."""


@dataclass(frozen=True, kw_only=True)
class NoBill:
    """Nothing happened that day: an ordinary outcome, a bill of zero."""


class BillFetched:
    """A bill whose hash agreed, compressed in a temporary file that closing deletes."""

    def __init__(self, *, file: IO[bytes], sha1: str, size: int) -> None:
        self._file = file
        self.sha1 = sha1
        self.size = size
        """Bytes of the uncompressed file."""

    def text(self) -> BinaryIO:
        """The uncompressed bytes, from the start."""
        self._file.seek(0)
        return cast("BinaryIO", gzip.GzipFile(fileobj=self._file, mode="rb"))

    def packed(self) -> bytes:
        """The whole gzip file, for keeping; whoever reads the text goes on where they were."""
        place = self._file.tell()
        self._file.seek(0)
        whole = self._file.read()
        self._file.seek(place)
        return whole

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


BillOutcome = BillFetched | NotReady | NoBill | Refused | Unknown


def trade_target(*, day: date, kind: TradeKind) -> str:
    query = {"bill_date": day.isoformat(), "bill_type": kind, "tar_type": "GZIP"}
    return f"/v3/bill/tradebill?{urlencode(query)}"


def fund_target(*, day: date, account: Account) -> str:
    query = {"bill_date": day.isoformat(), "account_type": account, "tar_type": "GZIP"}
    return f"/v3/bill/fundflowbill?{urlencode(query)}"


def fetch(calls: PayCalls, *, call: str, target: str) -> BillOutcome:
    """The bill behind an address of `trade_target` or `fund_target`."""
    outcome: BillOutcome = Unknown(reason="not_asked")
    for _ in range(2):
        place = _ask_place(calls, call, target)
        if not isinstance(place, _Place):
            return place
        outcome = _download(calls, place)
        if isinstance(outcome, BillFetched) or _is_final(outcome):
            return outcome
    return outcome


@dataclass(frozen=True, kw_only=True)
class _Place:
    target: str
    sha1: str


class _Broken(Exception):
    """The bytes that come are not the bill."""


def _ask_place(
    calls: PayCalls, call: str, target: str
) -> _Place | NotReady | NoBill | Refused | Unknown:
    facts = calls.ask(call, "GET", target)
    if isinstance(facts, Refused):
        code = facts.code.replace("_", "").upper()
        if code == "STATEMENTCREATING":
            return NotReady()
        return NoBill() if code == "NOSTATEMENTEXIST" else facts
    return facts if isinstance(facts, Unknown) else _read_place(facts)


def _read_place(facts: reading.Facts) -> _Place | Unknown:
    url, kind, value = (facts.get(name) for name in ("download_url", "hash_type", "hash_value"))
    if kind != "SHA1" or not isinstance(value, str):
        return Unknown(reason="unreadable:hash")
    parts = None
    with suppress(ValueError):
        parts = urlsplit(url) if isinstance(url, str) else None
    # Only path and query are used: our signature never leaves for another host.
    if parts is None or not parts.path.startswith(DOWNLOADS):
        return Unknown(reason="unreadable:download_url")
    return _Place(target=f"{parts.path}?{parts.query}", sha1=value.lower())


def _download(calls: PayCalls, place: _Place) -> BillFetched | Refused | Unknown:
    # Deleted with the object, or at once when the bytes are not the bill.
    file = tempfile.TemporaryFile(prefix="bill-", suffix=".gz")  # noqa: SIM115
    receiver = _Receiver(file)
    try:
        problem = calls.download("bill_file", place.target, take=receiver.take)
        if problem is None:
            receiver.finish()
            if hmac.compare_digest(receiver.sha1, place.sha1):
                return BillFetched(file=file, sha1=receiver.sha1, size=receiver.size)
            problem = Unknown(reason="bill_hash")
    except _Broken as error:
        problem = Unknown(reason=f"bill_{error}")
    except BaseException:
        file.close()
        raise
    file.close()
    return problem


def _is_final(outcome: Refused | Unknown) -> bool:
    """An address that has expired is refused with 400 or 404; other refusals will not change."""
    return isinstance(outcome, Refused) and outcome.status not in (
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
    )


class _Receiver:
    """Keeps the gzip file and hashes what is in it, a piece at a time. A file that comes unpacked
    after all is packed here."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha1(usedforsecurity=False)
        self._start = b""
        self._unpacker: zlib._Decompress | None = None
        self._packer: zlib._Compress | None = None
        self.size = 0

    @property
    def sha1(self) -> str:
        return self._hash.hexdigest()

    def take(self, piece: bytes) -> None:
        if self._unpacker is None and self._packer is None:
            self._start += piece
            if len(self._start) < len(GZIP_MARK):
                return
            piece = self._begin()
        if self._packer is not None:
            self._note(piece)
            self._file.write(self._packer.compress(piece))
        else:
            self._file.write(piece)
            self._unpack(piece)

    def finish(self) -> None:
        """Raises _Broken when the gzip file ended early."""
        if self._unpacker is None and self._packer is None:
            self.take(self._begin())
        if self._packer is not None:
            self._file.write(self._packer.flush())
        elif self._unpacker is not None and not self._unpacker.eof:
            raise _Broken("cut_off")

    def _begin(self) -> bytes:
        if self._start.startswith(GZIP_MARK):
            self._unpacker = zlib.decompressobj(wbits=31)
        else:
            self._packer = zlib.compressobj(wbits=31)
        return self._start

    def _unpack(self, piece: bytes) -> None:
        try:
            while piece:
                if self._unpacker is None or self._unpacker.eof:
                    self._unpacker = zlib.decompressobj(wbits=31)
                self._note(self._unpacker.decompress(piece, PIECE_BYTES))
                piece = self._unpacker.unconsumed_tail or self._unpacker.unused_data
        except zlib.error as error:
            raise _Broken("gzip") from error

    def _note(self, text: bytes) -> None:
        self.size += len(text)
        if self.size > MOST_BYTES:
            raise _Broken("too_big")
        self._hash.update(text)
