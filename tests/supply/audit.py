"""Known vulnerabilities of what is locked, by pip-audit: one fails, missing data is a loud line.

`python -m tests.supply.audit`, part of `make check`. A vulnerability that cannot be mended yet is named in
ACCEPTED and stands in docs/dependencies.md with its reason.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.supply.locked import DEVELOPMENT_LOCK, RUN_LOCK, tool

# Ids of advisories, each with its sentence in docs/dependencies.md.
ACCEPTED: Final[frozenset[str]] = frozenset()
SECONDS_MAX: Final = 300


def findings(report: dict[str, Any]) -> list[str]:
    """`name version: ids`, of a report of pip-audit."""
    return [
        f"{one['name']} {one['version']}: {', '.join(sorted(ids))}"
        for one in report["dependencies"]
        if (ids := {found["id"] for found in one.get("vulns", ())} - ACCEPTED)
    ]


def not_looked_at(report: dict[str, Any]) -> list[str]:
    """Names that no data was found for."""
    return [one["name"] for one in report["dependencies"] if "skip_reason" in one]


def report_of(lock: Path) -> dict[str, Any] | None:
    """What pip-audit says; None where it could not ask."""
    with tempfile.TemporaryDirectory() as directory:
        to = Path(directory) / "report.json"
        command = [tool("pip-audit"), "-r", str(lock), "--no-deps", "--disable-pip", "-f", "json"]
        command += ["--progress-spinner", "off", "-o", str(to)]
        try:
            subprocess.run(command, check=False, capture_output=True, timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            return None
        return json.loads(to.read_text()) if to.exists() else None


def main() -> int:
    """Print what was found. Returns the exit code."""
    failed = 0
    for lock in (RUN_LOCK, DEVELOPMENT_LOCK):
        report = report_of(lock)
        if report is None:
            sys.stderr.write(f"!!! {lock.name} was NOT AUDITED: no vulnerability data could be reached.\n")
            continue
        if missing := not_looked_at(report):
            all_of_them = len(report["dependencies"])
            sys.stderr.write(f"!!! {lock.name}: {len(missing)} of {all_of_them} packages were NOT AUDITED.\n")
        for line in findings(report):
            failed = 1
            sys.stderr.write(f"{lock.name}: {line}\n")
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
