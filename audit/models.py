"""Rows of the access log, as hashed, as kept and as exported.

`Entry` is what the chain covers: ids, codes and digests only. Names stand beside it, outside the
hash, so that a protected clinician can be masked later without breaking a chain (security.md S27).
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

Outcome = Literal["ok", "unchanged", "refused"]


class EntryActor(Struct, frozen=True, kw_only=True):
    """Who acted. `commitment` is the hex of SHA-256(actor salt ‖ JCS([name, licence]))."""

    commitment: str | None
    device_id: UUID | None
    id: UUID
    kind: str
    role: str | None
    role_id: UUID | None


class EntryGrant(Struct, frozen=True, kw_only=True):
    id: UUID
    version: int | None


class Entry(Struct, frozen=True, kw_only=True):
    """One hashed row without seq and prev (consent.md §10). Every key is always present.

    at: UTC with microseconds and 'Z'. body_sha256: hex of SHA-256(salt ‖ returned bytes).
    resources: ids by resource type, each list in the order in which they were returned.
    """

    action: str
    actor: EntryActor
    at: str
    basis: str | None
    body_sha256: str | None
    count: int
    facility_id: UUID | None
    grant: EntryGrant | None
    on_behalf_of: UUID | None
    outcome: Outcome
    patient_id: UUID
    purpose: str | None
    reason: str | None
    request_id: str
    resources: dict[str, list[str]]


class LogRow(Struct, frozen=True):
    """One row as kept: `entry` is the canonical text whose SHA-256 the chain covers."""

    seq: int
    at: datetime
    entry: str
    prev: bytes
    h: bytes
    salt: bytes
    actor_salt: bytes
    actor_name: str | None
    actor_licence: str | None
    facility_name: str | None


class Head(Struct, frozen=True):
    """The last link of a person's chain; an app pins it to notice a cut tail."""

    seq: int
    h: bytes


class AdminEntry(Struct, frozen=True, kw_only=True):
    """One act of an operator (security.md S26): who, what, why, how many; never a value."""

    at: str
    count: int
    operator: str
    reason: str
    what: str


class AdminRow(Struct, frozen=True):
    seq: int
    at: datetime
    entry: str
    prev: bytes
    h: bytes
