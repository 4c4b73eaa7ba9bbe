"""Debian's nginx with our own configuration before a running service, on addresses of this machine."""

import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.debian import program
from tests.support.service import free_port

CONFIGURATION = Path(__file__).resolve().parents[2] / "docker" / "proxy" / "nginx.conf"
STARTED_SECONDS_MAX = 20


@dataclass(frozen=True)
class Proxy:
    """port: where it speaks TLS; certificate: its own, which it signed itself; log: its access log."""

    port: int
    certificate: Path
    log: Path

    @property
    def base_url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))

    def connect(self) -> ssl.SSLSocket:
        """A connection of one's own."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        return self.tls.wrap_socket(plain, server_hostname="localhost")


@contextmanager
def nginx_before(service_port: int, directory: Path, *others: int) -> Iterator[Proxy]:
    """Only what names a place of the container is replaced: addresses, certificates, directories.

    others: ports of further instances, as where the name `api` has several addresses.
    """
    executable = program(("nginx",), "nginx-light")
    port = free_port()
    _certify(directory)
    text = CONFIGURATION.read_text()
    for there, here in (
        ("/tmp/", f"{directory}/"),  # first: the others may lead there too
        ("listen 8443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/run/secrets/", f"{directory}/"),
        ("/dev/stdout", f"{directory}/access.log"),
        ("worker_processes auto", "user root; worker_processes 1"),
    ):
        assert there in text, there
        text = text.replace(there, here)
    text, found = re.subn(
        r"server api:8000 ([^;]*);",
        lambda of: " ".join(f"server 127.0.0.1:{one} {of[1]};" for one in (service_port, *others)),
        text,
    )
    assert found == 2
    made = directory / "nginx.conf"
    made.write_text(text)
    running = subprocess.Popen(
        [executable, "-c", str(made), "-p", str(directory), "-g", "daemon off;"],
        stdout=subprocess.DEVNULL,
        stderr=(directory / "error.log").open("w"),
    )
    try:
        _wait(running, port, directory)
        yield Proxy(port, directory / "tls_certificate", directory / "access.log")
    finally:
        running.terminate()
        running.wait(30)


def _certify(directory: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.fail("openssl is missing")
    command = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(directory / "tls_key"), "-out", str(directory / "tls_certificate")]
    subprocess.run(command, check=True, capture_output=True)


def _wait(running: subprocess.Popen[bytes], port: int, directory: Path) -> None:
    deadline = time.monotonic() + STARTED_SECONDS_MAX
    while time.monotonic() < deadline:
        assert running.poll() is None, (directory / "error.log").read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("nginx does not listen")
