"""Node packages of a folder with a lock file, installed once into a cache directory."""

import hashlib
import os
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest

FILES = ("package.json", "package-lock.json", ".npmrc")


def installed(place: Path) -> Path:
    """The directory with the node_modules of `place`.

    Without npm it skips, loudly, on a machine of somebody's own alone: where everything is to be tested (CI,
    HEALTHBOOK_COUNTS=full) it fails.
    """
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        if os.environ.get("CI") or os.environ.get("HEALTHBOOK_COUNTS") == "full":
            pytest.fail("npm is not installed: nothing that runs on Node can be tested")
        warnings.warn("no npm: what runs on Node was NOT tested", stacklevel=1)
        pytest.skip("npm is not installed: this was NOT tested")
    digest = hashlib.sha256(b"".join((place / name).read_bytes() for name in FILES)).hexdigest()[:16]
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "healthbook-npm"
    found = base / digest
    if (found / "whole").exists():
        return found
    making = base / f"{digest}.{os.getpid()}"
    making.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(place / name, making / name)
    done = subprocess.run([npm, "ci"], cwd=making, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    (making / "whole").touch()
    if not found.exists():
        making.rename(found)
        return found
    return making
