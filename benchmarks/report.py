"""The figures as text: printed, and written to docs/benchmarks.md."""

import datetime as dt
from collections.abc import Sequence

from benchmarks import limits
from benchmarks.load import Answers
from benchmarks.measure import Figures
from benchmarks.world import ROOT

_PAGE = """# Benchmarks

Written by `make bench`. Every figure and the limit beside it come from one run on one machine: the
ratios may be compared between machines, the absolute figures may not. No test asserts any of them.

{versions}

## Bookings

A booking is `POST /m/book/…` through HTTP by a logged-in patient, each by another person, spread
over 16 clinics: session, access, all checks of M1.3, one claimed number, appointment, bill, timer,
one commit with fsync. The limit is the same rows written by pgbench into copies of the same tables
with the same indexes, on the same server, prepared, one transaction each.

{bookings}

{anatomy}

## Pages

{pages}

Each read is by another logged-in person. The empty page is the frame of every patient page with
nothing in it: session, user, base template. The bare view is `/healthz`: middleware alone, neither
database nor template.

{sections}

## Where the time goes, and what would be next

{reading}
"""


def write(figures: Figures, sections: Sequence[str], versions: dict[str, str]) -> None:
    """Print the figures and write the page; `sections` come ready from their own measurements."""
    page = _PAGE.format(
        versions=_versions(versions),
        bookings=_bookings(figures),
        anatomy=_anatomy(figures),
        pages=_pages(figures),
        sections="\n\n".join(section.strip() for section in sections),
        reading=_reading(figures),
    )
    (ROOT / "docs" / "benchmarks.md").write_text(page, "utf-8")
    print(page)


def _versions(versions: dict[str, str]) -> str:
    day = dt.datetime.now(dt.UTC).date()
    return (
        f"Measured {day}: " + ", ".join(f"{name} {text}" for name, text in versions.items()) + "."
    )


def _head(measured: str, limit: str) -> str:
    names = ["", measured, "p50 ms", "p95 ms", "p99 ms", limit, "ratio"]
    return f"| {' | '.join(names)} |\n|{'---|' * len(names)}"


def _row(name: str, answers: Answers, limit: float) -> str:
    return (
        f"| {name} | {answers.per_second:.0f} | {answers.percentile_ms(0.5):.1f} "
        f"| {answers.percentile_ms(0.95):.1f} | {answers.percentile_ms(0.99):.1f} "
        f"| {limit:.0f} | **{answers.per_second / limit:.3f}** |"
    )


def _bookings(figures: Figures) -> str:
    head = _head("bookings/s", "pgbench tps")
    together = _row("16 at once", figures.bookings, figures.booking_limit.per_second)
    alone = _row(
        "one after another", figures.bookings_alone, figures.booking_limit_alone.per_second
    )
    return f"{head}\n{together}\n{alone}"


def _anatomy(figures: Figures) -> str:
    parts = figures.parts
    rows = limits.described(parts.written)
    statements = ", ".join(f"{count}× `{text}`" for text, count in parts.statements.most_common())
    return (
        f"One booking writes (+ inserted, ~ updated): {rows}.\n\n"
        f"It takes {parts.statement_count} statements with session and savepoints: {statements}."
    )


def _pages(figures: Figures) -> str:
    names = ["", "pages/s", "p50 ms", "p95 ms", "p99 ms", "of the empty page", "of the bare view"]
    rows = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    for name, answers in (
        ("doctors of a department (roster)", figures.rosters),
        ("department list", figures.departments),
        ("empty page, logged in", figures.empty_page),
        ("bare view", figures.bare),
    ):
        times = [f"{answers.percentile_ms(share):.1f}" for share in (0.5, 0.95, 0.99)]
        shares = [
            f"**{answers.per_second / limit.per_second:.3f}**"
            for limit in (figures.empty_page, figures.bare)
        ]
        rows.append(f"| {' | '.join([name, f'{answers.per_second:.0f}', *times, *shares])} |")
    return "\n".join(rows)


def _reading(figures: Figures) -> str:
    parts = figures.parts
    share = 100 * parts.sql_ms / parts.total_ms
    python_ms = parts.total_ms - parts.sql_ms
    return (
        f"In one process without the network a booking takes {parts.total_ms:.1f} ms: "
        f"{parts.sql_ms:.1f} ms ({share:.0f} %) waiting for its statements, {python_ms:.1f} ms in "
        "Python (the framework's request cycle, the ORM building queries and objects, templates). "
        "The database is not the limit on two cores: Python is. Next would be fewer ORM objects on "
        "the path of a booking (rows as tuples), one statement for session and user, and a second "
        "machine for web processes, which share nothing but the database."
    )
