"""Hashed names reach into the modules: an upgrade never mixes old and new scripts."""

import re
from pathlib import Path

from django.core.files.storage import FileSystemStorage

from hospital.ui import storage

STATIC = Path(storage.__file__).parent / "static"
SCRIPTS = sorted(str(path.relative_to(STATIC)) for path in (STATIC / "ui/js").glob("*.js"))


def test_every_import_names_a_hashed_file(tmp_path: Path) -> None:
    for name in SCRIPTS:
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((STATIC / name).read_bytes())
    hashed = storage.HashedStorage(location=tmp_path, base_url="/static/")
    source = FileSystemStorage(location=tmp_path)
    for _, _, failure in hashed.post_process({name: (source, name) for name in SCRIPTS}):
        assert not isinstance(failure, Exception), failure
    imports = 0
    for name in SCRIPTS:
        written = tmp_path / hashed.stored_name(name)
        for address in re.findall(r"""^import .*?["'](.+?)["'];""", written.read_text(), re.M):
            imports += 1
            assert re.fullmatch(r"\./\w+\.[0-9a-f]{12}\.js", address), (name, address)
            assert (written.parent / address).is_file()
    assert imports > 10
