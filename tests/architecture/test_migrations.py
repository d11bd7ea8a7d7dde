"""Migrations are linear, named for what they do, and can be taken back."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import ClassVar

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations import Migration, RunPython
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tools.inventory import ROOT

NAME = re.compile(r"^\d{4}_[a-z0-9]+(_[a-z0-9]+)*$")
AUTOMATIC = re.compile(r"_auto_|_and_more$")


def own_migrations() -> list[Migration]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return [
        loader.disk_migrations[key] for key in sorted(loader.disk_migrations) if _is_own(key[0])
    ]


def _is_own(app_label: str) -> bool:
    return app_label in settings.AREAS


def irreversible(migrations: list[Migration]) -> list[str]:
    return [
        f"{migration.app_label}.{migration.name}: {operation.describe()}"
        for migration in migrations
        for operation in migration.operations
        if not operation.reversible
    ]


def test_every_operation_can_be_taken_back() -> None:
    assert irreversible(own_migrations()) == []


def test_a_planted_one_way_operation_is_caught() -> None:
    class ForgetNames(Migration):
        operations: ClassVar[list[Operation]] = [RunPython(lambda apps, editor: None)]

    planted = ForgetNames("0002_forget_names", "patients")

    assert irreversible([planted]) == ["patients.0002_forget_names: Raw Python operation"]


def test_each_area_has_one_line_of_migrations() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)

    for area in {migration.app_label for migration in own_migrations()}:
        (leaf,) = loader.graph.leaf_nodes(area)
        newest = ROOT / "hospital" / area / "migrations" / "max_migration.txt"
        assert newest.read_text("utf-8").strip() == leaf[1]


def test_names_say_what_a_migration_does() -> None:
    nameless = [
        migration.name
        for migration in own_migrations()
        if not NAME.match(migration.name) or AUTOMATIC.search(migration.name)
    ]

    assert nameless == []


@pytest.fixture
def scratch_database() -> Iterator[str]:
    """An empty database beside the tests' own; gives its address."""
    server = connection.get_connection_params()
    address = {key: server[key] for key in ("host", "port", "user", "password") if server.get(key)}
    name = f"{settings.DATABASES['default']['TEST']['NAME']}_back_{os.getpid()}"
    quoted = sql.Identifier(name)
    with psycopg.connect(make_conninfo(dbname="postgres", **address), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(quoted))
        yield make_conninfo(dbname=name, **address)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))


@pytest.mark.slow
@pytest.mark.thorough
def test_the_whole_schema_goes_up_down_and_up_again(scratch_database: str) -> None:
    program = (
        "import django; django.setup();"
        "from django.core.management import call_command as call;"
        "from tests.architecture.test_migrations import back_to_nothing;"
        "call('migrate', verbosity=0); back_to_nothing(); call('migrate', verbosity=0);"
        "call('migrate', check_unapplied=True, verbosity=0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": scratch_database},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr


def back_to_nothing() -> None:
    """Unapply every migration of ours, the newest first."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    executor.migrate(
        [(area, None) for area in settings.AREAS if area in executor.loader.migrated_apps]
    )
    executor.loader.build_graph()
    assert not [key for key in executor.loader.applied_migrations if _is_own(key[0])]
