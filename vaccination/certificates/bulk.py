"""Issuing for many people at once: a batch begun in one transaction, signed outside, completed in another.

A run that was stopped goes on where it was: a dose that has its certificate is left.
"""

import asyncio
from collections import Counter
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from audit.service import record_act
from identity.people import is_closed
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from vaccination.certificates.eligibility import is_covid
from vaccination.certificates.evidence import Judged, judge, standing_doses
from vaccination.certificates.issuing import ToSign, begin, complete, reasons_and_facts, sign
from vaccination.certificates.models import Facts
from vaccination.signer.ports import Signer

# People whose doses are judged in one transaction, and signatures that are asked for at once.
PEOPLE_PER_BATCH: Final = 50
ABREAST: Final = 8
ACTOR: Final = Actor(kind="job", actor_id=UUID(int=0), name="certificates")


class Begun(Struct, kw_only=True):
    """One batch. books: whose log says so, by certificate; counts: what became of the doses."""

    to_sign: list[ToSign]
    books: dict[UUID, tuple[UUID, str]]
    counts: Counter[str]


async def begin_batch(
    tx: Tx, keys: KeyRing, people: list[UUID], facility_id: UUID | None, now: datetime
) -> Begun:
    """Judge every COVID-19 dose of these people and keep what is to be signed. facility_id: that it gave
    alone. counts: `issued` before, or the reasons against one."""
    begun = Begun(to_sign=[], books={}, counts=Counter())
    for book in people:
        doses = [
            dose
            for dose in await standing_doses(tx, book)
            if is_covid(dose) and facility_id in (None, dose.facility_id)
        ]
        if doses and not await is_closed(tx, book):
            for judged in await judge(tx, book, doses, now):
                await _begin_one(tx, keys, book, judged, begun, now)
    return begun


async def _begin_one(tx: Tx, keys: KeyRing, book: UUID, judged: Judged, begun: Begun, now: datetime) -> None:
    facts = await reasons_and_facts(tx, keys, book, judged, now)
    if not isinstance(facts, Facts):
        begun.counts.update(facts)
        return
    made = await begin(tx, keys, book, judged, now)
    if isinstance(made, Refused):
        begun.counts[made.problem.code] += 1
    elif isinstance(made, ToSign):
        begun.to_sign.append(made)
        begun.books[made.certificate_id] = (book, judged.dose.immunization_id)
    else:
        begun.counts["had-one"] += 1


async def sign_batch(signer: Signer | None, begun: Begun) -> list[bytes | Refused]:
    """Outside any transaction, a few at a time, in the batch's order."""
    places = asyncio.Semaphore(ABREAST)

    async def one(each: ToSign) -> bytes | Refused:
        async with places:
            return await sign(signer, each)

    return await asyncio.gather(*(one(each) for each in begun.to_sign))


async def complete_batch(
    tx: Tx,
    keys: KeyRing,
    begun: Begun,
    signatures: list[bytes | Refused],
    *,
    request_id: str,
    now: datetime,
) -> None:
    """Keep what was signed and say so in each person's log; counts gets `issued`, or why not."""
    for each, signature in zip(begun.to_sign, signatures, strict=True):
        made = await complete(tx, keys, each, signature, now)
        if isinstance(made, Refused):
            begun.counts[made.problem.code] += 1
            continue
        begun.counts["issued"] += 1
        book, dose = begun.books[each.certificate_id]
        await record_act(
            tx,
            book,
            ACTOR,
            "vaccination:certificate:issue",
            resources=[("Immunization", dose)],
            request_id=request_id,
            now=now,
        )
