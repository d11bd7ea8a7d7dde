"""`make fuzz`: `python -m tests.fuzz --seconds 300 --seed 7 [--only xml]`."""

import argparse
import logging
import os
import secrets
import sys
from pathlib import Path

FOUND = Path("test-artifacts/fuzz")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--only", default="", help="one target")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.config.settings")
    os.environ.setdefault("DATABASE_URL", "postgresql://nobody@localhost/never_opened")
    # Every refusal is logged; a million of them would say nothing.
    logging.disable(logging.CRITICAL)
    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    from tests.fuzz.run import fuzz

    print(f"fuzz: seed {options.seed}, {options.seconds:.0f} s")
    run = fuzz(seed=options.seed, seconds=options.seconds, only=options.only)
    for name, count in sorted(run.inputs.items()):
        print(f"  {name:<14}{count:>9}")
    print(f"  slowest {run.slowest * 1000:.0f} ms, most memory {run.most_bytes / 1e6:.1f} MB")
    for failure in run.failures[:20]:
        FOUND.mkdir(parents=True, exist_ok=True)
        path = FOUND / f"{failure.target}-{failure.seed}-{failure.number}.bin"
        path.write_bytes(failure.body)
        print(f"FAILED {failure.target} {failure.what} -> {path}")
    print(f"fuzz: {sum(run.inputs.values())} inputs, {len(run.failures)} failures")
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
