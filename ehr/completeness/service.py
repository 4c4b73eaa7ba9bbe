"""What of the published lists of contents a book holds, as far as the reader may see it."""

from datetime import datetime
from typing import Final

from ehr.completeness import queries
from ehr.completeness.models import Completeness, Contents
from ehr.completeness.policy import asked_codes, measure, paths_of, profiles
from ehr.reads.models import Built
from ehr.reads.raw import encode
from ehr.reads.scope import scope_of
from identity.people import person_card
from kernel.access import Access
from store.database import Tx
from store.keys import KeyRing

_INSURANCE: Final = {"insurance-card", "insurance-number"}
_OWN_NUMBER: Final = {"national-id", "old-id", "passport"}


async def read(tx: Tx, keys: KeyRing, access: Access, now: datetime) -> Built:
    """Each profile with `k of n present` and what is missing. What the reader does not see is missing."""
    contents = await contents_of(tx, keys, access, now)
    measured = [measure(profile, contents) for profile in profiles()]
    return Built(encode(Completeness(profiles=measured)), [])


async def contents_of(tx: Tx, keys: KeyRing, access: Access, now: datetime) -> Contents:
    """What is there for this access, of the record and of the person's own data."""
    facets = await queries.FACETS.all(tx, *scope_of(access, now), asked_codes())
    card = await person_card(tx, keys, access.patient_id)
    if card is None:
        return Contents(paths_of(facets), "unknown")
    said = {"name": card.name, "birth_date": card.birth_date, "address": card.address}
    person = {name for name, value in said.items() if value}
    if card.sex != "unknown":
        person.add("sex")
    kinds = set(await queries.NUMBER_KINDS.all(tx, access.patient_id))
    if kinds & _OWN_NUMBER:
        person.add("number")
    if kinds & _INSURANCE:
        person.add("insurance")
    if await queries.HAS_PHONE.one(tx, access.patient_id):
        person.add("phone")
    return Contents(paths_of(facets) | {f"person/{name}" for name in person}, card.sex)
