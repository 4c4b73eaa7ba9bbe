"""A consent to a partner or an app, as kept and as a decision finds it."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from identity.app_clients.models import ClientKind
from kernel.access import PartnerGroup, RecordType
from kernel.data_groups import types_of_groups

AppEndReason = Literal["revoked", "superseded"]
AppConsentState = Literal["live", "held", "expired", "ended"]


class AppConsent(Struct, frozen=True):
    """A row of app_consent without its artefact. reference: what the client knows it by, and nobody else.

    groups: of a partner, QĐ 31's groups that were ticked. types: kinds of entries that may be read. scope: of
    an app, what was granted in SMART's words. verification_id, device_id: how the person proved to be there.
    """

    patient_id: UUID
    consent_id: UUID
    client_id: UUID
    kind: ClientKind
    client_name: str
    holder: str
    reference: UUID
    groups: list[PartnerGroup]
    types: list[RecordType]
    scope: str
    verification_id: UUID | None
    device_id: UUID | None
    created_at: datetime
    ends_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None
    end_reason: AppEndReason | None
    last_used_at: datetime | None


class ListedConsent(Struct, frozen=True):
    """One line of the person's list. held: it opens nothing until the person confirms it."""

    consent: AppConsent
    held: bool

    def state(self, now: datetime) -> AppConsentState:
        if self.consent.ended_at is not None:
            return "ended"
        if self.consent.ends_at <= now:
            return "expired"
        return "held" if self.held else "live"


class ByReference(Struct, frozen=True):
    patient_id: UUID
    consent_id: UUID


class LiveConsent(Struct, frozen=True):
    """The columns that a decision needs of a consent in force. groups_max: of the client's entry as it is
    now, which may have become narrower since."""

    consent_id: UUID
    kind: ClientKind
    groups: list[PartnerGroup]
    types: list[RecordType]
    groups_max: list[PartnerGroup]
    last_used_at: datetime | None
    told_on: date | None
    origins: list[UUID]
    sealed_person: bytes

    @property
    def open_groups(self) -> frozenset[PartnerGroup]:
        """What the person agreed to and the register still lets the client ask for."""
        return frozenset(self.groups) & frozenset(self.groups_max)

    @property
    def open_types(self) -> frozenset[RecordType]:
        """Of a partner, what those groups are made of; what an app's entry allows cuts its tokens' scope."""
        types = frozenset(self.types)
        return types & types_of_groups(self.open_groups) if self.kind == "partner" else types


class HeldRow(Struct, frozen=True):
    consent_id: UUID
    held: bool
