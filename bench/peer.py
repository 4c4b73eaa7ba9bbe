"""The peer: sekmet-fhir 0.1.1, an independent FHIR server on loopback, loaded with the same people.

Steps and settings are those of ehr-core.md §7.1: its simulator and request log are off, validation
is off, so that it does nothing but store and answer.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

START_SECONDS_MAX = 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def sekmet(directory: Path, token: str = "") -> Iterator[int]:
    """A running sekmet-fhir; the value is its port. token: the bearer token it asks for, if any."""
    port = free_port()
    settings = {
        "base_url": f"http://127.0.0.1:{port}/fhir",
        "host": "127.0.0.1",
        "port": port,
        "data_dir": str(directory / "sekmet"),
        "server_auth": {"types": ["bearer"], "tokens": [token]} if token else {"types": ["none"]},
        "validation": {"inbound": "off"},
        "simulator": {"enabled": False},
        "log_inbound": False,
    }
    # JSON is YAML.
    (directory / "sekmet.yaml").write_text(json.dumps(settings))
    command = [str(Path(sys.executable).with_name("sekmet")), "serve", "-c", str(directory / "sekmet.yaml")]
    with (
        open(directory / "sekmet.log", "wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, cwd=directory, env={**os.environ}) as process,
    ):
        try:
            wait_for(f"http://127.0.0.1:{port}/fhir/metadata", process, {"Authorization": f"Bearer {token}"})
            yield port
        finally:
            process.kill()
            process.wait(20)


def wait_for(url: str, process: subprocess.Popen[bytes], headers: dict[str, str] | None = None) -> None:
    """Until the address answers 200 or 304. Raises when the process ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{Path(str(process.args[0])).name} ended with {process.returncode}")  # type: ignore[index]
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=5):
                return
        except urllib.error.HTTPError as answer:
            if answer.code == HTTPStatus.NOT_MODIFIED:
                return
            time.sleep(0.02)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.02)
    raise TimeoutError(url)


def load(port: int, bundle: bytes) -> str:
    """Put one transaction Bundle's resources into the peer as a batch; the answer is the Patient's id."""
    entries = json.loads(bundle)["entry"]
    ids = {
        entry["fullUrl"]: f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        for entry in entries
    }
    batch = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [_rewritten(entry, ids) for entry in entries],
    }
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/fhir",
        json.dumps(batch).encode(),
        {"Content-Type": "application/fhir+json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=120) as response:
        answers = json.load(response)["entry"]
    failed = [answer for answer in answers if not str(answer["response"]["status"]).startswith("20")]
    if failed:
        raise RuntimeError(f"the peer refused {len(failed)} of {len(answers)} resources")
    return next(
        reference.removeprefix("Patient/") for reference in ids.values() if reference.startswith("Patient/")
    )


def _rewritten(entry: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    return {"resource": _references(entry["resource"], ids), "request": entry["request"]}


def _references(value: Any, ids: dict[str, str]) -> Any:
    """urn:uuid references as Type/id; a batch resolves none."""
    if isinstance(value, dict):
        return {
            key: ids[inner] if key == "reference" and inner in ids else _references(inner, ids)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_references(item, ids) for item in value]
    return value
