"""What stands outside the pages: TLS and merchant certificates, the backup command, the figures."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from hospital.kernel import clock
from hospital.monitoring import gateway
from hospital.monitoring.models import BackupRun, CertificateCheck
from hospital.monitoring.states import ProbeState
from hospital.monitoring.tests.world import a_worker, read, run, state

HOST = "localhost"


def a_certificate(folder: Path, *, days: int) -> Path:
    """A certificate of this machine with its key, in one PEM file; it ends after some days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = clock.now()
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=400))
        .not_valid_after(now + dt.timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{days}.pem"
    file.write_bytes(
        built.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


@contextmanager
def serving(file: Path) -> Iterator[int]:
    """A server that shakes hands once; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def once() -> None:
            plain, _ = server.accept()
            try:
                with context.wrap_socket(plain, server_side=True) as secure:
                    secure.recv(1)
            except OSError:
                plain.close()

        thread = threading.Thread(target=once)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


@pytest.mark.django_db(transaction=True)
def test_the_certificate_visitors_see(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIVE_URL = "http://127.0.0.1:8002"
    for days, expected in ((90, "ok"), (20, "warn"), (3, "bad")):
        file = a_certificate(tmp_path, days=days)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        with serving(file) as port:
            settings.PUBLIC_URL = f"https://{HOST}:{port}"
            gateway.check_certificates()
        found = read("tls", at=clock.now())
        assert (found.state.value, found.value) == (expected, days)

    monkeypatch.delenv("SSL_CERT_FILE")
    with serving(file) as port:
        settings.PUBLIC_URL = f"https://{HOST}:{port}"
        gateway.check_certificates()
    assert "浏览器不信任网站证书" in read("tls", at=clock.now()).text
    assert state("tls", at=clock.now()) is ProbeState.BAD

    gateway.check_certificates()  # nobody listens there any more
    assert "连不上自己的网址" in read("tls", at=clock.now()).text
    assert CertificateCheck.objects.count() == 1

    CertificateCheck.objects.all().delete()
    assert state("tls") is ProbeState.UNKNOWN
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    assert read("tls").text == "网址不是 https，没有网站证书。"


@pytest.mark.django_db
def test_the_merchant_certificate_ends(tmp_path: Path, settings: Settings) -> None:

    class Connected:
        """The facts of a connection file as far as these probes read them."""

        def __init__(self, days: int) -> None:
            self.merchant_cert = a_certificate(tmp_path, days=days)
            pem = self.merchant_cert.read_bytes()
            self.platform_certificates = (x509.load_pem_x509_certificate(pem),)
            self.public_key = None

    for days, merchant, platform in ((60, "ok", "ok"), (20, "warn", "warn"), (-1, "bad", "warn")):
        settings.WECHAT = Connected(days)
        assert state("merchant_certificate", at=clock.now()).value == merchant
        assert state("platform_key", at=clock.now()).value == platform
    assert "已于" in read("merchant_certificate", at=clock.now()).text
    settings.WECHAT = None
    assert read("merchant_certificate").text == "没有接入微信，不检查。"


@pytest.mark.django_db
def test_the_backup_script_says_what_it_did() -> None:
    said = StringIO()
    call_command("note_backup", "--size", "1024", "--place", "/backup/a.dump", stdout=said)
    call_command("note_backup", "--failed", "no space", stdout=said)
    call_command("note_backup", "--restore-test", stdout=said)
    assert said.getvalue().splitlines() == [
        "noted: backup, done",
        "noted: backup, failed",
        "noted: restore_test, done",
    ]
    rows = BackupRun.objects.order_by("pk").values_list("kind", "is_good", "size_bytes", "note")
    assert list(rows) == [
        ("backup", True, 1024, "/backup/a.dump"),
        ("backup", False, None, "no space"),
        ("restore_test", True, None, ""),
    ]
    with pytest.raises(CommandError):
        call_command("note_backup", "--failed", "")
    assert BackupRun.objects.count() == 3


@pytest.mark.django_db
def test_the_figures_and_readiness_tell_of_a_dead_worker(client: Client) -> None:
    run("DELETE FROM procrastinate_workers", [])

    def figures() -> set[str]:
        return set(client.get("/metrics").content.decode().splitlines())

    assert {'xinglin_probe_state{probe="worker"} 2.0', "xinglin_probes_read 1.0"} <= figures()
    assert 'xinglin_probe_value{probe="due_age"} 0.0' in figures()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["workers"]) == (
        200,
        "ok to serve, but no worker is alive",
    )

    a_worker(seen_at=clock.now())
    assert 'xinglin_probe_state{probe="worker"} 0.0' in figures()
    assert client.get("/readyz").json()["workers"] == "ok, 1 alive"
