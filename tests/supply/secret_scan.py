"""No secret in the repository, by detect-secrets: what it finds is in the baseline, each entry looked at.

python -m tests.supply.secret_scan --write     writes the baseline anew; look at each line of the difference
"""

import json
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Final

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

from tests.supply.locked import ROOT

BASELINE: Final = ROOT / ".secrets.baseline"
# Generated from invented examples, vectors with keys made to be published, files of others and tables of
# numbers: what is in them is held to their sources by tests of their own.
LEFT_OUT: Final = re.compile(
    r"\.lock$|package-lock\.json$|^openapi/.*\.json$|^api/document/.*\.json$|^api/pages/static/vendor/"
    r"|^mobile-contract/(vectors/|errors\.)|\.(csv|png|ttf|woff2|gz|svg|txt)$|^\.secrets\.baseline$"
)
PROCESSES: Final = 2
Found = set[tuple[str, str, str]]


def files() -> list[str]:
    """What is kept in the repository: deleted files left out, and links, which lead to one of the others."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    names = [name for name in listed.splitlines() if not LEFT_OUT.search(name)]
    return [name for name in names if (ROOT / name).is_file() and not (ROOT / name).is_symlink()]


def found_in(names: list[str], settings: dict[str, Any]) -> Found:
    """(file, kind, SHA-1 of the word): never the word."""
    with transient_settings(settings):
        return {(name, one.type, one.secret_hash) for name in names for one in scan_file(str(ROOT / name))}


def found(settings: dict[str, Any]) -> Found:
    names = files()
    with ProcessPoolExecutor(PROCESSES) as pool:
        parts = [pool.submit(found_in, names[n::PROCESSES], settings) for n in range(PROCESSES)]
        return set().union(*(part.result() for part in parts))


def known() -> Found:
    results = json.loads(BASELINE.read_text())["results"]
    return {(name, one["type"], one["hashed_secret"]) for name, ones in results.items() for one in ones}


def settings_of_baseline() -> dict[str, Any]:
    said = json.loads(BASELINE.read_text())
    return {name: said[name] for name in ("plugins_used", "filters_used")}


def write_anew() -> None:
    said = json.loads(BASELINE.read_text())
    results: dict[str, list[dict[str, str]]] = {}
    for name, kind, word in sorted(found(settings_of_baseline())):
        results.setdefault(name, []).append({"type": kind, "hashed_secret": word})
    BASELINE.write_text(json.dumps({**said, "results": results}, indent=1) + "\n")


def differences() -> list[str]:
    """What is new, and what the baseline still names though it is gone."""
    now, before = found(settings_of_baseline()), known()
    new = [f"{name}: {kind}, and it is not in the baseline" for name, kind, _ in sorted(now - before)]
    gone = [f"{name}: {kind} is gone, write the baseline anew" for name, kind, _ in sorted(before - now)]
    return new + gone


def main() -> int:
    """Returns the exit code."""
    if sys.argv[1:] == ["--write"]:
        write_anew()
        return 0
    lines = differences()
    sys.stderr.writelines(f"{line}\n" for line in lines)
    return 1 if lines else 0


if __name__ == "__main__":
    raise SystemExit(main())
