"""The Latin spelling of a person's name where the rule does not give it (vaccination.md §5)."""

from datetime import datetime
from uuid import UUID

import msgspec

from identity.people import demographics
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal, unseal
from store.keys import KeyRing
from vaccination.certificates import queries
from vaccination.certificates.claims import LatinName
from vaccination.certificates.models import SetBy
from vaccination.certificates.problems import LATIN_NAME_DIFFERS
from vaccination.hc1.names import FILLER, icao

TABLE = "vaccination_passport_name"


async def latin_name(tx: Tx, keys: KeyRing, patient_id: UUID) -> LatinName | None:
    """What was set; None: the rule's."""
    row = await queries.PASSPORT.one(tx, patient_id)
    if row is None:
        return None
    return msgspec.json.decode(unseal(keys, patient_id, TABLE, "names", row.names), type=LatinName)


async def set_by_person(
    tx: Tx, keys: KeyRing, patient_id: UUID, family: str, given: str, now: datetime
) -> LatinName | Refused:
    """Part the name elsewhere (a family name of two words), or put the other part first: the words are the
    book's. Refused: latin-name-differs; then an operator sees the passport."""
    known = await demographics(tx, keys, patient_id)
    wanted = LatinName(family=icao(family), given=icao(given))
    if not _parts(icao(known.name or "") if known else "", wanted):
        return Refused(problem=LATIN_NAME_DIFFERS)
    await keep(tx, keys, patient_id, wanted, "person", now)
    return wanted


async def keep(tx: Tx, keys: KeyRing, patient_id: UUID, names: LatinName, by: SetBy, now: datetime) -> None:
    """Set the names; certificates that say otherwise are replaced by whoever calls."""
    sealed = seal(keys, patient_id, TABLE, "names", msgspec.json.encode(names).decode())
    await queries.SET_PASSPORT.run(tx, patient_id, sealed, by, now)


def _parts(written: str, wanted: LatinName) -> bool:
    """Whether both are the words of the name, in one order or the other; none of a name of two is empty."""
    words, family, given = (_words(text) for text in (written, wanted.family, wanted.given))
    is_whole = bool(family) and (bool(given) or len(words) == 1)
    return is_whole and words in (family + given, given + family)


def _words(text: str) -> list[str]:
    return [word for word in text.split(FILLER) if word]
