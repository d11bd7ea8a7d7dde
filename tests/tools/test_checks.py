"""tools/check: what fails is shown, what passes is one line; drift of a generated page is found."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import checks, generate_docs
from tools.checks import Stage
from tools.inventory import ROOT
from tools.tables import first_sentence, table


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> None:
    good = Stage("good", 5, (sys.executable, "-c", "print('a hundred lines')"))
    bad = Stage("bad", 5, (sys.executable, "-c", "print('line 7 is wrong'); raise SystemExit(3)"))
    monkeypatch.setattr(checks, "STAGES", (bad, good))


@pytest.mark.usefixtures("stages")
def test_all_stages_run_and_only_the_broken_one_speaks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["tools/check"])

    assert checks.main() == 1

    said = capsys.readouterr().out
    assert "line 7 is wrong" in said
    assert "a hundred lines" not in said
    assert "check: good       ok" in said
    assert said.endswith("check: bad failed\n")


@pytest.mark.usefixtures("stages")
def test_one_stage_can_be_chosen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["tools/check", "good"])

    assert checks.main() == 0

    assert capsys.readouterr().out.endswith("check: all clean\n")


def test_an_unknown_stage_is_refused_with_the_list() -> None:
    refused = subprocess.run(
        [ROOT / "tools" / "check", "colour"], capture_output=True, text=True, check=False
    )

    assert refused.returncode == 2
    assert "no stage colour; there are: format, lint," in refused.stderr


def test_a_drifted_a_missing_and_a_left_over_page_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = {"jobs.md": lambda: "two jobs", "floors.md": lambda: "ten", "new.md": lambda: "x"}
    monkeypatch.setattr(generate_docs, "pages", lambda: pages)
    (tmp_path / "jobs.md").write_text("one job")
    (tmp_path / "floors.md").write_text("ten")
    (tmp_path / "old.md").write_text("nobody writes me")

    assert generate_docs.stale(tmp_path) == ["jobs.md", "new.md", "old.md"]


def test_generated_pages_are_the_same_twice() -> None:
    once = {name: write() for name, write in generate_docs.pages().items()}
    twice = {name: write() for name, write in generate_docs.pages().items()}

    assert once == twice


def test_tables_survive_what_stands_in_them() -> None:
    assert table(("a",), [("x|y\nz",)]) == "| a |\n| --- |\n| x\\|y z |"
    assert first_sentence("  Does it.  Then more.\n\nAnd more.") == "Does it."
    assert first_sentence("No full\n    stop") == "No full stop"
    assert first_sentence(None) == ""
