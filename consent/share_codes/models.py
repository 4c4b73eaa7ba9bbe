"""A share code as chosen, as kept and as found."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from consent.models import Scope
from kernel.access import Label, RecordType

# How the person unlocked the phone for the act, in the signed text: A by fingerprint or face, B by PIN.
Unlock = Literal["biometric", "pin"]
CodeTier = Literal["A", "B"]


class ShareCodeRow(Struct, frozen=True):
    """A row of share_code without what was signed."""

    patient_id: UUID
    code_id: UUID
    tier: CodeTier
    types: list[RecordType]
    since: date | None
    until: date | None
    duration_seconds: int
    labels: int
    created_at: datetime
    expires_at: datetime
    redeemed_at: datetime | None
    ended_at: datetime | None

    @property
    def scope(self) -> Scope:
        return Scope(
            types=frozenset(self.types),
            since=self.since,
            until=self.until,
            duration_seconds=self.duration_seconds,
            labels=Label(self.labels),
        )


class Redeemed(Struct, frozen=True):
    """What the person signed, once the code was won."""

    choice: str
    signature: str
