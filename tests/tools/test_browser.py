"""What `make test` says and does where Chromium or a Chinese font is missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools import browser


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without browser, font tools and apt, and a user who is not root."""
    monkeypatch.delenv("CHROME_PATH", raising=False)
    monkeypatch.setattr(browser, "FONTS", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.mark.usefixtures("bare_machine")
def test_without_the_right_to_install_the_one_command_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert browser.main() == 1

    assert capsys.readouterr().out == (
        "test: the browser tests need chromium and fonts-noto-cjk. Type: sudo sh -c "
        "'apt-get update && apt-get install -y --no-install-recommends chromium fonts-noto-cjk'\n"
    )


@pytest.mark.usefixtures("bare_machine")
def test_root_on_debian_installs_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        if "install" in command:
            monkeypatch.setattr(browser, "missing", list)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/x" if "apt" in name else None)
    monkeypatch.setattr(subprocess, "run", run)

    assert browser.main() == 0

    assert [command[1] for command in ran] == ["update", "install"]
    assert ran[1][-3:] == ["chromium", "fonts-noto-cjk", "-qq"]
    assert "installing chromium and fonts-noto-cjk" in capsys.readouterr().out


@pytest.mark.usefixtures("bare_machine")
def test_what_is_there_already_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CHROME_PATH", "/opt/chrome")
    assert browser.missing() == ["fonts-noto-cjk"]

    (tmp_path / "NotoSansCJK-Regular.ttc").touch()
    assert browser.missing() == []
