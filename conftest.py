"""Tests run on a real PostgreSQL: DATABASE_URL where set, else an embedded server under .run/."""

import os
from collections.abc import Iterator

import hypothesis
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.config.settings")
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs a loop beside the ORM

from hospital.config import embedded

embedded.ensure_database_url()

# A property says nothing about speed, and a busy machine is no counterexample.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

pytest_plugins = ["hospital.testing.browser", "hospital.testing.wechat"]


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    """Configuration rows are cached for a second: a test must not see the previous one's."""
    from hospital.kernel import settings_rows

    settings_rows.forget()
    yield
    settings_rows.forget()


@pytest.fixture(autouse=True)
def _fresh_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a rush reads is cached for a second: tests see every change at once."""
    from hospital.kernel import moment_cache

    monkeypatch.setattr(moment_cache, "SECONDS", 0.0)
    moment_cache.forget_all()
