"""Node packages of a folder with a lock file, installed once into a cache directory."""

import hashlib
import os
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest

FILES = ("package.json", "package-lock.json", ".npmrc")


class NoNodeError(Exception):
    """Node or npm is not installed, or npm could not install; the text says which."""


def installed(place: Path) -> Path:
    """The directory with the node_modules of `place`, for a test.

    Without npm it skips, loudly, on a machine of somebody's own alone: where everything is to be tested (CI,
    HEALTHBOOK_COUNTS=full) it fails.
    """
    try:
        return node_modules(place)
    except NoNodeError as error:
        if os.environ.get("CI") or os.environ.get("HEALTHBOOK_COUNTS") == "full":
            pytest.fail(f"nothing that runs on Node can be tested: {error}")
        warnings.warn("no npm: what runs on Node was NOT tested", stacklevel=1)
        pytest.skip(f"this was NOT tested: {error}")


def node_modules(place: Path) -> Path:
    """The directory with the node_modules of `place`. Raises NoNodeError."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise NoNodeError("npm is not installed")
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
    if done.returncode != 0:
        raise NoNodeError(done.stderr.decode()[-2000:])
    (making / "whole").touch()
    if not found.exists():
        making.rename(found)
        return found
    return making
