"""Cut one SVG sprite from a folder of single icon files.

An icon font of the same set costs half a megabyte; the icons we use, as symbols in one file,
cost about twenty kilobytes and need no script. Run by `tools/vendor.sh`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

INNER = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
# Every icon starts with an invisible square that only design programs need.
FRAME = re.compile(r'<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>')


def symbol(name: str, source: str) -> str:
    """Return the icon as a `<symbol>`; raise ValueError when the file is not an SVG."""
    found = INNER.search(source)
    if found is None:
        raise ValueError(f"{name}: no <svg> element")
    body = re.sub(r"\s+", " ", FRAME.sub("", found.group(1))).strip()
    return f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>'


def main(folder: Path, names_file: Path, target: Path) -> None:
    """Write the sprite of every name listed in `names_file`."""
    lines = (line.strip() for line in names_file.read_text("utf-8").splitlines())
    names = [line for line in lines if line and not line.startswith("#")]
    symbols = [symbol(name, (folder / f"{name}.svg").read_text("utf-8")) for name in names]
    target.parent.mkdir(parents=True, exist_ok=True)
    body = "\n".join(symbols)
    target.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">\n{body}\n</svg>\n', "utf-8")
    print(f"{len(names)} icons, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
