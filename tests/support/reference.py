"""The reference client of mobile-contract/reference, typed by the document and compiled once per content."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.support import npm, vectors
from tests.support.shared import ROOT

PLACE = ROOT / "mobile-contract" / "reference"
DOCUMENT = ROOT / "openapi" / "openapi.json"
# As in package.json: what has a default may be left out of a request.
TYPES = ("--default-non-nullable", "false", "-o", "generated/service.d.ts")


def sources() -> list[Path]:
    """What is compiled; generated files and packages are none."""
    return sorted(
        one
        for one in [*PLACE.glob("*.ts"), *PLACE.glob("e2e/*.ts"), *PLACE.glob("*.json")]
        if one.name != "package-lock.json"
    )


def compiled() -> Path:
    """The directory with the JavaScript. A type error fails whoever asks."""
    packages = npm.installed(PLACE) / "node_modules"
    digest = hashlib.sha256(DOCUMENT.read_bytes())
    for one in sources():
        digest.update(str(one.relative_to(PLACE)).encode() + one.read_bytes())
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "healthbook-reference"
    found = base / digest.hexdigest()[:16]
    if found.exists():
        return found / "dist"
    making = base / f"{found.name}.{os.getpid()}"
    for one in sources():
        copy = making / one.relative_to(PLACE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(one, copy)
    (making / "node_modules").symlink_to(packages)
    _node(making, "openapi-typescript", str(DOCUMENT), *TYPES)
    _node(making, "tsc", "-p", "tsconfig.json")
    if not found.exists():
        making.rename(found)
    return found / "dist"


def tested(name: str) -> int:
    """How many tests of a file passed; a failed one fails whoever asks. name: such as `client.test.ts`."""
    done = subprocess.run(
        ["node", "--test", "--test-reporter=tap", str(Path(name).with_suffix(".js"))],
        cwd=compiled(),
        env=os.environ | {"VECTORS": str(vectors.PLACE)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    told = done.stdout.decode()
    assert done.returncode == 0, told[-4000:]
    passed = re.search(r"^# pass (\d+)$", told, re.MULTILINE)
    assert passed is not None
    return int(passed[1])


def _node(place: Path, tool: str, *words: str) -> None:
    done = subprocess.run(
        [str(place / "node_modules" / ".bin" / tool), *words],
        cwd=place,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()[-3000:]
