"""An installation of its own for a measurement: a new embedded database, migrated, with keys of a demo."""

import logging
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
import structlog

from healthbook.settings import read_settings
from healthbook.wiring import Place, bring_up_to_date, open_place, opened_store
from store.database import Store
from store.keys import KeyRing

CONNECTIONS = 16


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory that is gone afterwards, and a quiet program."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    directory = Path(tempfile.mkdtemp(prefix="hbb-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def running(directory: Path) -> Iterator[Place]:
    """PostgreSQL, kept by this process; measured servers share it. Call it from the main thread."""
    data = directory / "data"
    data.mkdir(mode=0o700, parents=True)
    place = open_place(read_settings({"HEALTHBOOK_DATA": str(data)}))
    try:
        yield place
    finally:
        place.stop()


@asynccontextmanager
async def prepared(place: Place) -> AsyncIterator[Store]:
    """Tables and keys; the store of this process as hb_api."""
    keys = KeyRing.create(place.settings.data / "keys", demo=True)
    await bring_up_to_date(place, demo=True)
    settings = msgspec.structs.replace(place.settings, pool_max=CONNECTIONS)
    async with opened_store(msgspec.structs.replace(place, settings=settings), "hb_api", keys) as store:
        yield store
