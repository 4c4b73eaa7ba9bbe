"""Taking one unit in: whose it is, quarantine when that is not certain, else written whole.

The caller opens one transaction per unit; what is returned as rejected must have written nothing.
"""

import hashlib
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from audit.service import acted, record_act
from ehr.intake import apart, gate, queries, same_visit
from ehr.intake.ambiguous import keep_lines, parted
from ehr.intake.counting import UNITS, Channel, count, counts_of
from ehr.intake.models import Item, PersonFacts, Reason, Unit, UnitReport
from ehr.intake.nameless import unit_name
from ehr.intake.telling import is_fresh, news_of
from ehr.intake.trust.service import is_newest, keep_signature
from ehr.intake.units import Prepared, prepare
from ehr.intake.withhold import person_after_gate
from ehr.models import CHECK_UNIT, PROGRAMME_UNIT, NewResource, Source
from ehr.prescriptions.keeping import keep as keep_prescription
from ehr.prescriptions.keeping import take_code
from ehr.programmes.queries import KEEP_OWNER
from ehr.quarantine.keeping import Origin, keep
from ehr.quarantine.models import KeptLines, KeptUnit
from ehr.quarantine.queries import DROP_OF_UNIT
from ehr.store import write_unit
from identity.births import service as births
from identity.births.service import MotherConflict
from identity.deaths import service as deaths
from identity.merges.aliases import book_to_tell, survivor_of
from identity.models import Facility
from identity.people import (
    IdentifierClaim,
    Matched,
    PersonClaim,
    Unmatched,
    create_person,
    demographics,
    match_person,
    note_report,
)
from identity.register.facilities import facility_by_code, has_code
from kernel.access import Actor
from kernel.clock import VIETNAM, local_day
from kernel.ids import uuid7
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit

# What a file brought in by an operator without a facility is owned by (security.md S3).
OPERATOR_SOURCE = "operator"
# Files of a system of the nation, which no facility sends: their credential names it, and it owns its rows.
SYSTEM_CREDENTIAL: Final = "system:"


# An operator at the command line has a name and no account.
NO_ACCOUNT: Final = UUID(int=0)


class Sender(Struct, frozen=True):
    """Who sends, as authenticated: never taken from the file. facility None: an operator's import.

    operator: who gave the command, by name; each person whose book it touches reads of it in the own log
    (security.md S26). lane: of what one file writes at once. channel: how it came, for the counts.
    """

    facility: Facility | None
    credential: str
    batch: UUID
    operator: str | None = None
    lane: int = 0
    channel: Channel = "api"

    @property
    def source_id(self) -> str:
        if self.facility is not None:
            return str(self.facility.facility_id)
        return self.credential if self.is_system else OPERATOR_SOURCE

    @property
    def is_system(self) -> bool:
        return self.facility is None and self.credential.startswith(SYSTEM_CREDENTIAL)

    @property
    def facility_id(self) -> UUID | None:
        return None if self.facility is None else self.facility.facility_id

    @property
    def source(self) -> Source:
        return Source(
            source_id=self.source_id,
            facility_id=self.facility_id,
            credential=self.credential,
            batch=self.batch,
        )


class Owner(Struct, frozen=True):
    """The person of a unit, and the one it was written to before when that was somebody else."""

    patient_id: UUID
    before: UUID | None = None
    created: bool = False


async def check_facility(tx: Tx, unit: Unit, sender: Sender, now: datetime) -> list[Reason]:
    """facility-mismatch when the file's own code is not a code of the sender today (S3). A system of the
    nation names others, whose code it owns nothing by."""
    if unit.facility_code is None or sender.is_system:
        return []
    today = now.astimezone(VIETNAM).date()
    if sender.facility is None or not await has_code(
        tx, sender.facility.facility_id, unit.facility_code, today
    ):
        # The code of a prescription begins with its facility's; other formats have a field for it.
        return [Reason("facility-mismatch", "ma_don_thuoc" if unit.prescription else "MACSKCB")]
    return []


async def import_unit(
    tx: Tx, keys: KeyRing, unit: Unit, prepared: Prepared, sender: Sender, now: datetime
) -> UnitReport:
    """Write one prepared unit in the caller's transaction, or put it into quarantine; and count it."""
    unit = msgspec.structs.replace(unit, person=person_after_gate(unit.person))
    mismatch = await check_facility(tx, unit, sender, now)
    if mismatch:
        report = UnitReport(unit=unit.name, status="rejected", reasons=mismatch)
    else:
        take = _take_apart if unit.apart else _take_in
        report = await take(tx, keys, unit, prepared, sender, now)
    channel: Channel = "operator" if sender.operator is not None else sender.channel
    UNITS.labels(channel, report.status, report.reasons[0].code if report.reasons else "").inc()
    counts = counts_of(report, unit.documents, channel)
    await count(tx, sender.facility_id, sender.batch, counts, now, sender.lane)
    return report


async def _take_in(
    tx: Tx, keys: KeyRing, unit: Unit, prepared: Prepared, sender: Sender, now: datetime
) -> UnitReport:
    id_hash = unit_hash(sender, unit)
    if (settled := await _settled_before(tx, keys, unit, prepared, sender, id_hash, now)) is not None:
        return settled
    before = await _claim(tx, id_hash, now)
    if unit.only_first and before is not None:
        # A check-in that comes after its visit adds nothing and must not empty it.
        return UnitReport(unit=unit.name, status="imported", patient_id=str(before))
    if not unit.only_first:
        await DROP_OF_UNIT.run(tx, id_hash[0], id_hash)
        await keep_signature(tx, id_hash, unit, now)
    await _count_withheld(tx, id_hash, prepared, now)
    owner = await _find_owner(tx, keys, unit.person, before, sender, now, care_at=_care_at(prepared))
    if isinstance(owner, str):
        if before is None:
            await queries.DROP_UNIT.run(tx, id_hash)
        if unit.only_first:
            # Nothing to keep, and nothing to tell: a refusal would say that the number is somebody's (S19).
            return UnitReport(unit=unit.name, status="quarantined", reasons=[Reason(owner, "Patient")])
        await _set_aside(tx, keys, unit, prepared, sender, id_hash, owner, now)
        reason = Reason(owner, "Patient")
        return UnitReport(unit=unit.name, status="quarantined", withheld=prepared.withheld, reasons=[reason])
    await write_for(tx, keys, unit, prepared, sender, owner, id_hash, now)
    return UnitReport(
        unit=unit.name,
        status="imported",
        patient_id=str(owner.patient_id),
        resources=prepared.counts,
        withheld=prepared.withheld,
    )


async def _settled_before(
    tx: Tx, keys: KeyRing, unit: Unit, prepared: Prepared, sender: Sender, id_hash: bytes, now: datetime
) -> UnitReport | None:
    """The answer to a unit that writes nothing: an older version, or a prescription's code that is taken."""
    reason: Reason | None = None
    if not await is_newest(tx, id_hash, unit, sender.credential, now):
        reason = Reason("older-version", unit.name)
    elif unit.prescription is not None:
        taken = await take_code(tx, keys, unit.prescription, sender.source, now)
        if taken == "over":
            return UnitReport(unit=unit.name, status="imported", withheld=prepared.withheld)
        reason = taken if isinstance(taken, Reason) else None
    return UnitReport(unit=unit.name, status="rejected", reasons=[reason]) if reason else None


async def _take_apart(
    tx: Tx, keys: KeyRing, unit: Unit, prepared: Prepared, sender: Sender, now: datetime
) -> UnitReport:
    """One table of a visit without its summary: into the visit where that stands, else it waits."""
    id_hash = unit_hash(sender, unit)
    before = await _claim(tx, id_hash, now)
    await _count_withheld(tx, id_hash, prepared, now)
    if before is None:
        await queries.DROP_UNIT.run(tx, id_hash)
    visit = None
    if before is not None:
        name = sender.facility.name if sender.facility else None
        visit = await apart.standing_visit(tx, keys, unit, before, sender.source, name, id_hash)
    if visit is None:
        return await apart.wait(tx, keys, unit, prepared, _origin(unit, sender, id_hash), now)
    report, changed = await apart.receive(tx, keys, unit, prepared, visit, now)
    if changed and sender.facility_id is not None:
        ref = news_of(sender.facility_id, sender.batch, id_hash)
        await emit(tx, await book_to_tell(tx, visit.patient_id, now), "ehr.imported", ref, now)
    return report


async def _count_withheld(tx: Tx, id_hash: bytes, prepared: Prepared, now: datetime) -> None:
    if prepared.withheld:
        today = now.astimezone(VIETNAM).date()
        await queries.COUNT_WITHHELD.run(tx, id_hash[0], today, gate.VERSION, prepared.withheld)


def unit_hash(sender: Sender, unit: Unit) -> bytes:
    """What a unit of a source is found by again."""
    return hashlib.sha256(f"{sender.source_id}\n{unit.key}".encode()).digest()


async def _claim(tx: Tx, id_hash: bytes, now: datetime) -> UUID | None:
    """Take the unit's turn, waiting for another sending of it; whom it was written to before.

    A person without a number is found again by the unit alone: two parallel sendings would make two.
    """
    nobody = uuid7(now)
    holder = await queries.CLAIM_UNIT.one(tx, id_hash, nobody, now)
    return None if holder == nobody else holder


def _care_at(prepared: Prepared) -> datetime | None:
    """When the care was given: a number that was replaced since leads to its person for older files."""
    return min((row.eff for row in prepared.resources if row.rtype == "Encounter" and row.eff), default=None)


async def _find_owner(
    tx: Tx,
    keys: KeyRing,
    person: PersonFacts,
    before: UUID | None,
    sender: Sender,
    now: datetime,
    *,
    care_at: datetime | None = None,
) -> Owner | Literal["identity-conflict"]:
    """The matched person, or a new one where nobody has the number (S17: facility-reported)."""
    claim = claim_of(person)
    if isinstance(await births.find_mother(tx, keys, mother_of(person), now), MotherConflict):
        return "identity-conflict"
    found = await match_person(tx, keys, claim, sender.facility_id, now, care_at=care_at)
    if isinstance(found, Matched):
        return Owner(found.patient_id, before if before != found.patient_id else None)
    if before is not None:
        # A number that nobody has yet is not attached to an older person here (S10).
        same = found == Unmatched("no-identifier") or await _is_same_newborn(tx, keys, person, before)
        return Owner(before) if same else "identity-conflict"
    if found.reason == "identity-conflict":
        return "identity-conflict"
    return Owner(await create_person(tx, keys, claim, "import", sender.facility_id, now), created=True)


async def _is_same_newborn(tx: Tx, keys: KeyRing, person: PersonFacts, before: UUID) -> bool:
    """A newborn whose file names no mother cannot be matched; the resend of its own episode can, by the
    unit that this source wrote before, when birth date and sex still agree."""
    known = await demographics(tx, keys, before)
    return (
        known is not None
        and person.newborn
        and person.mother_number is None
        and (known.birth_date, known.sex) == (person.birth_date, person.sex)
    )


def mother_of(person: PersonFacts) -> births.Mother | None:
    """What a birth note says of the mother; None for everybody but a newborn."""
    if not person.newborn or person.mother_number is None:
        return None
    return births.Mother(
        number=person.mother_number, name=person.mother_name, birth_date=person.mother_birth_date
    )


def claim_of(person: PersonFacts) -> PersonClaim:
    """The same facts in identity's words."""
    return PersonClaim(
        identifiers=[IdentifierClaim(kind, value) for kind, value in person.identifiers],
        name=person.name,
        birth_date=person.birth_date,
        sex=person.sex,
        mother_number=person.mother_number,
        phone=person.phone,
        address=person.address,
        commune=person.commune,
        newborn=person.newborn,
    )


async def write_for(
    tx: Tx,
    keys: KeyRing,
    unit: Unit,
    prepared: Prepared,
    sender: Sender,
    owner: Owner,
    id_hash: bytes,
    now: datetime,
) -> None:
    """Write a unit into its owner's book, set its ambiguous lines aside and tell whom it concerns."""
    source, name = await _source_of(tx, unit, prepared, sender, now), name_of(unit)
    if unit.key.startswith(same_visit.FORM):
        prepared = await _beside_package(tx, unit, prepared, sender, owner)
    moved: dict[str, list[Item]] = {}
    if owner.before is not None and unit.visit is not None:
        moved = await apart.parts_of(tx, owner.before, name, source.source_id)
    released, review = await parted(tx, owner.patient_id, prepared.review)
    writes = [(owner.patient_id, prepared.resources + released)]
    if owner.before is not None and unit.snapshot:
        writes.append((owner.before, []))
    changed = False
    for patient_id, resources in sorted(writes, key=lambda write: write[0]):
        own = unit.visit is not None and patient_id == owner.patient_id
        replaces = apart.replaced_by(unit.documents) if own else None
        result = await write_unit(tx, patient_id, source, resources, unit=name, now=now, replaces=replaces)
        changed = changed or bool(result.created or result.updated or result.retracted)
    await queries.KEEP_UNIT.run(tx, id_hash, owner.patient_id)
    await _keep_beside(tx, keys, unit, prepared, sender, owner, now)
    origin = _origin(unit, sender, id_hash)
    await keep_lines(tx, keys, origin, _lines(unit, review, sender), now)
    if unit.visit is not None:
        visit = _visit_of(unit, prepared, sender, owner, id_hash)
        if owner.before is not None:
            await apart.pass_on(tx, visit)
        changed = await apart.follow(tx, keys, unit.documents, visit, moved, now) or changed
        if not owner.created:
            await _join_form(tx, keys, unit, sender, owner, now)
    if sender.operator is not None and (changed or owner.created):
        await _note_operator(tx, owner.patient_id, sender, sender.operator, now)
    if changed and unit.key.startswith(CHECK_UNIT) and sender.facility_id is not None:
        await _tell_of_check(tx, unit, sender.facility_id, owner, now)
    episode = id_hash if is_fresh(prepared.resources, now) else None
    await _tell(tx, keys, unit.person, sender, owner, episode, changed=changed, now=now)


async def _tell_of_check(tx: Tx, unit: Unit, facility_id: UUID, owner: Owner, now: datetime) -> None:
    """A health check of a facility was written, or moved to the book where it belongs: it may have to be
    told to others within a day (partners/axis)."""
    ref = {"facility_id": str(facility_id), "check_id": unit.key.removeprefix(CHECK_UNIT)}
    if owner.before is not None:
        await emit(tx, owner.before, "ehr.check-withdrawn", ref, now)
    await emit(tx, owner.patient_id, "ehr.check-written", ref, now)


async def _source_of(tx: Tx, unit: Unit, prepared: Prepared, sender: Sender, now: datetime) -> Source:
    """Who writes. Of what a system of the nation passes on, the facility that it names gave the care and is
    asked about it; the rows stay the system's own (S3)."""
    if not sender.is_system or unit.facility_code is None:
        return sender.source
    care = min((row.eff for row in prepared.resources if row.eff), default=now)
    for day in (local_day(care), local_day(now)):
        if found := await facility_by_code(tx, unit.facility_code, day):
            return msgspec.structs.replace(sender.source, facility_id=found.facility_id)
    return sender.source


async def _keep_beside(
    tx: Tx, keys: KeyRing, unit: Unit, prepared: Prepared, sender: Sender, owner: Owner, now: datetime
) -> None:
    """What stands beside the record once it is known whose book it is."""
    if unit.prescription is not None:
        said = [*prepared.resources, *(row for group in prepared.review for row in group)]
        await keep_prescription(tx, keys, unit.prescription, owner.patient_id, sender.source, said, now)
    if unit.key.startswith(PROGRAMME_UNIT) and sender.facility_id is not None:
        enrolment_id = UUID(unit.key.removeprefix(PROGRAMME_UNIT))
        await KEEP_OWNER.run(tx, sender.facility_id, enrolment_id, owner.patient_id)


def _sent_as(unit: Unit, kind: str) -> Unit:
    """The unit of the same MA_LK in the other format."""
    return msgspec.structs.replace(unit, key=kind + unit.key.partition(":")[2], items=[])


async def _beside_package(tx: Tx, unit: Unit, prepared: Prepared, sender: Sender, owner: Owner) -> Prepared:
    """A visit of the form where the sender's package of it stands: what it adds to that."""
    name = name_of(_sent_as(unit, same_visit.PACKAGE))
    package = await same_visit.package_of(tx, owner.patient_id, name, sender.source_id)
    if package is None:
        return prepared
    return _joined(unit, apart.items_of(prepared), package, sender)


async def _join_form(tx: Tx, keys: KeyRing, unit: Unit, sender: Sender, owner: Owner, now: datetime) -> None:
    """A package where the sender's form of its visit stands: the form's visit becomes one with it."""
    form = _sent_as(unit, same_visit.FORM)
    items = await same_visit.form_of(tx, owner.patient_id, name_of(form), sender.source_id)
    if not items:
        return
    package = await same_visit.package_of(tx, owner.patient_id, name_of(unit), sender.source_id)
    if package is None:
        return
    made = _joined(form, items, package, sender)
    released, review = await parted(tx, owner.patient_id, made.review)
    rows = made.resources + released
    await write_unit(tx, owner.patient_id, sender.source, rows, unit=name_of(form), now=now)
    origin = _origin(form, sender, unit_hash(sender, form))
    await keep_lines(tx, keys, origin, _lines(form, review, sender), now)


def _joined(unit: Unit, items: list[Item], package: queries.PackageRow, sender: Sender) -> Prepared:
    """The form's rows in the package's visit, labelled beside it: its department can make them sensitive."""
    visit = same_visit.item_of("Encounter", package.doc)
    kept = same_visit.added(items, visit.key, has_results=package.has_results)
    name = sender.facility.name if sender.facility else None
    made = prepare(msgspec.structs.replace(unit, items=[*kept, visit]), None, sender.source_id, name)
    made.resources = [row for row in made.resources if row.rtype != "Encounter"]
    return made


def _visit_of(unit: Unit, prepared: Prepared, sender: Sender, owner: Owner, id_hash: bytes) -> apart.Visit:
    doc = next((row.doc for row in prepared.resources if row.rtype == "Encounter"), "{}")
    return apart.Visit(
        id_hash=id_hash,
        patient_id=owner.patient_id,
        name=name_of(unit),
        doc=msgspec.json.decode(doc),
        person=unit.person,
        source=sender.source,
        facility_name=sender.facility.name if sender.facility else None,
    )


async def _note_operator(tx: Tx, patient_id: UUID, sender: Sender, name: str, now: datetime) -> None:
    """One row a person and batch, in the transaction that touched the book."""
    if await acted(tx, patient_id, str(sender.batch)):
        return
    actor = Actor(kind="operator", actor_id=NO_ACCOUNT, name=name)
    await record_act(tx, patient_id, actor, "record:import:create", request_id=str(sender.batch), now=now)


async def _tell(
    tx: Tx,
    keys: KeyRing,
    person: PersonFacts,
    sender: Sender,
    owner: Owner,
    episode: bytes | None,
    *,
    changed: bool,
    now: datetime,
) -> None:
    """What follows an import: reports beside the person, the announcement of a new facility, a death code.
    episode: of a visit that is news by itself."""
    new_facility = False
    if sender.facility_id is not None:
        # Whoever was just made of these numbers has them.
        claim = claim_of(msgspec.structs.replace(person, identifiers=()) if owner.created else person)
        new_facility = await note_report(tx, keys, owner.patient_id, claim, sender.facility_id, now)
        told = owner.patient_id if owner.created else await book_to_tell(tx, owner.patient_id, now)
        if new_facility and not owner.created:
            await emit(tx, told, "ehr.facility-new", news_of(sender.facility_id, sender.batch), now)
        elif changed:
            await emit(tx, told, "ehr.imported", news_of(sender.facility_id, sender.batch, episode), now)
    mother = await births.find_mother(tx, keys, mother_of(person), now)
    if isinstance(mother, UUID):
        await births.link(tx, owner.patient_id, mother, sender.facility_id, now)
    if person.death_reported:
        await _report_death(tx, await survivor_of(tx, owner.patient_id), sender, now)


async def _report_death(tx: Tx, patient_id: UUID, sender: Sender, now: datetime) -> None:
    """A death code freezes nothing by itself; everybody concerned is told (security.md S18)."""
    if await deaths.report(tx, patient_id, sender.source_id, now):
        await emit(tx, patient_id, "ehr.death-reported", {"batch": str(sender.batch)}, now)


def name_of(unit: Unit) -> str | None:
    """What the rows of a unit are found by again; a name that the gate stops is not written down."""
    if not unit.snapshot:
        return None
    return unit_name(unit.person, unit.key)


def _origin(unit: Unit, sender: Sender, id_hash: bytes) -> Origin:
    return Origin(
        id_hash=id_hash,
        facility_id=sender.facility_id,
        credential=sender.credential,
        batch=sender.batch,
        unit=unit.name,
    )


async def _set_aside(
    tx: Tx,
    keys: KeyRing,
    unit: Unit,
    prepared: Prepared,
    sender: Sender,
    id_hash: bytes,
    reason: str,
    now: datetime,
) -> None:
    """Keep what passed the gate, as it would be read again; its ambiguous lines wait beside it."""
    kept = KeptUnit(unit=msgspec.structs.replace(unit, items=prepared.items, withheld=0))
    origin = _origin(unit, sender, id_hash)
    await keep(tx, keys, origin, "unit", reason, kept, now)
    await keep_lines(tx, keys, origin, _lines(unit, prepared.review, sender), now)


def _lines(unit: Unit, review: list[list[NewResource]], sender: Sender) -> list[KeptLines]:
    return [KeptLines(source_id=sender.source_id, unit=name_of(unit), rows=rows) for rows in review]
