"""Who a person is: find, make, show.

A number lives in two places: `patient_identifier` by keyed hash (who owns it) and
`patient_identifier_rev` by person (its sealed value). A self-declared number is only in the second:
so it never takes part in matching and never keeps the true owner out (security.md S1).
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from identity import phones, queries
from identity.identifiers import normal_identifier
from identity.merges.aliases import survivor_of
from identity.models import (
    CitizenRow,
    Demographics,
    IdentifierKind,
    IdentifierRow,
    IdentifierState,
    OwnIdentifier,
    PersonCard,
    Sex,
)
from identity.policy import describes, identifier_in_force
from identity.problems import IDENTIFIER_TAKEN, NUMBER_ENDED
from kernel.access import Access
from kernel.ids import uuid7
from kernel.problems import refuse
from store.database import Tx
from store.fields import lookup_hashes, seal, unseal
from store.keys import KeyRing

_NOBODY = UUID(int=0)
Source = Literal["import", "staff", "self-declared", "verified"]
_STATE: dict[Source, IdentifierState] = {
    "import": "facility-reported",
    "staff": "facility-reported",
    "self-declared": "self-declared",
    "verified": "verified",
}


class IdentifierClaim(Struct, frozen=True):
    """A number as somebody wrote it. system_kind: one of IdentifierKind."""

    system_kind: IdentifierKind
    value: str


class PersonClaim(Struct, frozen=True, kw_only=True):
    """What a message, a card or a person says about who somebody is.

    birth_date: FHIR partial date. mother_number: the mother's 12 digits, for a newborn.
    """

    identifiers: list[IdentifierClaim] = msgspec.field(default_factory=list)
    name: str | None = None
    birth_date: str | None = None
    sex: Sex | None = None
    mother_number: str | None = None
    phone: str | None = None
    address: str | None = None
    commune: str | None = None
    newborn: bool = False


class Matched(Struct, frozen=True):
    """patient_id: the person whose number and data were named, also after a merge: what is written about that
    person finds its way (ehr/store.py), and goes back with it when the merge is undone (security.md S10)."""

    patient_id: UUID


class Unmatched(Struct, frozen=True):
    """no-identifier: nothing to look up. unknown-person: nobody has the number. identity-conflict:
    somebody has it and birth date, sex or name differ, or two people are named: quarantine."""

    reason: Literal["identity-conflict", "no-identifier", "unknown-person"]


async def match_person(
    tx: Tx,
    keys: KeyRing,
    claim: PersonClaim,
    facility_id: UUID | None,
    now: datetime,
    *,
    care_at: datetime | None = None,
) -> Matched | Unmatched:
    """Find the person a claim describes (security.md S17). Writes nothing.

    A number counts when it is verified or was reported by a facility and was in force at the date of care
    (care_at, else now): a replaced number leads to its person for older files only. Birth date (at its
    precision), sex and folded name must agree as well.
    """
    numbers = _normal(claim, facility_id)
    if not numbers:
        return Unmatched("no-identifier")
    owners: set[UUID] = set()
    is_known = False
    for kind, value in numbers:
        row = await _owner(tx, keys, kind, value)
        is_known = is_known or row is not None
        if row is not None and identifier_in_force(row, care_at or now):
            owners.add(row.patient_id)
    if not owners:
        # Somebody has the number, and it was over by then: nobody new is made of it.
        return Unmatched("identity-conflict" if is_known else "unknown-person")
    patient_id = await one_person(tx, owners)
    if patient_id is None:
        return Unmatched("identity-conflict")
    person = await demographics(tx, keys, patient_id)
    if person is None or not describes(_demographics(claim), person, newborn=claim.newborn):
        return Unmatched("identity-conflict")
    return Matched(patient_id)


async def one_person(tx: Tx, owners: set[UUID]) -> UUID | None:
    """The one owner; of the two sides of a merge the merged one, whose rows are the more guarded."""
    if len(owners) == 1:
        return next(iter(owners))
    survivors = {owner: await survivor_of(tx, owner) for owner in owners}
    if len(set(survivors.values())) > 1:
        return None
    return min(owner for owner, survivor in survivors.items() if owner != survivor)


async def create_person(
    tx: Tx,
    keys: KeyRing,
    claim: PersonClaim,
    source: Source,
    facility_id: UUID | None,
    now: datetime,
    *,
    patient_id: UUID | None = None,
) -> UUID:
    """Make a person of a claim that matched nobody, with or without a number. Returns patient_id.

    patient_id: where one was set aside for this person (a PIN is hashed for it before the person is made).
    Raises the retryable problem `identifier-taken` when another transaction took the number in
    between: match again.
    """
    patient_id = patient_id or uuid7(now)
    numbers, state = _normal(claim, facility_id), _STATE[source]
    for kind, value in numbers:
        if state != "self-declared" and not await claim_number(tx, keys, patient_id, kind, value, state, now):
            refuse(IDENTIFIER_TAKEN)
    sealed = _seal_demographics(keys, patient_id, "citizen", _demographics(claim))
    await queries.INSERT_CITIZEN.run(tx, patient_id, 0, sealed, now)
    for kind, value in numbers:
        await keep_number(tx, keys, patient_id, kind, value, state, facility_id, now)
    if claim.phone is not None:
        await phones.add_contact(tx, keys, patient_id, claim.phone, now)
    return patient_id


async def note_report(
    tx: Tx, keys: KeyRing, patient_id: UUID, claim: PersonClaim, facility_id: UUID, now: datetime
) -> bool:
    """Keep what a facility says about a matched person, beside the person and never over it (S17).

    New numbers that nobody has become facility-reported, a phone becomes `contact` (S1). Returns
    True for the first report of this facility: the person is told of a facility new to the book.
    """
    for kind, value in _normal(claim, facility_id):
        owner = await _owner(tx, keys, kind, value)
        if owner is None:
            if not await claim_number(tx, keys, patient_id, kind, value, "facility-reported", now):
                continue
            await keep_number(tx, keys, patient_id, kind, value, "facility-reported", facility_id, now)
    if claim.phone is not None:
        await phones.add_contact(tx, keys, patient_id, claim.phone, now)
    sealed = _seal_demographics(keys, patient_id, "person_report", _demographics(claim))
    return bool(await queries.UPSERT_PERSON_REPORT.one(tx, patient_id, facility_id, sealed, now))


async def verify_identifier(
    tx: Tx, keys: KeyRing, patient_id: UUID, kind: str, value: str, facility_id: UUID | None, now: datetime
) -> None:
    """Two accounts saw the card, or an identity provider said so (no facility): the number is verified.
    Raises `identifier-taken` for another's number."""
    normal = _namespaced(kind, value, facility_id)
    if normal is None:
        return
    owner = await _owner(tx, keys, kind, normal)
    if owner is None and not await claim_number(tx, keys, patient_id, kind, normal, "verified", now):
        refuse(IDENTIFIER_TAKEN)
    if owner is not None and owner.patient_id != patient_id:
        refuse(IDENTIFIER_TAKEN)
    if owner is not None and owner.status != "live":
        refuse(NUMBER_ENDED)
    await keep_number(tx, keys, patient_id, kind, normal, "verified", facility_id, now)
    for _, id_hash in lookup_hashes(keys, kind, normal):
        await queries.VERIFY_IDENTIFIER.run(tx, id_hash, kind, patient_id)
        await queries.VERIFY_OWN_IDENTIFIER.run(tx, patient_id, kind, id_hash)


async def resolve_subject(
    tx: Tx, keys: KeyRing, kind: str, value: str, now: datetime, *, verified: bool = False
) -> UUID | None:
    """The person who owns a number now; None when nobody does or the number has no valid form. After a merge
    the survivor: for whatever gives nobody a right, see `resolve_present`.

    verified: not one that only a facility reported, or that was replaced.
    """
    return (await _owner_and_survivor(tx, keys, kind, value, now, verified))[1]


async def resolve_present(
    tx: Tx, keys: KeyRing, kind: str, value: str, now: datetime, *, verified: bool = False
) -> UUID | None:
    """As `resolve_subject`, for what lets somebody into a book by the word of a card, a desk or a provider:
    None also where the number leads over a merge, for it proves nothing about the survivor (security.md S10).

    The survivor's own number does; an undone merge is over with the last row that went back. The same
    statements in every case (S19).
    """
    owner, survivor = await _owner_and_survivor(tx, keys, kind, value, now, verified)
    return owner if owner == survivor else None


async def _owner_and_survivor(
    tx: Tx, keys: KeyRing, kind: str, value: str, now: datetime, verified: bool
) -> tuple[UUID | None, UUID | None]:
    normal = normal_identifier(kind, value)
    if normal is None or kind == "facility-patient-id":
        return None, None
    row = await _owner(tx, keys, kind, normal)
    counts = row is not None and identifier_in_force(row, now)
    if row is not None and verified:
        counts = counts and row.state == "verified" and row.status == "live"
    found = row.patient_id if row is not None and counts else None
    # Asked also for nobody: an unknown number costs the same statements (security.md S19).
    survivor = await survivor_of(tx, found or _NOBODY)
    return found, None if found is None else survivor


async def exists(tx: Tx, patient_id: UUID) -> bool:
    """Whether there is such a person."""
    return await queries.CITIZEN_BY_ID.one(tx, patient_id) is not None


async def is_closed(tx: Tx, patient_id: UUID) -> bool:
    """A frozen book, which registry officers alone open again (security.md S18), or one that is being
    erased."""
    row = await queries.CITIZEN_BY_ID.one(tx, patient_id)
    return row is not None and row.state in ("frozen", "erasing")


LIVING = ("active", "death-reported")


async def living(tx: Tx, patient_id: UUID) -> CitizenRow | None:
    """The row of somebody whose book is open to the own person; None for others and for nobody."""
    row = await queries.CITIZEN_BY_ID.one(tx, patient_id)
    return row if row is not None and row.state in LIVING else None


async def lock_people(tx: Tx, *patient_ids: UUID) -> list[str | None]:
    """Lock the rows of persons, the lower id first, and give their states in the order that was asked for.

    Order of all locks of one transaction: consent guards by id (consent.queries.lock_guard), persons by id,
    rows of links and grants, heads of logs. Others may still write rows that refer to the persons.
    """
    found = {one: await queries.LOCK_STATE.one(tx, one) for one in sorted(set(patient_ids))}
    return [found[one] for one in patient_ids]


async def number_owner(
    tx: Tx, keys: KeyRing, kind: str, value: str, facility_id: UUID | None = None
) -> IdentifierRow | None:
    """Whose a number is or was, ended numbers and merged persons included. For registry officers' acts.

    facility_id: the facility whose own numbers (facility-patient-id) are meant; without it they name nobody.
    """
    normal = _namespaced(kind, value, facility_id)
    return None if normal is None else await _owner(tx, keys, kind, normal)


async def person_card(tx: Tx, keys: KeyRing, patient_id: UUID) -> PersonCard | None:
    """Name, birth date, sex and state of a person; None when there is no such person."""
    row = await queries.CITIZEN_BY_ID.one(tx, patient_id)
    if row is None:
        return None
    known = open_demographics(keys, patient_id, row.demographics)
    return PersonCard(
        patient_id=patient_id,
        name=known.name,
        birth_date=known.birth_date,
        birth_precision=precision_of(known.birth_date),
        sex=known.sex or "unknown",
        address=known.address,
        level=row.level,
        state=row.state,
    )


async def demographics(tx: Tx, keys: KeyRing, patient_id: UUID) -> Demographics | None:
    """The person's own data, unsealed; None when there is no such person."""
    row = await queries.CITIZEN_BY_ID.one(tx, patient_id)
    return None if row is None else open_demographics(keys, patient_id, row.demographics)


async def names_of(tx: Tx, keys: KeyRing, patient_ids: list[UUID]) -> dict[UUID, str]:
    """Names of living people by their ids, for a practitioner whom each of them lets in now."""
    if not patient_ids:
        return {}
    found = await queries.NAMED_PEOPLE.all(tx, patient_ids)
    known = {row.patient_id: open_demographics(keys, row.patient_id, row.demographics).name for row in found}
    return {patient_id: name for patient_id, name in known.items() if name is not None}


async def person_of(tx: Tx, keys: KeyRing, access: Access) -> Demographics | None:
    """The person a record is about, by what the decision read along; one statement where it read nothing."""
    if access.sealed_person is None:
        return await demographics(tx, keys, access.patient_id)
    return open_demographics(keys, access.patient_id, access.sealed_person)


async def own_identifiers(tx: Tx, keys: KeyRing, patient_id: UUID) -> list[OwnIdentifier]:
    """The person's numbers in clear, as whoever gave them writes them. For the person alone."""
    rows = await queries.OWN_IDENTIFIERS.all(tx, patient_id)
    return [
        OwnIdentifier(
            kind=row.kind,
            value=_as_written(
                row.kind, unseal(keys, patient_id, "patient_identifier_rev", "value", row.value)
            ),
            state=row.state,
            status=row.status,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
        )
        for row in rows
    ]


def _normal(claim: PersonClaim, facility_id: UUID | None) -> list[tuple[str, str]]:
    """Valid numbers without repeats, in a fixed order: two writers take them in the same order."""
    found = {(c.system_kind, _namespaced(c.system_kind, c.value, facility_id)) for c in claim.identifiers}
    return sorted((kind, value) for kind, value in found if value is not None)


def _namespaced(kind: str, value: str, facility_id: UUID | None) -> str | None:
    normal = normal_identifier(kind, value)
    if kind != "facility-patient-id":
        return normal
    # A facility's own numbers mean something at that facility only.
    return f"{facility_id}|{normal}" if normal is not None and facility_id is not None else None


def _as_written(kind: str, kept: str) -> str:
    return kept.partition("|")[2] if kind == "facility-patient-id" else kept


async def _owner(tx: Tx, keys: KeyRing, kind: str, value: str) -> IdentifierRow | None:
    for _, id_hash in lookup_hashes(keys, kind, value):
        row = await queries.IDENTIFIER_OWNER.one(tx, id_hash, kind)
        if row is not None:
            return row
    return None


async def claim_number(
    tx: Tx, keys: KeyRing, patient_id: UUID, kind: str, value: str, state: IdentifierState, now: datetime
) -> bool:
    version, id_hash = lookup_hashes(keys, kind, value)[0]
    taken = await queries.CLAIM_IDENTIFIER.one(tx, id_hash, kind, version, patient_id, state, None, None, now)
    return taken is not None


async def keep_number(
    tx: Tx,
    keys: KeyRing,
    patient_id: UUID,
    kind: str,
    value: str,
    state: IdentifierState,
    facility_id: UUID | None,
    now: datetime,
) -> None:
    version, id_hash = lookup_hashes(keys, kind, value)[0]
    sealed = seal(keys, patient_id, "patient_identifier_rev", "value", value)
    await queries.UPSERT_OWN_IDENTIFIER.run(
        tx, patient_id, kind, id_hash, version, sealed, state, facility_id, None, None, now
    )


def _demographics(claim: PersonClaim) -> Demographics:
    mother = normal_identifier("national-id", claim.mother_number) if claim.mother_number else None
    return Demographics(
        name=claim.name,
        birth_date=claim.birth_date,
        sex=claim.sex,
        address=claim.address,
        commune=claim.commune,
        mother_number=mother,
    )


def _seal_demographics(keys: KeyRing, patient_id: UUID, table: str, known: Demographics) -> bytes:
    return seal(keys, patient_id, table, "demographics", msgspec.json.encode(known).decode())


def open_demographics(keys: KeyRing, patient_id: UUID, sealed: bytes) -> Demographics:
    """The sealed column of a person's row, for a statement that read it along with something else."""
    text = unseal(keys, patient_id, "citizen", "demographics", sealed)
    return msgspec.json.decode(text, type=Demographics)


def precision_of(birth_date: str | None) -> Literal["year", "month", "day"] | None:
    precisions: dict[int, Literal["year", "month", "day"]] = {4: "year", 7: "month", 10: "day"}
    return precisions.get(len(birth_date)) if birth_date else None
