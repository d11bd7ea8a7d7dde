"""A bill of a million rows: how long reading takes and how much memory, beside a plain csv read.

Each reading runs in a process of its own, so that its peak (as Linux counts it) is its own.
`python -m benchmarks.bills` prints the section alone.
"""

import csv
import gzip
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

ROWS = 1_000_000
STATUS = Path("/proc/self/status")
ROOT = Path(__file__).resolve().parents[1]
_HEADER = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,"
    "付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,"
    "退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)
_TOTALS = (
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
)
_SECTION = """## A day's bill of {rows:,} rows

The channel's bill of payments in its full layout of 27 columns, {megabytes:.0f} MB of text
({packed:.0f} MB as it is sent). Each reading runs in its own process and goes through every row.
The limit is Python's csv module over the same bytes: it splits lines and converts nothing. Ours
makes typed rows (fen, UTC moments) and compares their sums with the bill's totals; packed, it
unpacks as well. The peak is that of the whole process; in brackets, what reading added to it.

|  | seconds | rows/s | peak MB | of the csv read's time |
|---|---|---|---|---|
{lines}
"""


@dataclass(frozen=True)
class Reading:
    """One way of reading: seconds, and bytes at the peak, whole and added by reading."""

    name: str
    seconds: float
    peak: int
    added: int


@dataclass(frozen=True)
class Bills:
    rows: int
    text_bytes: int
    packed_bytes: int
    readings: Sequence[Reading]


def measure(folder: Path, *, rows: int = ROWS) -> Bills:
    """Write the bill into the folder and read it in every way."""
    text, packed = folder / "bill.csv", folder / "bill.csv.gz"
    _write(text, rows)
    with text.open("rb") as source, gzip.open(packed, "wb", compresslevel=6) as target:
        while piece := source.read(1 << 20):
            target.write(piece)
    readings = [
        _in_own_process("plain csv read", "csv", text, rows),
        _in_own_process("typed rows, sums checked", "typed", text, rows),
        _in_own_process("the same from the packed file", "packed", packed, rows),
    ]
    sizes = text.stat().st_size, packed.stat().st_size
    text.unlink()
    packed.unlink()
    return Bills(rows=rows, text_bytes=sizes[0], packed_bytes=sizes[1], readings=readings)


def section(figures: Bills) -> str:
    limit = figures.readings[0].seconds
    lines = [
        f"| {each.name} | {each.seconds:.1f} | {figures.rows / each.seconds:,.0f} |"
        f" {each.peak / 1e6:.0f} (+{each.added / 1e6:.1f}) | **{each.seconds / limit:.2f}** |"
        for each in figures.readings
    ]
    return _SECTION.format(
        rows=figures.rows,
        megabytes=figures.text_bytes / 1e6,
        packed=figures.packed_bytes / 1e6,
        lines="\n".join(lines),
    )


def _write(path: Path, rows: int) -> None:
    """Nine payments, then a refund of one of them, and so on; sums as they come to."""
    paid = back = fees = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"\ufeff{_HEADER}\r\n")
        for number in range(rows):
            fen = 100 + number * 37 % 50_000
            fee = fen * 6
            second = number * 86_399 // rows
            clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
            yuan, cost = f"{fen / 100:.2f}", f"{fee / 100_000:.5f}"
            is_refund = number % 10 == 9
            fees += -fee if is_refund else fee
            if is_refund:
                back += fen
                money = f"`0.00,`0.00,`50{number:026d},`10W{number:08d}R01,`{yuan},`0.00,`ORIGINAL"
                rest = f"`SUCCESS,`挂号费, 针灸推拿科,`,`-{cost},`0.60%,`0.00,`{yuan},`"
            else:
                paid += fen
                money = f"`{yuan},`0.00,`0,`0,`0.00,`0.00,`"
                rest = f"`,`挂号费, 针灸推拿科,`,`{cost},`0.60%,`{yuan},`0.00,`"
            state = "REFUND" if is_refund else "SUCCESS"
            file.write(
                f"`2026-11-22 {clock},`wx0123456789abcdef,`1600000001,`0,`W01,`4200{number:024d},"
                f"`10W{number:08d},`oUpF8uMuAJO{number:017d},`JSAPI,`{state},`OTHERS,`CNY,"
                f"{money},{rest}\r\n"
            )
        sums = f"`{paid / 100:.2f},`{back / 100:.2f},`0.0,`{fees / 100_000:.2f},`{paid / 100:.2f}"
        file.write(f"{_TOTALS}\r\n`{rows}.0,{sums},`{back / 100:.2f}\r\n")


def _in_own_process(name: str, way: str, path: Path, rows: int) -> Reading:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bills", way, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["rows"] == rows, (name, told)
    return Reading(name, told["seconds"], told["peak"], told["added"])


def _read_csv(path: Path) -> int:
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 3


def _read_typed(stream: BinaryIO) -> int:
    from hospital.wechat.bill_rows import read_trade_bill

    bill = read_trade_bill(stream)
    rows = sum(1 for _ in bill)
    assert bill.summary.rows == rows
    return rows


def _read_text(path: Path) -> int:
    with path.open("rb") as file:
        return _read_typed(file)


def _read_packed(path: Path) -> int:
    with gzip.open(path, "rb") as file:
        return _read_typed(cast("BinaryIO", io.BufferedReader(file)))


WAYS: dict[str, Callable[[Path], int]] = {
    "csv": _read_csv,
    "typed": _read_text,
    "packed": _read_packed,
}


def _once(way: str, path: Path) -> None:
    import hospital.wechat.bill_rows  # noqa: F401 - its import shall not count as reading

    STATUS.with_name("clear_refs").write_text("5")  # the peak starts again at what there is
    before, started = _memory("VmRSS"), time.perf_counter()
    rows = WAYS[way](path)
    seconds = time.perf_counter() - started
    peak = _memory("VmHWM")
    print(json.dumps({"rows": rows, "seconds": seconds, "peak": peak, "added": peak - before}))


def _memory(name: str) -> int:
    """What Linux counts for this process, in bytes."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def main() -> None:
    if len(sys.argv) == 3:
        _once(sys.argv[1], Path(sys.argv[2]))
        return
    with TemporaryDirectory(prefix="bills-") as folder:
        print(section(measure(Path(folder))))


if __name__ == "__main__":
    main()
