"""What is kept for a second, by one process and by all of a machine (law 13)."""

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import override_settings

from hospital.kernel import moment_cache
from hospital.kernel.moment_cache import MomentCache


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that stands at 100 seconds until a test moves it."""
    stands = SimpleNamespace(now=100.0)
    monkeypatch.setattr(moment_cache, "time", SimpleNamespace(monotonic=lambda: stands.now))
    monkeypatch.setattr(moment_cache, "SECONDS", 1.0)
    return stands


def test_law_13_a_value_is_kept_for_a_second(clock: SimpleNamespace) -> None:
    cache: MomentCache[str, int] = MomentCache()
    assert (cache.kept("beds"), cache.get("beds", lambda: 1), cache.kept("beds")) == (None, 1, 1)
    clock.now += 0.9
    assert (cache.get("beds", lambda: 2), cache.kept("beds")) == (1, 1)
    clock.now += 0.1
    assert (cache.kept("beds"), cache.get("beds", lambda: 3)) == (None, 3)


def test_law_13_processes_take_over_what_another_asked(clock: SimpleNamespace) -> None:
    """Two caches of one name are what two processes have; the age is that of the asking."""
    here: MomentCache[tuple[int, str], list[int]] = MomentCache(name="beds")
    there: MomentCache[tuple[int, str], list[int]] = MomentCache(name="beds")
    other: MomentCache[tuple[int, str], list[int]] = MomentCache(name="rooms")
    assert here.get((1, "a"), lambda: [1]) == [1]
    clock.now += 0.9
    assert there.get((1, "a"), lambda: [2]) == [1]
    assert there.get((1, "b"), lambda: [3]) == [3]
    assert other.get((1, "a"), lambda: [4]) == [4]
    clock.now += 0.2
    assert there.get((1, "a"), lambda: [5]) == [5]


def test_law_13_a_cache_without_a_name_is_its_process_own() -> None:
    one: MomentCache[str, int] = MomentCache()
    two: MomentCache[str, int] = MomentCache()
    assert (one.get("beds", lambda: 1), two.get("beds", lambda: 2)) == (1, 2)


def test_what_took_longer_than_a_second_to_find_is_nobody_elses(clock: SimpleNamespace) -> None:
    here: MomentCache[str, int] = MomentCache(name="beds")
    there: MomentCache[str, int] = MomentCache(name="beds")

    def slowly() -> int:
        clock.now += 1.5
        return 1

    assert (here.get("beds", slowly), here.kept("beds")) == (1, None)
    assert there.get("beds", lambda: 2) == 2


def test_a_folder_that_cannot_be_written_is_told_and_every_process_works_for_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    monkeypatch.setattr(moment_cache, "MACHINE", "blocked")
    folder = "django.core.cache.backends.filebased.FileBasedCache"
    blocked = {"BACKEND": folder, "LOCATION": str(tmp_path / "file" / "cache")}
    with override_settings(CACHES={"default": blocked, "blocked": blocked}):
        here: MomentCache[str, int] = MomentCache(name="beds")
        assert [here.get("beds", lambda: 1), here.get("beds", lambda: 2)] == [1, 1]
    told = [(row.levelno, row.message) for row in caplog.records]
    assert told == [
        (logging.ERROR, "values of other processes cannot be read"),
        (logging.ERROR, "values cannot be written for other processes"),
    ]
