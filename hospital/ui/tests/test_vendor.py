"""What is vendored is what VENDOR.md says, byte for byte, with its licence beside it."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = (
    ROOT / "hospital/ui/static/vendor",
    ROOT / "tests/browser/vendor",
    ROOT / "wechat_sandbox/phone/static/vendor",
)
ROW = re.compile(r"^\| (\S+) \| \S+ \| ([\d.]+) \| \S+ \| ([0-9a-f]{64}) \|$", re.MULTILINE)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_sums_versions_and_licences(folder: Path) -> None:
    rows = ROW.findall((folder / "VENDOR.md").read_text("utf-8"))
    files = {str(path.relative_to(folder)) for path in folder.glob("*/*") if path.name != "LICENSE"}
    assert {path for path, _, _ in rows} == files
    for path, version, digest in rows:
        content = (folder / path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest, path
        assert path.split("/")[0].endswith(version)
        assert b"sourceMappingURL" not in content
        assert (folder / path).parent.joinpath("LICENSE").is_file()
