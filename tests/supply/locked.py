"""What the two lock files name, and where the bill of materials of the first is made."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
RUN_LOCK: Final = ROOT / "requirements.lock"
DEVELOPMENT_LOCK: Final = ROOT / "requirements-dev.lock"
SBOM: Final = ROOT / "build" / "sbom.cdx.json"
_LINE: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)((?:.*\\\n)*.*)", re.M)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def locked(lock: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """Name → version and SHA-256 of every file that is admitted."""
    return {
        name.lower(): (version, frozenset(_HASH.findall(rest)))
        for name, version, rest in _LINE.findall(lock.read_text())
    }


def tool(name: str) -> str:
    """A tool of this environment."""
    return str(Path(sys.executable).with_name(name))


def make_sbom(to: Path = SBOM) -> Path:
    """The bill of materials (CycloneDX, JSON) of what runs: the same bytes for the same lock."""
    to.parent.mkdir(parents=True, exist_ok=True)
    command = [tool("cyclonedx-py"), "requirements", str(RUN_LOCK), "--output-reproducible"]
    command += ["--pyproject", str(ROOT / "pyproject.toml"), "--of", "JSON", "-o", str(to)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return to


if __name__ == "__main__":
    sys.stdout.write(f"{make_sbom().relative_to(ROOT)}\n")
