"""The stand-in's SQLite file: one connection, used from one thread, typed rows out.

Everything runs on the event loop's thread, so a block without `await` is atomic by itself;
`write()` makes it atomic on disk too. Callers write SQL beside the rule that needs it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from wechat_sandbox.schema import ADDED, SCRIPTS, TABLES

Value = str | int | float | None
Record = TypeVar("Record")


class Store:
    """Reads and writes of `<data>/sandbox.sqlite3`."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        for script in SCRIPTS:
            self._connection.executescript(script)
        self._add_columns()
        self._depth = 0
        self._flags: dict[type[Any], frozenset[str]] = {}

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    @contextmanager
    def write(self) -> Iterator[None]:
        """All or nothing; may be nested, the outermost one commits."""
        if self._depth == 0:
            self._connection.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("ROLLBACK")
            raise
        self._depth -= 1
        if self._depth == 0:
            self._connection.execute("COMMIT")

    def all(self, kind: type[Record], sql: str, *values: Value) -> list[Record]:
        """Every row of the query as records; columns must be the record's fields."""
        flags = self._flags_of(kind)
        found: list[Record] = []
        for row in self._connection.execute(sql, values):
            columns = dict(row)
            for name in flags:
                columns[name] = bool(columns[name])
            found.append(kind(**columns))
        return found

    def one(self, kind: type[Record], sql: str, *values: Value) -> Record | None:
        """The first row, or None."""
        found = self.all(kind, sql, *values)
        return found[0] if found else None

    def number(self, sql: str, *values: Value) -> float | None:
        """The first column of the first row of a query about one number."""
        row = self._connection.execute(sql, values).fetchone()
        return None if row is None or row[0] is None else float(row[0])

    def texts(self, sql: str, *values: Value) -> list[str]:
        """The first column of every row of a query about texts."""
        return [str(row[0]) for row in self._connection.execute(sql, values)]

    def run(self, sql: str, *values: Value) -> int:
        """Execute and say how many rows were touched."""
        return self._connection.execute(sql, values).rowcount

    def insert(self, table: str, **columns: Value) -> int:
        """Insert one row and answer its row id."""
        names = ", ".join(columns)
        marks = ", ".join("?" for _ in columns)
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - names are ours
        return int(self._connection.execute(sql, tuple(columns.values())).lastrowid or 0)

    def meta(self, key: str, default: str) -> str:
        """A remembered setting of the stand-in."""
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return default if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Remember a setting."""
        self.run("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", key, value)

    def clear(self) -> None:
        """Forget everything; the tables stay."""
        with self.write():
            for table in TABLES:
                self.run(f"DELETE FROM {table}")  # noqa: S608 - names are ours

    def _add_columns(self) -> None:
        """Bring the file of an older version up to date."""
        for table, column, declaration in ADDED:
            columns = self._connection.execute(f"PRAGMA table_info({table})").fetchall()
            if column not in {row["name"] for row in columns}:
                self._connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {declaration}")

    def _flags_of(self, kind: type[Any]) -> frozenset[str]:
        if kind not in self._flags:
            hints = get_type_hints(kind)
            self._flags[kind] = frozenset(f.name for f in fields(kind) if hints[f.name] is bool)
        return self._flags[kind]
