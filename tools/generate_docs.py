"""Writes docs/generated from the code: access, functions, rules, states, floors, settings, jobs,
messages, and the description of the interface for outside platforms.

`--check` writes nothing and fails when a page is not what the code says. Needs no database.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "generated"


def pages() -> dict[str, Callable[[], str]]:
    """File name → what writes its text. Django must be set up before this is imported."""
    from tools import (
        interface_of_partners,
        pages_of_code,
        pages_of_faults,
        pages_of_functions,
        pages_of_rules,
        pages_of_settings,
        pages_of_work,
    )

    return {
        "access.md": pages_of_code.access,
        "faults.md": pages_of_faults.faults,
        "floors.md": pages_of_code.floors,
        "functions.md": pages_of_functions.functions,
        "rules.md": pages_of_rules.rules,
        "states.md": pages_of_code.states,
        "settings.md": pages_of_settings.settings,
        "jobs.md": pages_of_work.jobs,
        "messages.md": pages_of_work.messages,
        "openapi.json": interface_of_partners.description,
    }


def stale(folder: Path = FOLDER) -> list[str]:
    """Names of the pages in `folder` that are not what the code says, or that nobody writes."""
    wanted = {name: write() for name, write in pages().items()}
    present = {path.name for path in folder.iterdir()}
    drifted = [
        name
        for name, text in wanted.items()
        if name not in present or (folder / name).read_text("utf-8") != text
    ]
    return sorted({*drifted, *(present - set(wanted))})


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.generate_docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on drift")
    options = parser.parse_args()
    # Reading declarations needs no server: name one that nobody asks.
    os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.config.settings")
    django.setup()
    if options.check:
        drifted = stale()
        if drifted:
            names = ", ".join(f"docs/generated/{name}" for name in drifted)
            print(f"not what the code says: {names}. Run: make docs")
        return 1 if drifted else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in stale():
        write = pages().get(name)
        if write is None:
            (FOLDER / name).unlink()
        else:
            (FOLDER / name).write_text(write(), "utf-8")
        print(f"docs: docs/generated/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
