"""Devices as kept, and as shown with what measured through them."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from vitals.wire import SourceKind


class DeviceState(Struct, frozen=True):
    """What is known of a device before its batch is looked at."""

    revoked_at: datetime | None


class Counts(Struct, frozen=True):
    """How many devices a person has: those that may send, and all there ever were."""

    live: int
    ever: int


class Row(Struct, frozen=True):
    """One source of one device; the device alone where nothing was stored of it."""

    patient_id: UUID
    device_id: str
    added_at: datetime
    revoked_at: datetime | None
    source_id: int | None
    app: str | None
    model: str | None
    kind: str | None
    method: str | None
    priority: int | None
    clock_offset_ms: int | None
    last_seen_at: datetime | None


class SourceShown(Struct, frozen=True, kw_only=True):
    """What measured, through which app. priority: of several that count steps or energy in one hour the
    lowest counts. clock_offset_ms: by how much its phone's clock was behind when it last sent."""

    source_id: int
    app: str
    kind: SourceKind
    model: str | None
    method: str
    priority: int
    clock_offset_ms: int
    last_seen_at: datetime


class DeviceShown(Struct, frozen=True, kw_only=True):
    """revoked_at: since when nothing is taken from it."""

    device_id: str
    added_at: datetime
    revoked_at: datetime | None
    last_seen_at: datetime | None
    sources: list[SourceShown]


class Devices(Struct, frozen=True, kw_only=True):
    """The one that sent last first."""

    devices: list[DeviceShown]
