"""What the commands of issue do with an open store; each act is written down with who and why (S26)."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from uuid import UUID

from healthbook.commands import Signed, pages_of_people, sign_act, write_down
from healthbook.wiring import StartError
from identity.people import exists
from identity.register.facilities import facility_by_code
from kernel.clock import SystemClock, local_day
from kernel.ids import uuid7
from store.database import Store, Tx
from vaccination.certificates import authority, bulk, confirming, following, names
from vaccination.certificates.claims import LatinName
from vaccination.certificates.revoking import revoke_number
from vaccination.hc1.cose import UnreadableError
from vaccination.hc1.names import icao
from vaccination.signer.ports import Signer

Advance = Callable[[int], None]


async def grant_authority(
    store: Store, code: str, from_on: date, until_on: date | None, signed: Signed
) -> None:
    """A facility may vaccinate from one day to another, both included."""
    now = SystemClock().now()
    async with store.transaction() as tx:
        facility_id = await _facility(tx, code)
        if not await authority.grant(tx, facility_id, from_on, until_on, now):
            raise StartError(f"{code} may vaccinate on some of these days already.")
        await sign_act(tx, signed, "vaccination:grant-authority", 1)


async def end_authority(store: Store, code: str, last_day: date, signed: Signed, advance: Advance) -> None:
    """The last day on which a facility may vaccinate. Certificates and cards of earlier days stand, those of
    later ones are revoked; a run that was stopped is run again."""
    now = SystemClock().now()
    async with store.transaction() as tx:
        facility_id = await _facility(tx, code)
        if not await authority.end(tx, facility_id, last_day):
            raise StartError(f"{code} has no authority that goes on after {last_day}.")
        await sign_act(tx, signed, "vaccination:end-authority", 1)
    async for page in pages_of_people(store):
        async with store.transaction() as tx:
            for book in page:
                await authority.tell(tx, book, facility_id, last_day, now)
        advance(len(page))


async def confirm_late_doses(store: Store, code: str, signed: Signed, advance: Advance) -> int:
    """Two operators who checked a whole file say that a facility's late doses are true."""
    count, now = 0, SystemClock().now()
    async with store.transaction() as tx:
        facility_id = await _facility(tx, code)
    async for page in pages_of_people(store):
        async with store.transaction() as tx:
            count += sum([await confirming.confirm_all(tx, one, facility_id, now) for one in page])
        advance(len(page))
    await write_down(store, signed, "vaccination:confirm-doses", count)
    return count


async def issue_all(
    store: Store, signer: Signer, code: str | None, most: int | None, signed: Signed, advance: Advance
) -> Counter[str]:
    """A certificate for each dose that is a ground for one; counts of what became of the doses.

    StartError when the signer is away: what was issued stays, and the next run goes on.
    """
    counts: Counter[str] = Counter()
    async with store.transaction() as tx:
        facility_id = await _facility(tx, code) if code else None
    async for page in pages_of_people(store):
        for start in range(0, len(page), bulk.PEOPLE_PER_BATCH):
            people = page[start : start + bulk.PEOPLE_PER_BATCH]
            counts += await _issue_batch(store, signer, people, facility_id)
            advance(len(people))
            if counts["signer-away"]:
                raise StartError(f"The signer is away; {counts['issued']} were issued. Run it again.")
            if most is not None and counts["issued"] >= most:
                break
        else:
            continue
        break
    await write_down(store, signed, "certificates:issue", counts["issued"])
    return counts


async def _issue_batch(
    store: Store, signer: Signer, people: list[UUID], facility_id: UUID | None
) -> Counter[str]:
    clock = SystemClock()
    async with store.transaction() as tx:
        begun = await bulk.begin_batch(tx, store.keys, people, facility_id, clock.now())
    signatures = await bulk.sign_batch(signer, begun)
    async with store.transaction() as tx:
        now = clock.now()
        await bulk.complete_batch(tx, store.keys, begun, signatures, request_id=str(uuid7(now)), now=now)
    return begun.counts


async def revoke_certificate(store: Store, said: str, signed: Signed) -> None:
    """Revoke one by its number or text."""
    now = SystemClock().now()
    async with store.transaction() as tx:
        try:
            is_done = await revoke_number(tx, store.keys, said, request_id=str(uuid7(now)), now=now)
        except UnreadableError as error:
            raise StartError("There is no certificate in this text.") from error
        if not is_done:
            raise StartError("That is no certificate of ours that holds.")
        await sign_act(tx, signed, "certificates:revoke", 1)


async def set_passport_name(store: Store, patient_id: UUID, family: str, given: str, signed: Signed) -> None:
    """A name as an operator read it in a passport; certificates follow."""
    now, latin = SystemClock().now(), LatinName(family=icao(family), given=icao(given))
    if not (latin.family or latin.given):
        raise StartError("No letter of a passport is in these names.")
    async with store.transaction() as tx:
        if not await exists(tx, patient_id):
            raise StartError(f"{patient_id} is nobody here.")
        await names.keep(tx, store.keys, patient_id, latin, "operator", now)
        await following.follow(tx, store.keys, patient_id, now)
        await sign_act(tx, signed, "certificates:passport-name", 1)


async def _facility(tx: Tx, code: str) -> UUID:
    found = await facility_by_code(tx, code, local_day(SystemClock().now()))
    if found is None:
        raise StartError(f"{code} is the code of no facility today.")
    return found.facility_id
