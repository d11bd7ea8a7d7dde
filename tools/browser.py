"""Sees to it that the browser tests have a Chromium and a Chinese font.

Installs them with apt when they are missing and we may; otherwise says the one command to type.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

FONTS = Path("/usr/share/fonts")
PACKAGES = {"chromium": "chromium", "font": "fonts-noto-cjk"}


def missing() -> list[str]:
    """The apt packages this machine lacks."""
    packages = []
    if not (
        os.environ.get("CHROME_PATH") or _any_of("chromium", "chromium-browser", "google-chrome")
    ):
        packages.append(PACKAGES["chromium"])
    if not _has_chinese_font():
        packages.append(PACKAGES["font"])
    return packages


def main() -> int:
    packages = missing()
    if not packages:
        return 0
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if shutil.which("apt-get") and os.geteuid() == 0:
        print(f"test: installing {' and '.join(packages)} for the browser tests", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False)
        subprocess.run([*install, "-qq"], env=quiet, check=False)
        packages = missing()
        if not packages:
            return 0
    command = "apt-get update && " + " ".join(install)
    print(f"test: the browser tests need {' and '.join(packages)}. Type: sudo sh -c '{command}'")
    return 1


def _any_of(*names: str) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def _has_chinese_font() -> bool:
    if not shutil.which("fc-list"):
        return any(FONTS.rglob("*CJK*"))
    fonts = subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, text=True, check=False)
    return bool(fonts.stdout.strip())


if __name__ == "__main__":
    sys.exit(main())
