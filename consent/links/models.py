"""What a link is made of, as kept and as asked for."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

# Certificates of vaccination become a kind of their own when they are issued; until then the list is closed.
Paper = Literal["book", "sheet"]
LinkState = Literal["live", "locked", "held", "expired", "revoked"]


class Document(Struct, frozen=True, kw_only=True):
    """An attachment of a document or report of the own record, from 0."""

    id: str
    attachment: int = 0


class Wish(Struct, frozen=True, kw_only=True):
    """What a link is to show, how long and behind what. The summary (IPS) is always in it.

    passcode: the person's own choice, None for one that is drawn.
    """

    label: str
    long_term: bool
    duration_seconds: int
    passcode: str | None
    papers: tuple[Paper, ...]
    documents: tuple[Document, ...]


class Lock(Struct, frozen=True):
    """A passcode as it rests: Argon2id of it, bound to the link and the pepper."""

    passcode: str
    salt: bytes
    digest: bytes


class NewFile(Struct, frozen=True):
    """An encrypted file that lies in the store already. content: 'ips', 'book', 'sheet' or
    'document/<id>/<number>'."""

    content: str
    blob_id: UUID
    shown: list[tuple[str, str]]


class LiveLink(Struct, frozen=True):
    """The columns a decision needs of a link in force."""

    arming: int
    origins: list[UUID]
    expires_at: datetime


class Door(Struct, frozen=True):
    """A link in force as its address finds it, before any passcode."""

    patient_id: UUID
    link_id: UUID
    arming: int
    attempts: int
    passcode_salt: bytes
    key_sealed: bytes | None
    head_seq: int
    contents: list[str]


class LinkFile(Struct, frozen=True):
    """One file of a link."""

    content: str
    blob_id: UUID
    shown: str
    updated_at: datetime


class LinkRow(Struct, frozen=True):
    """A link as its owner sees it; `held`: by a merge or a restored backup, until confirmed."""

    patient_id: UUID
    link_id: UUID
    label_sealed: bytes
    is_refreshed: bool
    contents: list[str]
    attempts: int
    created_at: datetime
    expires_at: datetime
    locked_at: datetime | None
    ended_at: datetime | None
    held: bool
    openings: int


class Opening(Struct, frozen=True):
    opening_id: UUID
    recipient_sealed: bytes
    opened_at: datetime


class Ticket(Struct, frozen=True):
    """A way to one file, just used up. arming: the passcode that opened it."""

    patient_id: UUID
    link_id: UUID
    arming: int
    opening_id: UUID
    content: str
    expires_at: datetime
