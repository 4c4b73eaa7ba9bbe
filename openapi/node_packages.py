"""Node packages of a folder with a lock file, installed once into a cache directory."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

FILES = ("package.json", "package-lock.json", ".npmrc")


class NoNodeError(Exception):
    """Node or npm is not installed, or npm could not install; the text says which."""


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
    done = subprocess.run([npm, "ci"], cwd=making, capture_output=True, timeout=300, check=False)  # noqa: S603 npm itself
    if done.returncode != 0:
        raise NoNodeError(done.stderr.decode()[-2000:])
    (making / "whole").touch()
    if not found.exists():
        making.rename(found)
        return found
    return making
