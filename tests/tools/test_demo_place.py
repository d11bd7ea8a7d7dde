"""What a demo refuses before it starts anything, and what it keeps."""

import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.demo_place import HOST, Place, Unsuitable


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def place(root: Path, **choices: str) -> Place:
    return Place.from_environment(choices, root=root)


def test_the_usual_choices(tmp_path: Path) -> None:
    chosen = place(tmp_path)

    assert (chosen.port, chosen.sandbox_port, chosen.live_port) == (8000, 8001, 8002)
    assert chosen.data == tmp_path / ".run"
    assert not chosen.reset
    assert place(tmp_path, RESET="1").reset


def test_a_taken_port_is_one_clear_sentence(tmp_path: Path, taken_port: int) -> None:
    with pytest.raises(Unsuitable) as refused:
        place(tmp_path, SANDBOX_PORT=str(taken_port)).check_ports()

    assert f"port {taken_port} is taken" in str(refused.value)
    assert f"make demo SANDBOX_PORT={taken_port + 10}" in str(refused.value)


def test_two_names_for_one_port_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Unsuitable, match="must differ"):
        place(tmp_path, PORT="9100", LIVE_PORT="9100").check_ports()


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1"])
def test_what_is_no_port_is_refused(tmp_path: Path, port: str) -> None:
    with pytest.raises(Unsuitable, match="PORT must be a port number"):
        place(tmp_path, PORT=port)


def test_keys_are_made_once_and_for_our_eyes_only(tmp_path: Path) -> None:
    chosen = place(tmp_path, DATA=".")

    first, second = chosen.environment(), chosen.environment()

    keys = ("SECRET_KEY", "FIELD_KEYS", "BLIND_INDEX_KEY", "AUDIT_KEYS")
    assert first["FIELD_KEYS"].startswith("k1:")
    assert {first[name] for name in keys} == {second[name] for name in keys}
    mode = stat.S_IMODE((tmp_path / "secrets.env").stat().st_mode)
    assert mode == stat.S_IRUSR | stat.S_IWUSR


def test_a_key_that_an_older_demo_lacks_is_added_to_its_file(tmp_path: Path) -> None:
    chosen = place(tmp_path, DATA=".")
    before = chosen.environment()
    file = tmp_path / "secrets.env"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith("AUDIT_KEYS")))

    after = chosen.environment()

    assert after["AUDIT_KEYS"].startswith("a1:")
    assert after["AUDIT_KEYS"] != before["AUDIT_KEYS"]
    assert after["FIELD_KEYS"] == before["FIELD_KEYS"]
    assert chosen.environment()["AUDIT_KEYS"] == after["AUDIT_KEYS"]


def test_starting_over_removes_what_demos_made_and_nothing_else(tmp_path: Path) -> None:
    chosen = place(tmp_path, DATA=".")
    chosen.environment()
    (tmp_path / "log").mkdir()
    (tmp_path / "thesis.txt").touch()

    chosen.empty()

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_starting_over_never_touches_a_server_that_is_not_ours(tmp_path: Path) -> None:
    chosen = place(tmp_path, DATA=".", DATABASE_URL="postgresql://elsewhere/hospital")
    (tmp_path / "log").mkdir()

    with pytest.raises(Unsuitable, match="RESET=1 does not empty"):
        chosen.empty()

    assert (tmp_path / "log").exists()
