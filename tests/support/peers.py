"""The Python judges of tests/interop/*.lock, in environments of their own: `cwt` wants an older cbor2 than
the program. Made once, in a cache directory."""

import hashlib
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.support.shared import ROOT

PLACE = ROOT / "tests" / "interop"
LOCK = PLACE / "peers.lock"
FHIR_LOCK = PLACE / "fhir_peers.lock"


class NoPeersError(Exception):
    """The environment could not be made; the text is the installer's."""


def peers_python(lock: Path = LOCK) -> Path:
    """The interpreter that has them. Raises NoPeersError without a registry."""
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:16]
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "healthbook-interop"
    place = base / f"peers-{digest}"
    if not (place / "whole").exists():
        making = base / f"peers-{digest}.{os.getpid()}"
        making.parent.mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "venv", str(making)])
        pip = [str(making / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        _run([*pip, "--require-hashes", "-r", str(lock)])
        (making / "whole").touch()
        if place.exists():
            return making / "bin" / "python"
        making.rename(place)
    return place / "bin" / "python"


def installed(lock: Path = LOCK) -> Path:
    """The same for a test. Without them it skips, loudly, on a machine of somebody's own alone: where
    everything is to be tested (CI, HEALTHBOOK_COUNTS=full) it fails."""
    try:
        return peers_python(lock)
    except NoPeersError as error:
        if os.environ.get("CI") or os.environ.get("HEALTHBOOK_COUNTS") == "full":
            pytest.fail(f"no peers: independent software must read what we make ({error})")
        warnings.warn("no peers: nothing was read by independent software", stacklevel=1)
        pytest.skip("no registry: this was NOT read by independent software")


def judge(name: str, asked: list[tuple[str, str, str]]) -> list[str]:
    """`valid`, `invalid` or an error of each (HC1 text, key as PEM, algorithm), by `cwt` or `pycose`."""
    cases = [{"text": text, "key": pem, "alg": alg} for text, pem, alg in asked]
    done = subprocess.run(
        [str(installed()), str(PLACE / "read_certificate.py"), name],
        input=json.dumps(cases).encode(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    read: list[str] = json.loads(done.stdout)
    return read


def _run(command: list[str]) -> Any:
    done = subprocess.run(command, capture_output=True, timeout=300, check=False)
    if done.returncode != 0:
        raise NoPeersError(done.stderr.decode()[-500:])
