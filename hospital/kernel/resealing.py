"""Bringing every sealed value under the current key while everybody goes on working.

Columns are found by their field, so a new sealed column needs nothing. A batch locks its rows only
where nobody else holds them and waits for no lock, so it can never be part of a deadlock; what it
left out the next pass takes. A value is replaced only as long as it is the one that was opened.
Nothing is remembered between runs: what is still under an old key says how far it came.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from django.apps import apps
from django.db import connection, models, transaction

from hospital.kernel import sealed
from hospital.kernel.sealed import SealedBinaryField, SealedCharField

BATCH: Final = 200


@dataclass(frozen=True)
class SealedColumn:
    """One sealed column of one table."""

    model: type[models.Model]
    name: str
    column: str
    is_binary: bool

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.name}"

    def sql(self, template: str) -> str:
        """The statement with its {table}, {pk}, {column}, {key} (the key's id) and {empty}."""
        quote, meta = connection.ops.quote_name, self.model._meta
        column = quote(self.column)
        text = f"encode(substring({column} FROM 1 FOR 40), 'escape')" if self.is_binary else column
        return template.format(
            table=quote(meta.db_table),
            pk=quote(str(meta.pk.column)),
            column=column,
            key=f"split_part({text}, ':', 1)",
            empty=f"{column} IS NULL OR length({column}) = 0",
        )


@dataclass(frozen=True)
class Batch:
    """What one batch did: values resealed, values no key of ours opens, where to go on."""

    resealed: int
    unreadable: tuple[int, ...]
    after: int | None


def sealed_columns() -> list[SealedColumn]:
    """Every sealed column of every table, by name."""
    found = [
        SealedColumn(model, field.attname, str(field.column), isinstance(field, SealedBinaryField))
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, SealedCharField | SealedBinaryField)
    ]
    return sorted(found, key=str)


def values_by_key(column: SealedColumn) -> dict[str, int]:
    """How many values are sealed under which key."""
    with connection.cursor() as cursor:
        cursor.execute(
            column.sql("SELECT {key}, count(*) FROM {table} WHERE NOT ({empty}) GROUP BY 1")
        )
        return dict(cursor.fetchall())


def reseal(column: SealedColumn, *, batch: int = BATCH) -> Iterator[Batch]:
    """One pass through a column, a short transaction a batch."""
    after: int | None = 0
    while after is not None:
        done = _batch(column, after=after, size=batch)
        yield done
        after = done.after


def _batch(column: SealedColumn, *, after: int, size: int) -> Batch:
    current = sealed.current_key_id()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            column.sql(
                "SELECT {pk}, {column} FROM {table} WHERE {pk} > %s AND NOT ({empty})"
                " AND {key} <> %s ORDER BY {pk} LIMIT %s FOR NO KEY UPDATE SKIP LOCKED"
            ),
            [after, current, size],
        )
        rows = cursor.fetchall()
        unreadable, changes = [], []
        for pk, value in rows:
            try:
                changes.append([_again(value), pk, value])
            except (KeyError, InvalidTag):
                unreadable.append(pk)
        update = column.sql("UPDATE {table} SET {column} = %s WHERE {pk} = %s AND {column} = %s")
        cursor.executemany(update, changes)
    return Batch(
        resealed=len(changes),
        unreadable=tuple(unreadable),
        after=rows[-1][0] if len(rows) == size else None,
    )


def _again(value: Any) -> Any:
    if isinstance(value, str):
        return sealed.seal(sealed.unseal(value))
    return sealed.seal_bytes(sealed.unseal_bytes(bytes(value)))
