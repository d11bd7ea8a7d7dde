"""Solving in a process of its own: `python -m hospital.scheduling.proposal.apart`.

The search takes both processors for a minute and 240 MB: a worker must keep breathing meanwhile,
and have the memory back afterwards. The problem comes in on standard input, pickled by the worker;
what was found goes out on standard output as JSON.
"""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from hospital.scheduling.proposal.problem import Problem

#: Where our packages lie, wherever the worker was started.
_ROOT: Final = Path(__file__).resolve().parents[3]
#: Beside what the search may take: starting, building, and the reasons where there is no roster.
_MARGIN_SECONDS: Final = 60.0
_NICENESS: Final = 10


class SolvingFailed(Exception):
    """The process ended without an answer, or took far too long."""


def propose_apart(problem: Problem, *, seconds: float) -> dict[str, Any]:
    """What another process found in at most so many seconds (keeping.py). Raises SolvingFailed."""
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", __name__],
            input=pickle.dumps((problem, seconds)),
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            timeout=2 * seconds + _MARGIN_SECONDS,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as met:
        raise SolvingFailed(type(met).__name__) from met
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Answer the one problem that comes in."""
    from hospital.scheduling.proposal.keeping import kept
    from hospital.scheduling.proposal.solve import propose

    os.nice(_NICENESS)
    problem, seconds = pickle.load(sys.stdin.buffer)  # noqa: S301 - the worker wrote it
    found = kept(problem, propose(problem, seconds=seconds))
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
