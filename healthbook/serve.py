"""`healthbook serve`: PostgreSQL, the API processes and one worker under one parent.

The parent opens the database, checks that it may start, forks, and waits. Children leave the
terminal's process group, so Ctrl-C reaches the parent alone, which stops them in order: API, worker,
PostgreSQL. SIGTERM, which is how a service is updated, drains first: readiness goes red and everybody is
answered for DRAIN_SECONDS more, while the worker finishes. The kernel kills the children when the parent
dies by kill -9, and tells PostgreSQL to shut down (store/postgres.py); what was acknowledged was committed.
"""

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from healthbook.connections import connection_limits
from healthbook.leaving import Leaving
from healthbook.logs import configure_logs
from healthbook.metrics.sharing import forget_figures, share_figures
from healthbook.settings import Settings
from healthbook.wiring import (
    Place,
    Serving,
    StartError,
    bring_up_to_date,
    check_start,
    load_keys,
    make_app,
    open_place,
    refuse_foreign,
)
from store.keys import KeyRing
from store.postgres_binaries import PostgresError

if TYPE_CHECKING:
    from api.app import Api

# A request may take as long as a statement may, and a little more; then its process is killed.
FINISH_SECONDS_MAX = 35
STOP_SECONDS_MAX = 40
WAIT_SECONDS_MAX = 5.0
WAITED_FOR = {signal.SIGINT, signal.SIGTERM}
RESTART_SECONDS = 1.0
# What ended sooner than this after its start cannot start; whoever supervises us decides then.
LIVES_SECONDS_MIN = 3.0
SIGNER_AGAIN_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1


def serve(settings: Settings, *, with_worker: bool, announce: Callable[[Serving], None]) -> int:
    """Run until a signal. Returns the exit code."""
    refuse_taken_port(settings)
    keys = load_keys(settings)
    if settings.metrics_port:
        share_figures()
    building = Building(settings, keys)
    building.start()  # while PostgreSQL starts: most of a second start is imports
    try:
        place = open_place(settings)
        try:
            serving = Serving(place, keys, asyncio.run(_prepare(place, keys, with_worker=with_worker)))
            app = building.finish(serving)
            announce(serving)
            leaving = Leaving()
            app.runtime.is_leaving = leaving
            return Children(serving, app, leaving, with_worker=with_worker).run()
        finally:
            place.stop()
    finally:
        building.join()
        forget_figures()


class Building(threading.Thread):
    """Loads the slow modules and builds the application beside the start of the database."""

    def __init__(self, settings: Settings, keys: KeyRing) -> None:
        super().__init__(name="building")
        self._settings = settings
        self._keys = keys
        self._app: Api | None = None
        self._serving: Serving | None = None

    def run(self) -> None:
        import granian  # noqa: PLC0415

        import healthbook.worker  # noqa: PLC0415

        assert granian
        assert healthbook.worker, "the forked children find it loaded"
        self._app = make_app(self._settings, self._keys, self._place)

    def finish(self, serving: Serving) -> "Api":
        """Wait for the application and tell it where its database is."""
        self.join()
        self._serving = serving
        if self._app is None:
            raise StartError("The application could not be built; the error stands above.")
        return self._app

    def _place(self) -> Place:
        assert self._serving is not None
        return self._serving.place


async def _prepare(place: Place, keys: KeyRing, *, with_worker: bool) -> bool:
    if place.settings.embedded:
        await bring_up_to_date(place)
    demo = await check_start(place, keys)
    if with_worker:
        await refuse_foreign(place, "hb_delivery")
    return demo


def refuse_taken_port(settings: Settings) -> None:
    """Granian shares ports (SO_REUSEPORT), so two installations on one port would mix their answers."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except socket.gaierror:
            raise StartError(f"HOST is {settings.host}: that is no address of this machine.") from None
        except OSError as error:
            raise StartError(
                f"Port {settings.port} on {settings.host} cannot be used ({error.strerror}). "
                "Choose another with PORT=8001, or stop the program that holds it."
            ) from None


def wait_for_port(settings: Settings) -> None:
    """Until the API listens, at most WAIT_SECONDS_MAX: the worker shall not hold up its start."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < deadline and not WAITED_FOR & signal.sigpending():
        with contextlib.suppress(OSError), socket.create_connection((host, settings.port), timeout=1):
            return
        time.sleep(0.01)


class Children:
    """The forked processes and what happens when one ends."""

    def __init__(self, serving: Serving, app: "Api", leaving: Leaving, *, with_worker: bool) -> None:
        self._serving = serving
        self._app = app
        self._leaving = leaving
        self._with_worker = with_worker
        self._api = 0
        self._api_since = 0.0
        self._database_since = time.monotonic()
        self._worker = 0
        self._signer = 0
        self._metrics = 0

    def run(self) -> int:
        """Start everything, wait for a signal or for what cannot be started anew, stop everything.

        Signals are blocked and waited for: a handler could run, and lose them, in the middle of a fork.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, WAITED_FOR)
        try:
            self._start_api()
            wait_for_port(self._serving.place.settings)
            self._start_signer()
            self._start_worker()
            self._start_metrics()
            return self._watch()
        finally:
            for pid in (self._api, self._worker, self._signer, self._metrics):
                stop_child(pid)

    def _start_api(self) -> None:
        self._api = fork_child(lambda: run_api(self._serving.place.settings, self._app))
        self._api_since = time.monotonic()

    def _start_signer(self) -> None:
        """Where there are keys and no signer of its own; only that process reads them (security.md S28)."""
        settings = self._serving.place.settings
        if settings.signer_keys.is_dir() and not settings.healthbook_signer:
            self._signer = fork_child(lambda: run_signer(self._serving.place))

    def _start_worker(self) -> None:
        if self._with_worker:
            self._worker = fork_child(lambda: run_worker(self._serving))

    def _start_metrics(self) -> None:
        if self._serving.place.settings.metrics_port:
            self._metrics = fork_child(lambda: run_metrics(self._serving.place.settings))

    def _watch(self) -> int:
        while True:
            if number := asked_to_stop(RESTART_SECONDS):
                self._leave(drain=number == signal.SIGTERM)
                return 0
            ended, status = os.waitpid(-1, os.WNOHANG)
            if ended and ended == self._worker:
                count_restart("worker")
                self._start_worker()
            elif ended and ended == self._signer:
                count_restart("signer")
                self._start_signer()
            elif ended and ended == self._metrics:
                self._start_metrics()
            elif ended and ended == self._api and has_lived(self._api_since):
                count_restart("api")
                self._start_api()
            elif ended and self._is_database(ended) and status and has_lived(self._database_since):
                if not self._start_database():
                    return 1
            elif ended:
                # What cannot start, or a PostgreSQL that somebody stopped: nothing can be served any more.
                self._api = 0 if ended == self._api else self._api
                return 1

    def _is_database(self, pid: int) -> bool:
        server = self._serving.place.server
        return server is not None and pid == server.pid

    def _start_database(self) -> bool:
        """PostgreSQL ended by itself or was killed. Meanwhile everybody is told 503; those who were connected
        find it again. Returns whether it runs, or we were asked to stop meanwhile."""
        server = self._serving.place.server
        assert server is not None
        count_restart("database")
        try:
            server.start_again()
        except PostgresError as error:
            if WAITED_FOR & signal.sigpending():
                return True
            sys.stderr.write(f"PostgreSQL ended, and cannot be started again. {error}\n")
            return False
        self._database_since = time.monotonic()
        return True

    def _leave(self, *, drain: bool) -> None:
        """Tell everybody, and serve on while balancers look elsewhere; a second signal ends the wait."""
        self._leaving.begin()
        if self._worker:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._worker, signal.SIGTERM)
        if drain:
            asked_to_stop(self._serving.place.settings.drain_seconds)


def has_lived(since: float) -> bool:
    """Whether what was started then could start at all."""
    return time.monotonic() > since + LIVES_SECONDS_MIN


def asked_to_stop(seconds: float) -> int:
    """Wait for SIGINT or SIGTERM that long. Returns its number; 0: none came."""
    came = signal.sigtimedwait(WAITED_FOR, seconds)
    return came.si_signo if came else 0


def run_api(settings: Settings, app: "Api") -> None:
    """Granian with its server processes; each takes the application over and opens its own pool."""
    import multiprocessing  # noqa: PLC0415

    from granian import Granian  # noqa: PLC0415
    from granian.constants import Interfaces, Loops  # noqa: PLC0415
    from granian.log import LogLevels  # noqa: PLC0415

    multiprocessing.set_start_method("fork", force=True)  # the loaded modules and keys come along
    api = os.getpid()

    def load(*_: object) -> Callable[..., Any]:
        die_with(api)
        configure_logs()
        return app

    Granian(
        "healthbook",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        loop=Loops.uvloop,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=FINISH_SECONDS_MAX,
        **connection_limits(),
    ).serve(target_loader=load, wrap_loader=False)


def run_worker(serving: Serving) -> None:
    """One worker: outbox, deliveries, timers."""
    from healthbook.worker import run_until_stopped  # noqa: PLC0415

    run_until_stopped(serving)


def run_metrics(settings: Settings) -> None:
    """What Prometheus asks for the figures of all these processes."""
    from healthbook.metrics.offering import run_until_stopped  # noqa: PLC0415

    run_until_stopped(settings)


def count_restart(process: str) -> None:
    """A child ended that should not."""
    from healthbook.metrics.counts import RESTARTS  # noqa: PLC0415

    RESTARTS.labels(process).inc()


def run_signer(place: Place) -> None:
    """The signer of certificates; where it cannot start it says why, and is started again later."""
    from healthbook.signing_process import run_until_stopped  # noqa: PLC0415

    try:
        run_until_stopped(place)
    except StartError as error:
        sys.stderr.write(f"No certificate is signed. {error}\n")
        time.sleep(SIGNER_AGAIN_SECONDS)


def fork_child(run: Callable[[], None]) -> int:
    """Run `run` in a forked process that does not outlive this one. Returns its process id."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    gc.freeze()  # what the parent loaded stays; the collector need not look at it again
    gc.enable()
    try:
        os.setsid()
        die_with(parent)
        give_way()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WAITED_FOR)
        run()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException as error:
        report_crash(error)
    finally:
        # Whatever happens, this copy of the parent goes no further than here.
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(code)


def give_way() -> None:
    """Where memory is short, let the kernel end this process before its parent, which starts it anew and with
    whose death all would end (Linux only)."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("300")


def report_crash(error: BaseException) -> None:
    """Class and code lines; the text of an exception can hold values (security.md S22)."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    at = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{type(error).__name__} at {at}\n")


def die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent ends, however it ends (Linux only)."""
    _at_death_of(parent, signal.SIGKILL)


def stop_with(parent: int) -> None:
    """Stop in order when the parent ends: for `make run`, whose death must free the port too."""
    _at_death_of(parent, signal.SIGTERM)


def _at_death_of(parent: int, number: signal.Signals) -> None:
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # the parent ended before the line above


def stop_child(pid: int) -> None:
    """SIGTERM, then SIGKILL after STOP_SECONDS_MAX."""
    if not pid:
        return
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while time.monotonic() < deadline:
            if os.waitpid(pid, os.WNOHANG)[0]:
                return
            time.sleep(0.02)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
