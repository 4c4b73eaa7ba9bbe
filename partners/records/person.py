"""Group (a): who the person is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from ehr.insurance.reading import cards_of_scope
from ehr.intake.systems import PERSON_EXTENSIONS
from ehr.reads.summary import age_years
from family.service import guardians_of
from identity.models import Demographics, OwnIdentifier
from identity.people import own_identifiers, person_card, person_of
from identity.phones import login_phone
from kernel.access import Access
from partners.records.models import Administrative, Coded, InsuranceCard, Representative
from partners.records.queries import LifeRow
from partners.records.scope import scope_of_groups
from store.database import Tx
from store.keys import KeyRing

OF_AGE: Final = 18


class _Coding(Struct):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class _Concept(Struct):
    text: str | None = None
    coding: list[_Coding] = []


class _Extension(Struct, rename="camel"):
    url: str = ""
    value_codeable_concept: _Concept | None = None


class _Patient(Struct):
    extension: list[_Extension] = []


_patient: Final = msgspec.json.Decoder(_Patient).decode


class Read(Struct, frozen=True):
    """The group, and the rows that it shows."""

    administrative: Administrative
    shown: list[tuple[str, str]]


async def read(tx: Tx, keys: KeyRing, access: Access, reported: Sequence[LifeRow], now: datetime) -> Read:
    """Who the person is, as identity knows it; beside it what facilities reported, newest first."""
    scope = scope_of_groups(access, ["administrative"], now)
    known = await person_of(tx, keys, access) or Demographics()
    numbers = [one for one in await own_identifiers(tx, keys, access.patient_id) if _counts(one)]
    phone = await login_phone(tx, keys, access.patient_id, now)
    cards, seen = await cards_of_scope(tx, scope, now)
    said = _reported([row.doc for row in reported if row.doc is not None])
    made = Administrative(
        name=known.name,
        birth_date=known.birth_date,
        sex=None if known.sex == "unknown" else known.sex,
        nationality=said.get("MA_QUOCTICH"),
        ethnic_group=said.get("MA_DANTOC"),
        occupation=said.get("MA_NGHE_NGHIEP"),
        personal_number=next((one.value for one in numbers if one.kind == "national-id"), None),
        phone=phone.number if phone else None,
        insurance_numbers=[one.value for one in numbers if one.kind.startswith("insurance-")],
        insurance_cards=[
            InsuranceCard(
                valid_from=card.valid_from,
                valid_until=card.valid_until,
                initial_facility_code=card.initial_facility.code if card.initial_facility else None,
                initial_facility_name=card.initial_facility.name if card.initial_facility else None,
            )
            for card in cards
        ],
        address=known.address,
        legal_representatives=await _representatives(tx, keys, access, known.birth_date, now),
    )
    shown = [("Coverage", ident) for ident in seen] + [("Patient", row.id) for row in reported]
    return Read(made, shown)


def _counts(number: OwnIdentifier) -> bool:
    """What somebody only said of himself proves nothing, and neither does a number that was replaced."""
    return number.state != "self-declared" and number.status == "live"


async def _representatives(
    tx: Tx, keys: KeyRing, access: Access, birth_date: str | None, now: datetime
) -> list[Representative]:
    """The guardians in force of who is not of age; who is, or whose age nobody knows, has none here."""
    age = age_years(birth_date, now)
    if age is None or age >= OF_AGE:
        return []
    found = []
    for guardian_id in await guardians_of(tx, access.patient_id, now):
        card = await person_card(tx, keys, guardian_id)
        found.append(Representative(relation="guardian", name=card.name if card else None))
    return found


def _reported(docs: list[str]) -> dict[str, Coded]:
    """Field -> what the newest report that names it says, as its code: no table of their names is here."""
    urls = {url: field for field, (url, _) in PERSON_EXTENSIONS.items()}
    found: dict[str, Coded] = {}
    for doc in docs:
        for one in _patient(doc).extension:
            field, concept = urls.get(one.url), one.value_codeable_concept
            if field is None or concept is None or field in found:
                continue
            coding = next((c for c in concept.coding if c.code), _Coding())
            text = concept.text or coding.display
            if text or coding.code:
                found[field] = Coded(text=text, code=coding.code, code_system=coding.system)
    return found
