"""A client's wish on its way through a person's browser, as kept."""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from identity.app_clients.models import AppTokens

# pushed: sent by the client, no browser yet. open: on a page. proven: the person signed in at the provider.
# looked-at: the person opened it in the own app. agreed: and said yes there; the digits that the app shows
# are still to be typed on the page. granted: a code is out. redeemed: once. ended: a no, or tried too often.
Phase: TypeAlias = Literal["pushed", "open", "proven", "looked-at", "agreed", "granted", "redeemed", "ended"]


class AuthorizationRow(Struct, frozen=True):
    """scope: as asked for. patient_id: who proved to be there, from `proven` or `looked-at` on. device_id,
    ticked, ends_at, choice, signature: what was agreed to in the app, and by which device."""

    request_id: UUID
    client_id: UUID
    phase: Phase
    redirect_uri: str
    state: str | None
    scope: str
    code_challenge: str
    jkt: str | None
    hint_hash: bytes | None
    transaction_id: UUID | None
    verification_id: UUID | None
    patient_id: UUID | None
    level: int
    device_id: UUID | None
    ticked: list[str] | None
    ends_at: datetime | None
    choice: str | None
    signature: str | None
    digits_hash: bytes | None
    tries: int
    created_at: datetime
    expires_at: datetime


class CodeRow(Struct, frozen=True):
    """A code that this call used up, with what it was given for."""

    client_id: UUID
    redirect_uri: str
    code_challenge: str
    jkt: str | None
    scope: str
    patient_id: UUID | None
    reference: UUID | None
    granted: str | None
    ends_at: datetime | None


class SpentRow(Struct, frozen=True):
    """A code that was used before. session_id: the tokens that were handed out for it."""

    client_id: UUID
    session_id: UUID | None


class Redeemed(Struct, frozen=True, kw_only=True):
    """What a code was good for. patient_id never leaves: the client gets a name of its own for the person."""

    tokens: AppTokens
    patient_id: UUID
    reference: UUID
    ends_at: datetime
    launch: bool
