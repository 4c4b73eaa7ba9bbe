"""The signer as a process: its keys, its role in the database, its socket (security.md S28)."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from healthbook.logs import configure_logs
from healthbook.settings import Settings
from healthbook.wiring import Place, StartError, refuse_foreign
from kernel.clock import SystemClock
from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.installation import is_demo
from store.keys import KeyRing
from vaccination.signer.key_files import KeyFileError, SignerKeys
from vaccination.signer.server import SigningServer


def run_until_stopped(place: Place) -> None:
    """One signer, until SIGTERM or SIGINT. Raises StartError."""
    configure_logs()
    asyncio.run(_serve(place))


async def _serve(place: Place) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with signing(place):
        await stop.wait()


@asynccontextmanager
async def signing(place: Place) -> AsyncIterator[None]:
    """A signer that listens on its socket until the end of the block. Raises StartError."""
    keys = load_signer_keys(place.settings)
    await refuse_foreign(place, "hb_signer")
    async with _opened_store(place) as store:
        async with store.transaction() as tx:
            demo = await is_demo(tx)
        if keys.demo != demo:
            raise StartError(
                "HEALTHBOOK_SIGNER_KEYS are a demo's keys and the database is none, or the other way round: "
                "a demo signs with the keys it was made with, nothing else does."
            )
        server = SigningServer(store, keys, SystemClock())
        await server.open(place.settings.signer_socket)
        try:
            yield
        finally:
            await server.close()


@asynccontextmanager
async def _opened_store(place: Place) -> AsyncIterator[Store]:
    """With no key of the service: the signer reads no field and no file that one of them opens."""
    ring = KeyRing()
    blobs = FilesystemBlobs(place.settings.data / "blobs", ring)
    store = await open_store(place.dsn("hb_signer"), role="hb_signer", keys=ring, blobs=blobs)
    try:
        yield store
    finally:
        await store.close()


def load_signer_keys(settings: Settings) -> SignerKeys:
    """The signer's keys. Raises StartError in plain words where they cannot be used."""
    if not settings.signer_keys.is_dir():
        raise StartError(
            f"There are no keys in {settings.signer_keys}. `healthbook certificates keys make` makes one; "
            "HEALTHBOOK_SIGNER_KEYS names the directory."
        )
    try:
        return SignerKeys.load(settings.signer_keys)
    except KeyFileError as error:
        raise StartError(f"The signer's keys cannot be used: {error}.") from error
