"""The stages of tools/check, cheapest first. All run, so that one look shows every problem.

What a command says is shown only when it failed. No stage needs a database.
"""

import argparse
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Stage:
    """One command; `budget` is the seconds of processor it may cost before we should worry."""

    name: str
    budget: int
    command: tuple[str, ...]


def _python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, *arguments)


STAGES = (
    Stage("format", 3, (str(BIN / "ruff"), "format", "--check", "--output-format", "concise", ".")),
    Stage("lint", 3, (str(BIN / "ruff"), "check", "--output-format", "concise", ".")),
    Stage("sizes", 2, _python("-m", "tools.sizes")),
    Stage("templates", 15, (str(BIN / "djlint"), "--check", "--lint", "hospital")),
    Stage("contracts", 5, (str(BIN / "lint-imports"), "--no-logo")),
    Stage("migrations", 10, _python("-W", "ignore", "manage.py", "makemigrations", "--check")),
    Stage("django", 10, _python("-W", "ignore", "manage.py", "check", "--fail-level", "WARNING")),
    Stage("docs", 10, _python("-m", "tools.generate_docs", "--check")),
    Stage("types", 90, (str(BIN / "mypy"),)),
)


def main() -> int:
    names = [stage.name for stage in STAGES]
    parser = argparse.ArgumentParser(prog="tools/check", description=__doc__)
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=", ".join(names))
    chosen = parser.parse_args().stages or names
    if unknown := set(chosen) - set(names):
        parser.error(f"no stage {', '.join(sorted(unknown))}; there are: {', '.join(names)}")
    broken = [stage.name for stage in STAGES if stage.name in chosen and not _passes(stage)]
    if broken:
        print(f"check: {', '.join(broken)} failed")
        return 1
    print("check: all clean")
    return 0


def _passes(stage: Stage) -> bool:
    """Run one stage and report it in one line, with its output only when it failed."""
    print(f"check: {stage.name:<10} ", end="", flush=True)
    before = _spent()
    result = subprocess.run(
        stage.command,
        cwd=ROOT,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = _spent() - before
    late = f", budget {stage.budget} s" if seconds > stage.budget else ""
    print(f"{'ok' if result.returncode == 0 else 'FAILED'} ({seconds:.1f} s{late})", flush=True)
    if result.returncode != 0:
        print(result.stdout.rstrip(), flush=True)
    return result.returncode == 0


def _spent() -> float:
    """What our children have cost. Not the time that passed: tests may run beside us."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _environment() -> dict[str, str]:
    # An address nobody listens on: the checks read code, so no server is started or asked.
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    return {**os.environ, "DATABASE_URL": nowhere, "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}


if __name__ == "__main__":
    sys.exit(main())
