"""store.second_start: from the command to a ready service, against the time that `import litestar` takes."""

import subprocess
import sys
import time
from pathlib import Path

from bench.results import Result, compare
from bench.server import serving

ROUNDS = 3


def measure(data: Path) -> Result:
    """Seconds, over a data directory that has served before."""
    with serving(data):
        pass
    ours, theirs = [], []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        with serving(data):
            ours.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import litestar"], check=True)
        theirs.append(time.perf_counter() - begin)
    return compare(
        "store.second_start",
        ours=ours,
        against="python -c 'import litestar'",
        theirs=theirs,
        target=3,
        unit="s",
        at_most=True,
    )
