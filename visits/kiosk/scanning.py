"""What somebody shows to a kiosk: the fresh code of the own phone, which is presence as at a desk, or a card,
which is a number in the line and nothing else.

A card proves nothing: its code is not signed and a picture of it serves as well. So the answer to a card is
the same for a number that somebody has and for one that nobody has, whatever name stands beside it; it opens
no presence, no check-out and no check-in, and its number is never one that the person took in another way.
Whose number it is hears of it, and finds it in the log.
"""

import hashlib
from datetime import datetime
from typing import Final
from uuid import UUID

from audit.service import record_act
from identity import budgets
from identity.merges.aliases import book_to_tell
from identity.models import IdentifierKind
from identity.people import number_owner
from kernel.access import Actor
from kernel.clock import local_day
from kernel.ids import uuid8
from kernel.problems import Refused
from qr.card_texts import CardText
from qr.problems import QR_KIND
from qr.scanned import Scanned, read_scanned
from store.database import Tx
from store.fields import lookup_hashes
from store.keys import KeyRing
from store.outbox import emit
from visits.counters.models import Counter
from visits.kiosk.models import Shown, Station
from visits.presence import check_in_by_scan
from visits.tickets.service import take
from visits.tickets.subjects import card_subjects

ACT: Final = "visit:card:number"


async def show(
    tx: Tx, keys: KeyRing, actor: Actor, station: Station, text: str, *, request_id: str, now: datetime
) -> Shown | Refused:
    """A number at the kiosk's counter for what was scanned. Device and facility are charged before anybody is
    looked for; a right code of the own phone is not charged, so whoever shows invented numbers stops no one.

    Refused: too-many, qr-wrong-kind for a code that is for something else, qr-…, card-…, scan-unknown,
    code-spent.
    """
    scanned = read_scanned(text)
    if scanned.what == "code":
        done = await _own_code(tx, keys, actor, station, scanned, request_id, now)
        return (await _charge_device(tx, station, now) or done) if isinstance(done, Refused) else done
    refused = await _charge_device(tx, station, now)
    if refused is not None:
        return refused
    if scanned.refused is not None:
        return scanned.refused
    if scanned.card is None:
        return Refused(problem=QR_KIND, where="scan")
    return await _card(tx, keys, actor, station, scanned.card, request_id, now)


async def _charge_device(tx: Tx, station: Station, now: datetime) -> Refused | None:
    device, facility = station.kiosk_id.bytes, station.counter.facility_id.bytes
    for budget, who in (
        (budgets.KIOSK_SCANS_MINUTE, device),
        (budgets.KIOSK_SCANS_HOUR, device),
        (budgets.KIOSK_SCANS_DAY_FACILITY, facility),
    ):
        refused = await budgets.charge_or_refuse(tx, budget, budgets.subject(who), now)
        if refused is not None:
            return refused
    return None


async def _own_code(
    tx: Tx, keys: KeyRing, actor: Actor, station: Station, scanned: Scanned, request_id: str, now: datetime
) -> Shown | Refused:
    if scanned.kind != "citizen" or scanned.text is None:
        return Refused(problem=QR_KIND, where="scan")
    counter = station.counter
    done = await check_in_by_scan(
        tx, keys, actor, scanned.text, counter_id=counter.counter_id, request_id=request_id, now=now
    )
    if isinstance(done, Refused):
        return done
    assert done.ticket is not None, "a counter was named"
    return Shown(ticket=done.ticket, is_check_in=True)


async def _card(
    tx: Tx, keys: KeyRing, actor: Actor, station: Station, card: CardText, request_id: str, now: datetime
) -> Shown | Refused:
    """The same statements for every card of one form (security.md S19); the number is taken last."""
    numbers = _numbers(card)
    presented = numbers[0][1]
    _, keyed = lookup_hashes(keys, "kiosk-card", presented)[0]
    refused = await budgets.charge_or_refuse(tx, budgets.KIOSK_CARDS_DAY, budgets.subject(keyed), now)
    if refused is not None:
        return refused
    nobody = uuid8(hashlib.sha256(b"pseudo person" + keyed).digest())
    told = await _told_of(tx, keys, numbers, nobody, now)
    await record_act(tx, told, actor, ACT, request_id=request_id, now=now)
    event = "visit.card-unknown" if told == nobody else "visit.card-shown"
    counter = station.counter
    await emit(tx, told, event, {"line_id": str(_line_id(counter, now))}, now)
    subjects = card_subjects(keys, counter.facility_id, presented, now)
    return Shown(ticket=await take(tx, counter, subjects, now), is_check_in=False)


async def _told_of(
    tx: Tx, keys: KeyRing, numbers: list[tuple[IdentifierKind, str]], nobody: UUID, now: datetime
) -> UUID:
    """Whose number it is or was, until a survivor of a merge sees that person's rows; else a stand-in."""
    owners = [await number_owner(tx, keys, kind, number) for kind, number in numbers]
    first = next((owner.patient_id for owner in owners if owner is not None), nobody)
    return await book_to_tell(tx, first, now)


def _line_id(counter: Counter, now: datetime) -> UUID:
    """The counter on a day: the person is told once of each, and not which it was (security.md S23)."""
    line = counter.facility_id.bytes + counter.counter_id.bytes + local_day(now).isoformat().encode()
    return uuid8(hashlib.sha256(b"kiosk line" + line).digest())


def _numbers(card: CardText) -> list[tuple[IdentifierKind, str]]:
    """The numbers of a card by which somebody may be known; the first is what its number is kept under."""
    every: list[tuple[IdentifierKind, str | None]] = [
        ("national-id", card.national_id),
        ("insurance-number", card.insurance_number),
        ("insurance-card", card.insurance_card),
    ]
    found = [(kind, number) for kind, number in every if number is not None]
    assert found, "a card that was read has a number"
    return found
