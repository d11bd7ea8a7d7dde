"""`python -m tests.chaos`: SEED (default: drawn), KILLS=100, PATIENTS=200 from the environment.

Prints the seed first. The exit code is 1 when a rule was broken; the plan, the logs and the
database's files are then left in the folder it names.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.run import Scale, run


def say(text: str) -> None:
    """A line for whoever watches."""
    sys.stdout.write(f"chaos: {text}\n")
    sys.stdout.flush()


def main() -> int:
    """One run; the exit code."""
    scale = Scale(
        seed=int(os.environ.get("SEED") or secrets.randbelow(10**6)),
        kills=int(os.environ.get("KILLS") or 100),
        patients=int(os.environ.get("PATIENTS") or 200),
    )
    say(f"SEED={scale.seed} KILLS={scale.kills} PATIENTS={scale.patients}")
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    # PostgreSQL runs as another user when we are root.
    folder.chmod(0o755)
    started = time.monotonic()
    outcome = run(scale, folder, say)
    for fact in outcome.facts:
        say(fact)
    if not outcome.broken:
        shutil.rmtree(folder)
        say(f"every rule holds after {time.monotonic() - started:.0f} s (SEED={scale.seed})")
        return 0
    for line in (folder / "plan.txt").read_text("utf-8").splitlines():
        say(f"plan {line}")
    for line in outcome.broken:
        say(f"BROKEN {line}")
    say(f"again: SEED={scale.seed} KILLS={scale.kills} PATIENTS={scale.patients} make chaos")
    say(f"what it left is in {folder}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
