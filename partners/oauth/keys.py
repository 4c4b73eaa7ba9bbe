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
from msgspec.structs import replace

from identity.app_clients.models import AppClient
from identity.app_clients.policy import KEYS_MAX, public_key
from store.egress import Egress, EgressError

KEPT_FOR: Final = timedelta(minutes=10)
LOOKED_AGAIN_AFTER: Final = timedelta(minutes=1)
CLIENTS_MAX: Final = 1000


class _Kept(Struct, frozen=True):
    """keys: as the address said at fetched_at. asked_at: when it was asked last, answer or none."""

    address: str
    keys: tuple[Key, ...]
    fetched_at: datetime
    asked_at: datetime

    def is_of(self, address: str, now: datetime) -> bool:
        """Whether these keys still count."""
        return self.address == address and now - self.fetched_at < KEPT_FOR

    def answers(self, kid: str | None, now: datetime) -> bool:
        """Whether nothing is asked for this name: it is known, or was looked for just now."""
        known = any(key.kid == kid for key in self.keys) if kid is not None else bool(self.keys)
        return known or now - self.asked_at < LOOKED_AGAIN_AFTER


class ClientKeys:
    """What this process knows of clients' keys. While an address does not answer, its client has what was
    kept until that is ten minutes old, then none. An assertion proves nothing yet when it names a key: a name
    that a stranger made up neither takes kept keys away nor lets anybody wait who names a known one (S31)."""

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
        kept = self._known(client.client_id, client.jwks_uri, now)
        if kept is not None and kept.answers(kid, now):
            return kept.keys
        # Many calls at once ask the address once.
        async with self._asking.setdefault(client.client_id, asyncio.Lock()):
            kept = self._known(client.client_id, client.jwks_uri, now)
            if kept is not None and kept.answers(kid, now):
                return kept.keys
            return await self._fetch(client.client_id, client.jwks_uri, now)

    def _known(self, client_id: UUID, address: str, now: datetime) -> _Kept | None:
        kept = self._kept.get(client_id)
        return kept if kept is not None and kept.is_of(address, now) else None

    async def _fetch(self, client_id: UUID, address: str, now: datetime) -> tuple[Key, ...]:
        try:
            made = _Kept(address, keys_in((await self._egress.fetch(address)).body), now, now)
        except EgressError:
            kept = self._known(client_id, address, now)
            made = _Kept(address, (), now, now) if kept is None else replace(kept, asked_at=now)
        self._kept[client_id] = made
        self._kept.move_to_end(client_id)
        while len(self._kept) > CLIENTS_MAX:
            self._kept.popitem(last=False)
        return made.keys


def keys_in(jwks: str | bytes) -> tuple[Key, ...]:
    """The usable keys of a JWK Set; what cannot be used is passed over, as RFC 7517 section 5 says."""
    try:
        found = msgspec.json.decode(jwks, type=dict[str, Any]).get("keys")
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return ()
    listed = found[:KEYS_MAX] if isinstance(found, list) else []
    return tuple(key for key in map(public_key, listed) if key is not None)
