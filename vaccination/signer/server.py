"""The signer's side of the socket. It trusts nobody who can open it: every request must have its row."""

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Final

import msgspec
import structlog

from kernel.clock import Clock
from store.database import Store
from vaccination.signer.key_files import SignerKeys
from vaccination.signer.models import Answered, Asked
from vaccination.signer.ports import SignerError
from vaccination.signer.signing import allow
from vaccination.signer.wire import FrameError, frame, reachable, read_frame

READ_SECONDS_MAX: Final = 10
# Requests that are worked on at once; the others wait their turn.
AT_ONCE: Final = 4

log = structlog.get_logger("signer")
_decode = msgspec.msgpack.Decoder(Asked).decode
_encode = msgspec.msgpack.Encoder().encode


class SigningServer:
    """Answers one connection after the other, as many requests each as it asks."""

    def __init__(self, store: Store, keys: SignerKeys, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._server: asyncio.Server | None = None
        self._socket: Path | None = None

    async def open(self, socket: Path) -> None:
        """Listen; only this account, or its group where the operator lets one in, reaches the socket."""
        _make_way(socket)
        with reachable(socket) as path:
            self._server = await asyncio.start_unix_server(self._serve, path)
        os.chmod(socket, 0o660)
        self._socket = socket

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        if self._socket is not None:
            os.unlink(self._socket)

    async def answer(self, asked: Asked) -> Answered:
        """One signature or the reason why not."""
        try:
            async with self._turn:
                return Answered(await self._sign(asked), None)
        except SignerError as error:
            log.warning("refused", reason=error.reason)
            return Answered(None, error.reason)
        except Exception as error:
            # The class alone: a database's error can quote what was asked (security.md S22).
            log.error("failed", error=type(error).__name__)
            return Answered(None, "unreachable")

    async def _sign(self, asked: Asked) -> bytes:
        async with self._store.transaction() as tx:
            signer = await allow(tx, asked, self._clock.now())
            # Before the commit: a key that is not here spends no issuance.
            if not self._keys.holds(signer.key_id, signer.certificate):
                raise SignerError("unknown-key")
        return self._keys.sign(signer.key_id, asked.to_sign)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not reader.at_eof():
                async with asyncio.timeout(READ_SECONDS_MAX):
                    asked = _decode(await read_frame(reader))
                writer.write(frame(_encode(await self.answer(asked))))
                await writer.drain()
        except (FrameError, msgspec.MsgspecError, TimeoutError, ConnectionError):
            pass  # whoever speaks another language, or nothing, is left
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


def _make_way(socket: Path) -> None:
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket.unlink(missing_ok=True)
