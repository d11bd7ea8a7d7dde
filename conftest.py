"""Tests run on a real PostgreSQL: DATABASE_URL where set, else an embedded server under .run/."""

import os
from collections.abc import Iterator

import django
import hypothesis
import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.config.settings")
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs a loop beside the ORM

from hospital.config import embedded

# Before Django reads its settings: pyproject.toml names none to pytest, so that this comes first.
embedded.ensure_database_url()
django.setup()

# A password's price is meant for guessers; hundreds of made-up members of staff need not pay it.
Argon2PasswordHasher.time_cost = 1
Argon2PasswordHasher.memory_cost = 64
Argon2PasswordHasher.parallelism = 1

# Every test client builds the middleware anew, and would look through all folders of static files.
settings.WHITENOISE_AUTOREFRESH = True

# A property says nothing about speed, and a busy machine is no counterexample. The same examples
# every time, so that a red test is the change's own doing; EXPLORE=1 draws new ones.
hypothesis.settings.register_profile(
    "patient", deadline=None, derandomize="EXPLORE" not in os.environ
)
hypothesis.settings.load_profile("patient")

pytest_plugins = ["hospital.testing.browser", "hospital.testing.wechat"]


#: Marks of tests that take seconds.
LONG = ("browser", "slow")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with long tests come first, each whole: what is short then fills the workers evenly,
    and none is left alone with a minute's work when the other has nothing more to do."""
    long = {item.path for item in items if any(item.get_closest_marker(mark) for mark in LONG)}
    items.sort(key=lambda item: item.path not in long)


def pytest_sessionfinish() -> None:
    """What the databases of this run were copied from goes with the first worker that is done:
    by then the others have their own."""
    from hospital.testing import database

    database.drop_tables()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Several workers make the tables once and copy them."""
    from hospital.testing import database

    if "PYTEST_XDIST_WORKER" in os.environ:
        with django_db_blocker.unblock():
            connection.settings_dict["TEST"]["TEMPLATE"] = database.tables()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """pytest-django's own, made quicker; and at the end nobody stays connected: threads and killed
    processes of tests may have left sessions, and a database in use cannot be dropped."""
    from hospital.testing import database

    with django_db_blocker.unblock():
        database.make_quick()
    database.empty_quickly()
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(autouse=True)
def _fresh_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Configuration rows are cached for a second: a test must not see the previous one's, and the
    number of its statements must not depend on how fast it runs."""
    from hospital.kernel import settings_rows

    monkeypatch.setattr(settings_rows, "CACHE_SECONDS", 3600.0)
    settings_rows.forget()
    yield
    settings_rows.forget()


@pytest.fixture(autouse=True)
def _fresh_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a rush reads is cached for a second: tests see every change at once."""
    from hospital.kernel import moment_cache, pace

    monkeypatch.setattr(moment_cache, "SECONDS", 0.0)
    monkeypatch.setattr(moment_cache, "MACHINE", "default")  # other tests may run beside these
    moment_cache.forget_all()
    pace.forget_all()


@pytest.fixture(autouse=True)
def _no_jobs_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test commits is flushed after it; Django's flush does not know the job table."""
    yield
    marker = request.node.get_closest_marker("django_db")
    commits = {"transactional_db", "live_server"} & set(request.fixturenames)
    if not commits and not (marker and marker.kwargs.get("transaction")):
        return
    from django.db import connection

    with request.getfixturevalue("django_db_blocker").unblock(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
