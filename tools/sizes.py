"""The size limits that no linter knows: lines of a file and of a template (law 11).

A file that reaches its limit holds two things; split it by noun. Code we did not write, or that a
program writes, has no limit.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE_LINES = 500
TEMPLATE_LINES = 120
SUFFIXES = frozenset({".py", ".html", ".js", ".css", ".sh", ".toml", ".md", ""})
EXEMPT = (
    "hospital/ui/static/vendor/",
    "wechat_sandbox/phone/static/vendor/",
    "docs/generated/",
    "requirements/",
)


def too_long(root: Path = ROOT) -> list[str]:
    """A sentence for every file over its limit."""
    problems = []
    for path in _own_files(root):
        limit = TEMPLATE_LINES if path.suffix == ".html" else FILE_LINES
        lines = path.read_bytes().count(b"\n")
        if lines > limit:
            problems.append(f"{path.relative_to(root)}: {lines} lines, the limit is {limit}")
    return problems


def _own_files(root: Path) -> list[Path]:
    """What git holds or would hold, minus what is not ours to shorten."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [name for name in listing.stdout.split("\0") if name and not name.startswith(EXEMPT)]
    paths = [root / name for name in names]
    return [
        path
        for path in paths
        if path.suffix in SUFFIXES and path.is_file() and "/migrations/" not in path.as_posix()
    ]


if __name__ == "__main__":
    found = too_long()
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
