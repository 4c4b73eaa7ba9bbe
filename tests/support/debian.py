"""Programs that tests take from the distribution, installed where they are missing and that is allowed."""

import fcntl
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import pytest


def program(names: Sequence[str], package: str) -> str:
    """The path of the first of these programs; `package` is what brings them.

    Where it cannot be had it skips, loudly, on a machine of somebody's own alone: where everything is tested
    it fails.
    """
    found = _found(names)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        with open(Path(tempfile.gettempdir()) / "healthbook-apt.lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _found(names) is None:
                _install(package)
        found = _found(names)
    if found is not None:
        return found
    if os.environ.get("CI") or os.environ.get("HEALTHBOOK_COUNTS") == "full":
        pytest.fail(f"{package} is missing and could not be installed: apt-get install {package}")
    warnings.warn(f"no {package}: what needs it was NOT tested", stacklevel=2)
    pytest.skip(f"this was NOT tested: apt-get install {package}")


def _found(names: Sequence[str]) -> str | None:
    places = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    return next((path for path in (shutil.which(name, path=places) for name in names) if path), None)


def _install(package: str) -> None:
    for command in (
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-y", "-q", "--no-install-recommends", package],
    ):
        subprocess.run(
            command,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"},
            capture_output=True,
            timeout=600,
            check=False,
        )
