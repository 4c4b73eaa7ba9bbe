"""An event for a client, and what is sent of it."""

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

EventKind: TypeAlias = Literal["consent-ended", "record-changed"]
# dropped: nobody is there to be told any more.
EventState: TypeAlias = Literal["waiting", "delivered", "stopped", "dropped"]


class WebhookRow(Struct, frozen=True):
    """One event of a client. reference: the consent, as the client knows it."""

    client_id: UUID
    event_id: UUID
    kind: EventKind
    reference: UUID
    happened_at: datetime
    attempts: int


class StoppedRow(Struct, frozen=True):
    """An event that never arrived, as an operator sees it. outcome: the last status, or why none came."""

    client_id: UUID
    kind: EventKind
    attempts: int
    outcome: str
    settled_at: datetime


class Settled(Struct, frozen=True):
    """changed_at: of a further change while the event was on its way; None: there was none."""

    changed_at: datetime | None


class SubjectId(Struct, frozen=True, kw_only=True):
    """RFC 9493, format `opaque`: the consent's reference."""

    id: str
    format: Literal["opaque"] = "opaque"


class EventClaims(Struct, frozen=True, kw_only=True):
    """A Security Event Token (RFC 8417). events: one name of ours and an empty object; toe: when it
    happened, in seconds."""

    iss: str
    aud: str
    iat: int
    jti: str
    sub_id: SubjectId
    toe: int
    events: dict[str, dict[str, Any]]
