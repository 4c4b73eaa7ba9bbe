"""Who a person is at a core: found by a number, believed only when birth date, sex and name agree (S17)."""

import hashlib
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from ehr.core import queries
from ehr.core.policy import LinkRow, LinkState
from ehr.core.queries import UnclearLink
from ehr.core.units import is_retired, person_in
from ehr.intake.service import claim_of
from ehr.intake.systems import VN_SID
from ehr.ports import Budget, Core, CoreResource
from identity.models import OwnIdentifier
from identity.people import Matched, match_person, own_identifiers
from store.database import Tx
from store.keys import KeyRing

# The numbers a core is asked for, best first; a number the person only declared asks for nobody (S1).
SYSTEMS: Final = {
    "national-id": VN_SID + "national_id",
    "insurance-card": VN_SID + "insurance_number",
    "insurance-number": VN_SID + "insurance_number",
    "old-id": VN_SID + "citizen_id",
    "passport": VN_SID + "passport_number",
}
UNCLEAR_MAX: Final = 1000


class Number(Struct, frozen=True):
    """A number to search with."""

    kind: str
    value: str


class Found(Struct, frozen=True):
    """What a search came to, before anybody compared the person."""

    state: LinkState
    patient: CoreResource | None = None


def numbers_to_ask(known: list[OwnIdentifier]) -> list[Number]:
    """Numbers that facilities or two accounts vouch for, in the order of SYSTEMS."""
    vouched = [one for one in known if one.state != "self-declared" and one.kind in SYSTEMS]
    order = list(SYSTEMS)
    return [Number(one.kind, one.value) for one in sorted(vouched, key=lambda one: order.index(one.kind))]


async def numbers_of(tx: Tx, keys: KeyRing, patient_id: UUID) -> list[Number]:
    return numbers_to_ask(await own_identifiers(tx, keys, patient_id))


async def find(core: Core, numbers: list[Number], budget: Budget) -> Found:
    """Ask the core for each number until one is known there. Raises CoreError.

    A hit that does not carry the number is none: what a server matches is its own affair.
    """
    for number in numbers:
        asked = await core.find_patients(SYSTEMS[number.kind], number.value, budget)
        hits = [one for one in asked if _carries(one, number)]
        if len(hits) > 1:
            return Found("conflict")
        if hits:
            return Found("linked", hits[0])
    return Found("absent")


def _carries(patient: CoreResource, number: Number) -> bool:
    wanted = number.value.replace(" ", "").upper()
    kinds = (
        {number.kind, "insurance-card", "insurance-number"} if "insurance" in number.kind else {number.kind}
    )
    found = person_in(patient).identifiers
    return any(kind in kinds and value.replace(" ", "").upper() == wanted for kind, value in found)


async def settle(
    tx: Tx, keys: KeyRing, patient_id: UUID, source_id: str, found: Found, now: datetime
) -> LinkRow:
    """Keep what the search came to; a Patient that describes somebody else is never linked (S17)."""
    state, patient = found.state, found.patient
    if patient is not None:
        matched = await match_person(tx, keys, claim_of(person_in(patient)), None, now)
        state = "linked" if matched == Matched(patient_id) and not is_retired(patient) else "mismatch"
    core_patient = patient.id if patient is not None and state == "linked" else None
    await queries.KEEP_LINK.run(tx, patient_id, source_id, state, core_patient, now)
    if core_patient is not None:
        await queries.KEEP_CORE_PATIENT.run(tx, core_patient_hash(source_id, core_patient), patient_id)
    return LinkRow(state, core_patient, now)


def core_patient_hash(source_id: str, core_patient: str) -> bytes:
    """What people are found by when a core names its own Patient."""
    return hashlib.sha256(f"{source_id}\n{core_patient}".encode()).digest()


async def unclear_links(tx: Tx) -> list[UnclearLink]:
    """People whose record at a core is not read until somebody cleared up who they are there."""
    return await queries.UNCLEAR_LINKS.all(tx, UNCLEAR_MAX)
