"""The rows of a step: people who are new by COPY, what a list says of others beside them.

Everything of a person is sealed before the transaction. No table holds a line in clear, not for a moment:
what lies in a staging table lies in the database's files and may come into a backup (security.md S15).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from audit.service import FirstActs, first_acts, record_act, record_first_acts
from identity import people, phones, queries
from identity.models import Demographics
from identity.population import queries as rows_of
from identity.population.deciding import Known, New, listing_of
from identity.population.models import ListKind
from kernel.access import Actor
from kernel.ids import uuid7
from store.database import Tx
from store.fields import Hasher, Sealer, cell_of, seal
from store.keys import KeyRing

MADE: Final = "identity:list:create"
CHANGED: Final = "identity:list:update"
_STATE: Final = "facility-reported"
_PERSON: Final = cell_of("citizen", "demographics")
_FACTS: Final = cell_of("person_listing", "facts")
_NUMBER: Final = cell_of("patient_identifier_rev", "value")
_PHONE: Final = cell_of("phone", "value")


class Load(NamedTuple):
    """Whose act it is, and of which file. request_id: of the rows in people's logs."""

    load_id: UUID
    of: ListKind
    actor: Actor

    @property
    def request_id(self) -> str:
        return str(self.load_id)


class Sealed(NamedTuple):
    """The rows of people who are new, as the tables take them."""

    ids: list[UUID]
    citizens: list[Sequence[Any]]
    numbers: list[Sequence[Any]]
    own_numbers: list[Sequence[Any]]
    phones: list[Sequence[Any]]
    listings: list[Sequence[Any]]
    acts: FirstActs


class Maker:
    """Makes people of lines that nobody in the register is meant by."""

    def __init__(self, keys: KeyRing, load: Load) -> None:
        self._sealer, self._phones, self._load = Sealer(keys), Hasher(keys, phones.KIND), load

    def sealed(self, new: list[New], now: datetime) -> Sealed:
        made = Sealed([], [], [], [], [], [], FirstActs([], []))
        for one in new:
            self._make(one, made, now)
        load = self._load
        acts = first_acts(made.ids, load.actor, MADE, request_id=load.request_id, now=now)
        return made._replace(acts=acts)

    def _make(self, one: New, made: Sealed, now: datetime) -> None:
        line, numbers = one.ready
        patient_id = uuid7(now)
        known = Demographics(
            name=line.name,
            birth_date=line.birth_date,
            sex=line.sex,
            address=line.address,
            commune=line.commune,
        )
        cells = [(_PERSON, msgspec.json.encode(known).decode()), (_FACTS, line.facts)]
        cells += [(_NUMBER, value) for _, value, _ in numbers]
        if line.phone is not None:
            cells.append((_PHONE, line.phone))
        demographics, facts, *values = self._sealer.seal(patient_id, cells)
        load = self._load
        made.ids.append(patient_id)
        made.citizens.append((patient_id, 0, "active", demographics, now))
        made.listings.append((patient_id, load.of, line.item, load.load_id, line.number, facts, now))
        for (kind, _, versions), value in zip(numbers, values, strict=False):
            version, id_hash = versions[0]
            made.numbers.append((id_hash, kind, version, patient_id, _STATE, now))
            made.own_numbers.append((patient_id, kind, id_hash, version, value, _STATE, now))
        if line.phone is not None:
            _, phone_hash = self._phones.hashes(line.phone)[0]
            made.phones.append((patient_id, phone_hash, "contact", values[-1], now, now))


async def write_new(tx: Tx, made: Sealed) -> None:
    """Raises asyncpg's UniqueViolationError when somebody took a number since they were looked up."""
    if not made.ids:
        return
    await rows_of.COPY_CITIZENS.run(tx, made.citizens)
    await rows_of.COPY_NUMBERS.run(tx, made.numbers)
    await rows_of.COPY_OWN_NUMBERS.run(tx, made.own_numbers)
    await rows_of.COPY_LISTINGS.run(tx, made.listings)
    if made.phones:
        await rows_of.COPY_PHONES.run(tx, made.phones)
    await record_first_acts(tx, made.acts)


async def write_known(tx: Tx, keys: KeyRing, load: Load, known: list[Known], now: datetime) -> None:
    """Beside people who are there: what the list says, numbers that nobody has, contact phones (S1, S17)."""
    news = sorted((one for one in known if one.is_new or one.attach), key=lambda one: one.patient_id)
    said = [one for one in news if one.is_new]
    if said:
        facts = [_facts(keys, one) for one in said]
        lines = [one.ready.line for one in said]
        ids, items = [one.patient_id for one in said], [line.item for line in lines]
        numbers = [line.number for line in lines]
        await rows_of.UPSERT_LISTINGS.run(tx, load.of, load.load_id, now, ids, items, numbers, facts)
    for patient_id in dict.fromkeys(one.patient_id for one in news):
        await record_act(tx, patient_id, load.actor, CHANGED, request_id=load.request_id, now=now)
    for one in news:
        for kind, value, _ in one.attach:
            if await people.claim_number(tx, keys, one.patient_id, kind, value, _STATE, now):
                await people.keep_number(tx, keys, one.patient_id, kind, value, _STATE, None, now)
    await _keep_phones(tx, keys, said, now)


async def _keep_phones(tx: Tx, keys: KeyRing, said: list[Known], now: datetime) -> None:
    told = [(one.patient_id, phone) for one in said if (phone := listing_of(one.ready.line).phone)]
    await queries.UPSERT_CONTACT_PHONE.many(
        tx,
        [
            (
                patient_id,
                phones.phone_hashes(keys, phone)[0][1],
                seal(keys, patient_id, "phone", "value", phone),
                now,
            )
            for patient_id, phone in told
        ],
    )


def _facts(keys: KeyRing, one: Known) -> bytes:
    return seal(keys, one.patient_id, "person_listing", "facts", one.ready.line.facts)
