"""The generated page that says which fault of WeChat leads where, from the rows the tests run."""

from tests.journeys.faults.ends import ENDS, End
from tests.journeys.faults.operations import IMPOSSIBLE, OPERATIONS
from tests.journeys.faults.table import ALIKE, ASKING, COSTLY, ROWS, Row
from tools.tables import page, table
from wechat_sandbox.fault_kinds import KINDS

MONEY = ("end", "", "order", "payment", "refund", "bill", "booking", "open case", "kept (fen)")
TOLD = ("end", "told by WeChat", "by SMS", "left to the inbox", "to be telephoned")
REST = ("end", "what else it leaves")


def faults() -> str:
    """The table, then what each operation and each end is."""
    return page(
        "Faults",
        "What goes wrong at WeChat, at which operation, and the one right end it leads to: "
        f"{len(ROWS)} rows, every one of the stand-in's {len(KINDS)} faults at each of "
        f"{len(OPERATIONS)} operations that passes a moment at which it strikes. Each line is a "
        "test (`tests/journeys/faults`): the fault strikes on the way, time passes, and "
        "afterwards both sides' books are compared with the end to the fen, nothing waits, and no "
        "job is left.",
        "Lines with a star are, to our client, the same as another fault at the same operation, "
        f"which could not cost money there (it could at {', '.join(COSTLY)}): `make test` leaves "
        f"them out. Of the others it tries all where money is asked for ({', '.join(ASKING)}), and "
        "elsewhere one for each end of an operation; "
        "`FAULTS=all make test ARGS=tests/journeys/faults` tries every line.",
        table(("fault", "what the stand-in does", "at", "meanwhile", "leads to"), map(_row, ROWS)),
        "## Operations\n\n"
        + table(
            ("operation", "what is under way", "moments of the stand-in it passes"),
            [
                (name, operation.says, ", ".join(point.value for point in operation.meets))
                for name, operation in OPERATIONS.items()
            ],
        ),
        "Never met, though the moment is passed:\n\n"
        + table(
            ("fault", "at", "because"),
            [(f"`{fault}`", name, why) for (fault, name), why in IMPOSSIBLE.items()],
        ),
        "The same to our client:\n\n"
        + table(("fault", "same as"), [(f"`{one}`", f"`{other}`") for one, other in ALIKE.items()]),
        "## Ends\n\n" + table(MONEY, [_money(name, end) for name, end in ENDS.items()]),
        "### What people are told\n\n"
        + table(TOLD, [_told(name, end) for name, end in ENDS.items() if any(_told("", end)[1:])]),
        "### What else is left\n\n"
        + table(REST, [(name, _rest(end)) for name, end in ENDS.items() if _rest(end)]),
    )


def _row(row: Row) -> tuple[str, ...]:
    options = ", ".join(
        f"{name} {value}" if value != -1 else "every time"
        for name, value in row.options.items()
        if name in ("value", "times")
    )
    says = KINDS[row.fault].says + (f" ({options})" if options else "")
    star = " *" if row.is_like_another else ""
    return f"`{row.fault}`{star}", says, row.operation, _meanwhile(row), row.end


def _meanwhile(row: Row) -> str:
    """What our side says before it ends."""
    said = [f"we answer {' '.join(map(str, row.door))}"] if row.door else []
    said += [f"page “{row.page}”"] if row.page else []
    said += [f"noted: {row.why}"] if row.why else []
    return "; ".join(said)


def _money(name: str, end: End) -> tuple[str, ...]:
    statuses = (end.order, end.payment, end.refund, end.bill, end.booking)
    return (
        name,
        end.says,
        *(status or "none" for status in statuses),
        " ".join(end.cases) or "none",
        str(end.kept_fen),
    )


def _told(name: str, end: End) -> tuple[str, ...]:
    return (name, *(" ".join(kinds) for kinds in (end.told, end.sms, end.inbox, end.calls)))


def _rest(end: End) -> str:
    """What only some ends have, in words."""
    facts = {
        "reported as delivered": " ".join(end.delivered),
        "heard": " ".join(end.heard),
        "answered": " ".join(end.said),
        "statements": ", ".join(end.statements),
        "lines of the trade statement": ", ".join(end.lines),
        "menu": end.menu,
        "people logged in": str(end.logged_in or ""),
        "fen sent to a bank card": str(end.at_bank_fen or ""),
        "fen in suspense": str(end.suspense_fen or ""),
        "fen owed back": str(end.due_fen or ""),
    }
    return "; ".join(f"{name}: {value}" for name, value in facts.items() if value)
