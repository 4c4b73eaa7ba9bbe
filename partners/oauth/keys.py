"""Public keys of clients: those of the register, or those that a client publishes at the address there.

Fetched outside any transaction by store/egress.py, kept for minutes; a key that is not among them is looked
for once more, at most once a minute for each client, so that a rotation needs nobody's hand.
"""

import asyncio
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from weakref import WeakValueDictionary

import msgspec
from joserfc.jwk import Key
from msgspec import Struct

from identity.app_clients.models import AppClient
from identity.app_clients.policy import KEYS_MAX, public_key
from store.egress import Egress, EgressError

KEPT_FOR: Final = timedelta(minutes=10)
LOOKED_AGAIN_AFTER: Final = timedelta(minutes=1)
CLIENTS_MAX: Final = 1000


class _Kept(Struct, frozen=True):
    address: str
    keys: tuple[Key, ...]
    asked_at: datetime


class ClientKeys:
    """What this process knows of clients' keys. While an address does not answer its client has none, and is
    refused."""

    def __init__(self, egress: Egress | None = None) -> None:
        self._egress = egress or Egress()
        self._kept: OrderedDict[UUID, _Kept] = OrderedDict()
        self._asking: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    async def of(self, client: AppClient, kid: str | None, now: datetime) -> tuple[Key, ...]:
        """The keys with which this client's word may be checked now."""
        if client.jwks is not None:
            return keys_in(client.jwks)
        if client.jwks_uri is None:
            return ()
        # Many calls at once ask the address once.
        async with self._asking.setdefault(client.client_id, asyncio.Lock()):
            kept = self._kept.get(client.client_id)
            if kept is None or kept.address != client.jwks_uri or now - kept.asked_at >= KEPT_FOR:
                return await self._fetch(client.client_id, client.jwks_uri, now)
            known = any(key.kid == kid for key in kept.keys) if kid is not None else bool(kept.keys)
            if known or now - kept.asked_at < LOOKED_AGAIN_AFTER:
                return kept.keys
            return await self._fetch(client.client_id, client.jwks_uri, now)

    async def _fetch(self, client_id: UUID, address: str, now: datetime) -> tuple[Key, ...]:
        try:
            keys = keys_in((await self._egress.fetch(address)).body)
        except EgressError:
            keys = ()
        self._kept[client_id] = _Kept(address, keys, now)
        self._kept.move_to_end(client_id)
        while len(self._kept) > CLIENTS_MAX:
            self._kept.popitem(last=False)
        return keys


def keys_in(jwks: str | bytes) -> tuple[Key, ...]:
    """The usable keys of a JWK Set; what cannot be used is passed over, as RFC 7517 section 5 says."""
    try:
        found = msgspec.json.decode(jwks, type=dict[str, Any]).get("keys")
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return ()
    listed = found[:KEYS_MAX] if isinstance(found, list) else []
    return tuple(key for key in map(public_key, listed) if key is not None)
