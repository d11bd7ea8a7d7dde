"""The bans that hold everywhere, also where ruff's list had to be lifted for another one.

ruff lifts all of TID251 for a file or none of it. A view may import django.http, but may no more
read the clock than an action may.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

from tools.inventory import ROOT

# Each of these has places of its own in pyproject.toml; every other ban knows no exception.
LIFTED = {"django.http", "django.shortcuts", "httpx"}
# The clock itself, and what only tests run.
FREE = ("hospital/kernel/clock.py", "**/tests/**", "hospital/testing/**")


def banned_uses(folder: Path) -> list[str]:
    """What ruff finds in `folder` under the bans that hold everywhere."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    bans = settings["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]
    inline = ", ".join(
        f"{json.dumps(name)} = {{ msg = {json.dumps(ban['msg'])} }}"
        for name, ban in bans.items()
        if name not in LIFTED
    )
    command = [
        str(Path(sys.executable).with_name("ruff")),
        *("check", "--isolated", "--no-cache", "--ignore-noqa", "--select", "TID251"),
        *("--output-format", "concise", "--quiet", "--extend-exclude", ",".join(FREE)),
        *("--config", f"lint.flake8-tidy-imports.banned-api = {{ {inline} }}"),
        "hospital",
    ]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert found.returncode in {0, 1}, found.stderr
    return found.stdout.splitlines()


def test_nobody_but_the_clock_reads_the_clock_and_nobody_sends_signals() -> None:
    assert banned_uses(ROOT) == []


def test_a_planted_use_is_caught(tmp_path: Path) -> None:
    views = tmp_path / "hospital" / "billing" / "views"
    views.mkdir(parents=True)
    (views / "staff.py").write_text(
        "import datetime as dt\n"
        "from django.dispatch import receiver\n"
        "from django.http import HttpResponse\n"
        "now = dt.datetime.now(dt.UTC)  # noqa\n"
    )

    found = banned_uses(tmp_path)

    assert len(found) == 2
    assert "django.dispatch" in found[0]
    assert "datetime.datetime.now" in found[1]
