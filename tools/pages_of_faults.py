"""The generated page that says which fault of WeChat leads where, from the rows the tests run."""

from tests.journeys.faults.ends import ENDS, End
from tests.journeys.faults.table import OPERATIONS, ROWS, Row
from tools.tables import page, table
from wechat_sandbox.fault_kinds import KINDS


def faults() -> str:
    """The table, then what each end is."""
    return page(
        "Faults",
        "What goes wrong at WeChat, at which operation, and the one right end it leads to. Each "
        "line is a test (`tests/journeys/faults`): the fault strikes on the way, time passes, and "
        "afterwards both sides' books are compared with the end to the fen, nothing waits, and no "
        "job is left.",
        table(("fault", "what the stand-in does", "at", "leads to"), map(_row, ROWS)),
        "## Operations\n\n"
        + table(
            ("operation", "what is under way"),
            [(name, operation.says) for name, operation in OPERATIONS.items()],
        ),
        "## Ends\n\n"
        + table(
            ("end", "", "order", "payment", "refund", "bill", "booking", "told", "open case"),
            [_end(name, end) for name, end in ENDS.items()],
        )
        + "\n\nKept by the hospital in the books of both: "
        + "; ".join(f"{name} {end.kept_fen} fen" for name, end in ENDS.items() if end.kept_fen)
        + ".",
    )


def _row(row: Row) -> tuple[str, ...]:
    options = ", ".join(
        f"{name} {value}" for name, value in row.options.items() if name in ("value", "times")
    )
    says = KINDS[row.fault].says + (f" ({options})" if options else "")
    return f"`{row.fault}`", says, row.operation, row.end


def _end(name: str, end: End) -> tuple[str, ...]:
    return (
        name,
        end.says,
        end.order or "none",
        end.payment,
        end.refund or "none",
        end.bill,
        end.booking,
        " ".join(end.told) or "nothing",
        " ".join(end.cases) or "none",
    )
