"""The viewer of tests/interop: installed once by npm, from its lock file, into a cache directory."""

import hashlib
import json
import os
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.support.shared import ROOT

PLACE = ROOT / "tests" / "interop"
FILES = ("package.json", "package-lock.json", ".npmrc")


def installed() -> Path:
    """Where its node_modules are. Without npm it skips, loudly, on a machine of somebody's own alone: where
    everything is to be tested (CI, HEALTHBOOK_COUNTS=full) it fails."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        if os.environ.get("CI") or os.environ.get("HEALTHBOOK_COUNTS") == "full":
            pytest.fail("npm is not installed: links must be opened by an independent viewer")
        warnings.warn("no npm: links were not opened by an independent viewer", stacklevel=1)
        pytest.skip("npm is not installed: links were NOT opened by an independent viewer")
    digest = hashlib.sha256(b"".join((PLACE / name).read_bytes() for name in FILES)).hexdigest()[:16]
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "healthbook-interop"
    place = base / digest
    if (place / "whole").exists():
        return place
    making = base / f"{digest}.{os.getpid()}"
    making.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(PLACE / name, making / name)
    done = subprocess.run([npm, "ci"], cwd=making, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    (making / "whole").touch()
    if not place.exists():
        making.rename(place)
        return place
    return making


def open_link(link: str, passcode: str, recipient: str = "Dr. Weber", **more: Any) -> dict[str, Any]:
    """What the viewer read: {label, status, resources}, or {error}."""
    place = installed()
    asked = {"link": link, "passcode": passcode, "recipient": recipient} | more
    done = subprocess.run(
        ["node", str(PLACE / "open_link.mjs"), str(place)],
        input=json.dumps(asked).encode(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    read: dict[str, Any] = json.loads(done.stdout)
    return read
