"""One set of figures of several processes: what those of one `serve` count adds up.

`share_figures` comes in the parent, before anything counts; its forked children write into one directory,
each into files of its own, and a process of its own reads them all (offering.py).
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX: Final = "healthbook-figures-"


def share_figures() -> None:
    """From here on what is counted for the first time is counted in the directory. A figure without labels
    counts from its definition on: modules that the parent has loaded by now have none (store/database.py)."""
    from prometheus_client import values  # noqa: PLC0415

    remove_left_over()
    os.environ[VARIABLE] = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")
    # As the library does by itself where the variable is set before it is loaded.
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]


def forget_figures() -> None:
    """At the end of the parent, when no child counts any more."""
    if are_shared():
        shutil.rmtree(os.environ[VARIABLE], ignore_errors=True)


def are_shared() -> bool:
    """Whether this process is one of several that are shown together."""
    return VARIABLE in os.environ


def remove_left_over() -> None:
    """What parents left behind that were killed."""
    for directory in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = directory.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists() and Path("/proc/self").exists():
            shutil.rmtree(directory, ignore_errors=True)
