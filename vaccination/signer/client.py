"""The service's side of the signer's socket."""

import asyncio
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from vaccination.signer.models import Answered, Asked
from vaccination.signer.ports import Shape, SignerError
from vaccination.signer.wire import FrameError, frame, reachable, read_frame

SECONDS_MAX: Final = 15

_decode = msgspec.msgpack.Decoder(Answered).decode
_encode = msgspec.msgpack.Encoder().encode


class SocketSigner:
    """The signer behind its socket; a connection for each signature, so a new signer is found at once."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def sign(self, issuance: UUID, patient_id: UUID, key: str, shape: Shape, to_sign: bytes) -> bytes:
        """Raises SignerError."""
        asked = Asked(issuance, patient_id, key, shape, to_sign)
        try:
            async with asyncio.timeout(SECONDS_MAX):
                answered = _decode(await self._exchange(_encode(asked)))
        except (OSError, TimeoutError, FrameError, msgspec.MsgspecError) as error:
            raise SignerError("unreachable") from error
        if answered.signature is None:
            raise SignerError(answered.reason or "unreachable")
        return answered.signature

    async def _exchange(self, data: bytes) -> bytes:
        with reachable(self._socket) as path:
            reader, writer = await asyncio.open_unix_connection(path)
        try:
            writer.write(frame(data))
            await writer.drain()
            return await read_frame(reader)
        finally:
            writer.close()
