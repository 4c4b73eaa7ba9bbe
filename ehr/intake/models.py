"""What a file is taken apart into: units, items and the reasons why something was not taken in."""

import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Literal, cast
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from ehr.costs.models import Costs
from ehr.referrals.models import Letter

Status = Literal["imported", "quarantined", "rejected"]
Sex = Literal["male", "female", "unknown"]
SignatureStatus = Literal["absent", "present", "unverified", "valid", "invalid"]

# The closed list of vietnam.md §2: what a package can say a person is known by.
IdentifierKind = Literal[
    "national-id", "old-id", "insurance-card", "insurance-number", "passport", "facility-patient-id"
]


class Reason(Struct, frozen=True):
    """Why something was refused. `where` names an element or a field, never a value."""

    code: str
    where: str


class BadInputError(Exception):
    """A unit or a file that cannot be taken in, with every reason found."""

    def __init__(self, reasons: Iterable[Reason]) -> None:
        self.reasons = list(reasons)
        super().__init__(self.reasons[0].code if self.reasons else "bad-input")


def reject(code: str, where: str) -> BadInputError:
    """One reason as an error to raise."""
    return BadInputError([Reason(code, where)])


class PersonFacts(Struct, frozen=True, kw_only=True):
    """What a unit says about its person. birth_date is a FHIR partial date; identifiers are
    (kind, value). A newborn's `name` is often the mother's (vietnam.md, what matters most 2)."""

    identifiers: tuple[tuple[IdentifierKind, str], ...] = ()
    name: str | None = None
    birth_date: str | None = None
    sex: Sex | None = None
    phone: str | None = None
    address: str | None = None
    commune: str | None = None
    newborn: bool = False
    mother_number: str | None = None
    mother_name: str | None = None
    mother_birth_date: str | None = None
    death_reported: bool = False


class PrescriptionFacts(Struct, frozen=True, kw_only=True):
    """What of an e-prescription stands beside its resources (ehr/prescriptions). code, replaces: lower case.

    content_sha256: of all that it says; a code that was sent is never sent otherwise.
    """

    prescription_id: UUID
    code: str
    issued_at: datetime
    collect_by: date
    replaces: str | None
    content_sha256: bytes


class Item(Struct, kw_only=True):
    """One FHIR resource of a unit before the gate.

    key: canonical reference inside its source (`Type/id` or `urn:uuid:…`), our id is made from it.
    aliases: every spelling by which the unit refers to it. raw: the text that is kept, without white
    space. subject: the reference that tells whose it is, as written (Bundles only).
    hints: text beside the resource that the gate must also read (unmapped fields of a row). costs: of a
    visit, what it cost, kept beside the record; letter: of a referral, where it goes.
    """

    rtype: str
    key: str
    raw: str
    where: str
    subject: str | None = None
    aliases: tuple[str, ...] = ()
    hints: str = ""
    costs: Costs | None = None
    letter: Letter | None = None

    @property
    def doc(self) -> dict[str, Any]:
        """The resource, read anew from its text: few are looked at whole, and none is kept twice."""
        return cast(dict[str, Any], json.loads(self.raw))


class SignatureFacts(Struct, frozen=True):
    """What is known of the signature of a received file. digest: SHA-256 of the file; block: the signature
    as it came; reason: why it is invalid or could not be verified."""

    status: SignatureStatus
    digest: bytes
    reason: str | None = None
    block: bytes | None = None
    certificate_sha256: bytes | None = None


class Unit(Struct, kw_only=True):
    """An episode or a Bundle: taken in whole or not at all.

    snapshot: a resend lists all that stands; rows absent from it are retracted.
    only_first: written only while nothing else of its key is known (a check-in before its visit).
    facility_code: the code of the sending facility when the format carries one (MACSKCB).
    documents: what statistics count it as: its tables, or the kind of message.
    version: of a document that counts its versions; an older one than was taken in is refused.
    visit: of a treatment package the reference of its Encounter, unless the visit has only begun.
    apart: one table of the visit without its summary (ehr/intake/apart.py); the person is not known then.
    prescription: what of an e-prescription stands beside its resources.
    """

    name: str
    key: str
    person: PersonFacts
    items: list[Item]
    snapshot: bool
    only_first: bool = False
    facility_code: str | None = None
    withheld: int = 0
    documents: tuple[str, ...] = ()
    version: int | None = None
    visit: str | None = None
    apart: bool = False
    signature: SignatureFacts | None = None
    prescription: PrescriptionFacts | None = None


class BadUnit(Struct, frozen=True):
    """A unit that was refused while it was read."""

    name: str
    reasons: list[Reason]


class UnitReport(Struct, kw_only=True):
    """One line of the report. patient_id is for the operator's command only (security.md S19). signature: of
    the file, where it carries one."""

    unit: str
    status: Status
    patient_id: str | UnsetType = UNSET
    resources: dict[str, int] = {}
    withheld: int = 0
    reasons: list[Reason] = []
    signature: SignatureStatus | UnsetType = UNSET


class FileReport(Struct):
    path: str
    units: list[UnitReport]


class Report(Struct):
    files: list[FileReport]
