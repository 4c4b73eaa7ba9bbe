"""A witness over HTTP: an operator's address (AUDIT_WITNESS_URL), with the witness's public key beside it.

POST of the offer in JSON. 200: the cosignature. 409 {"size": n}: the witness knows the log at n leaves.
422: it refuses. Anything else: later again.
"""

from typing import Final

import httpx
import msgspec

from audit.ports import (
    Offer,
    WitnessBehindError,
    WitnessRefusedError,
    WitnessUnreachableError,
)
from audit.roots.models import Cosignature, Count
from audit.roots.signing import holds_cosignature

SECONDS_MAX: Final = 10.0
ANSWER_BYTES_MAX: Final = 16 * 1024


class _Behind(msgspec.Struct, frozen=True):
    size: Count


class HttpWitness:
    """key: Ed25519 in base64url; a word under another key counts for nothing."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key

    async def offer(self, offer: Offer) -> Cosignature:
        """One question and its answer; see audit.ports.Witness."""
        status, body = await self._post(msgspec.json.encode(offer))
        try:
            if status == httpx.codes.CONFLICT:
                raise WitnessBehindError(msgspec.json.decode(body, type=_Behind).size)
            if status == httpx.codes.UNPROCESSABLE_ENTITY:
                raise WitnessRefusedError
            if status != httpx.codes.OK:
                raise WitnessUnreachableError
            said = msgspec.json.decode(body, type=Cosignature)
        except msgspec.MsgspecError as error:
            raise WitnessUnreachableError from error
        if not holds_cosignature(offer.root.root, said, self._key):
            raise WitnessRefusedError
        return said

    async def _post(self, body: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        client = httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=SECONDS_MAX)
        try:
            async with client, client.stream("POST", self._url, content=body, headers=headers) as answer:
                got = b""
                async for part in answer.aiter_raw():
                    got += part
                    if len(got) > ANSWER_BYTES_MAX:
                        raise WitnessUnreachableError
                return answer.status_code, got
        except (httpx.HTTPError, OSError) as error:
            raise WitnessUnreachableError from error
