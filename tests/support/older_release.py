"""The release before this one, as it stood in the history, beside the program of today."""

import io
import os
import subprocess
import sys
import tarfile
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The commit whose last migration is the baseline of tests/store/test_expand.py; at a release, its tag.
OLDER = "6f27ae17ea2507cddbd9646627e00117a4f9cd0f"


def unpacked(place: Path) -> Path:
    """Its files. Skips, loudly, where the history does not reach so far back, unless everything is tested."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "archive", OLDER], capture_output=True, check=False, timeout=60
    )
    if done.returncode:
        if os.environ.get("HEALTHBOOK_COUNTS") in ("drill", "full"):
            pytest.fail(f"the history does not hold {OLDER[:8]}: fetch all of it")
        warnings.warn("a history without the older release: it was NOT run beside this one", stacklevel=2)
        pytest.skip("this was NOT tested: git fetch --unshallow")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as files:
        files.extractall(place, filter="data")
    return place


def environment(release: Path) -> dict[str, str]:
    """What makes Python take that release's packages, never ours."""
    return {"PYTHONPATH": str(release)}


def printed(release: Path, program: str) -> str:
    """What a program says that runs in it."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=release,
        env={**os.environ, **environment(release)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
