"""Where Prometheus fetches the figures: METRICS_PORT on METRICS_HOST, the loopback by default (S34)."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from healthbook.logs import configure_logs
from healthbook.metrics.gauges import show_backups, show_state
from healthbook.metrics.sharing import VARIABLE, are_shared
from healthbook.settings import Settings
from kernel.clock import Clock
from store.database import Store

SHOWN_EVERY_SECONDS: Final = 15
AGAIN_SECONDS: Final = 30.0
# The repository is another service: once in five minutes is enough.
BACKUPS_EVERY_TURNS: Final = 20

log = structlog.get_logger("metrics")


def run_until_stopped(settings: Settings) -> None:
    """A process that shows what all processes of one `serve` count. Where the port is taken it says so and
    ends after a while, to be started again."""
    configure_logs()
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=os.environ[VARIABLE])  # type: ignore[no-untyped-call]
    try:
        start_http_server(settings.metrics_port, settings.metrics_host, registry=registry)
    except OSError as error:
        _not_offered(settings, error)
        time.sleep(AGAIN_SECONDS)
        return
    signal.pause()


async def keep_metrics(store: Store, clock: Clock, settings: Settings, stop: asyncio.Event) -> None:
    """Of a worker: show how queues and deadlines stand until `stop`, and offer the figures where this process
    stands alone. METRICS_PORT 0: nothing is shown."""
    if not settings.metrics_port:
        return
    try:
        server = None if are_shared() else start_http_server(settings.metrics_port, settings.metrics_host)[0]
    except OSError as error:
        # Another process of this machine has it; messages leave all the same.
        _not_offered(settings, error)
        return
    try:
        turn = 0
        while not stop.is_set():
            await _show(show_state(store, clock))
            if turn % BACKUPS_EVERY_TURNS == 0:
                await _show(show_backups(settings))
            turn += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(SHOWN_EVERY_SECONDS):
                    await stop.wait()
    finally:
        if server is not None:
            await asyncio.to_thread(server.shutdown)


async def _show(look: Awaitable[None]) -> None:
    """What is away is no reason to stop looking: that is when somebody looks at the figures."""
    try:
        await look
    except Exception as error:
        log.error("gauges_failed", error=type(error).__name__)


def _not_offered(settings: Settings, error: OSError) -> None:
    log.error(
        "metrics_not_offered", setting="METRICS_PORT", port=settings.metrics_port, error=type(error).__name__
    )
