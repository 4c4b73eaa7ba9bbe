"""Rows that the doctor looks at."""

from datetime import datetime

from msgspec import Struct


class Setting(Struct, frozen=True):
    """A setting of the server, as SHOW says it; None where the server knows no such setting."""

    name: str
    value: str | None


class RoleRow(Struct, frozen=True):
    """A role of the server and what it may do beyond any table."""

    name: str
    superuser: bool
    creates_roles: bool
    bypasses_rows: bool


class Session(Struct, frozen=True):
    """How this session came: who signed in, whether as superuser, over TLS, and what the server is."""

    user: str
    superuser: bool
    encrypted: bool
    version: int
    at: datetime
    used: int
    most: int


class Right(Struct, frozen=True):
    """A right that a role has and should not."""

    role: str
    table: str
    right: str


class LateTimer(Struct, frozen=True):
    kind: str
    ref: str
    due_at: datetime


class SetAside(Struct, frozen=True):
    """Events of a kind that fail again and again."""

    event: str
    count: int


class Applied(Struct, frozen=True):
    """A migration that made these tables, and the hash of its file."""

    version: int
    sha256: bytes
