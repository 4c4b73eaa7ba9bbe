"""The person's own phone scans a counter's code: its screen, which is presence, or a poster, which is a
number in the line (S7). Somebody who acts for the person takes a number and is no presence of theirs."""

import hashlib
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from identity import budgets
from identity.register.facilities import facility_by_code
from kernel.access import Access
from kernel.clock import local_day
from kernel.ids import uuid8
from kernel.problems import Refused
from qr.points import Point, read_point
from store.database import Tx
from store.keys import KeyRing
from visits.check_ins import queries
from visits.check_ins.models import AtCounter, Coming, Noted, PhoneScan
from visits.check_ins.recording import again, note
from visits.counters.models import Counter
from visits.counters.problems import COUNTER_UNKNOWN
from visits.counters.service import counter_coded
from visits.models import Means
from visits.safety.models import Item
from visits.safety.service import withheld
from visits.tickets.service import TICKET_TTL
from visits.tickets.subjects import companion_subjects, person_subjects

# Ours: a screen's code that was scanned without a network is sent the same day, or not at all.
LATE_MAX: Final = timedelta(hours=12)


async def counter_scanned(
    tx: Tx, keys: KeyRing, text: str, now: datetime, *, is_late: bool = False
) -> tuple[Point, Counter] | Refused:
    """Which counter's code it is. Refused: qr-…, counter-unknown.

    is_late: a screen's code is read as it was within twelve hours before: what it opens is no presence.
    """
    point = read_point(keys, text, now - LATE_MAX if is_late else now)
    if isinstance(point, Refused):
        return point
    facility = await facility_by_code(tx, point.facility, local_day(now))
    if facility is None or facility.closed_at is not None:
        return Refused(problem=COUNTER_UNKNOWN, where="qr")
    counter = await counter_coded(tx, facility.facility_id, point.counter)
    return counter if isinstance(counter, Refused) else (point, counter)


async def check_in_by_phone(
    tx: Tx, keys: KeyRing, access: Access, scan: PhoneScan, *, request_id: str, now: datetime
) -> Noted | Refused:
    """Presence or a number, by what was scanned and by whom. A repeat gives the first one again: the same
    client_id at any time, the same counter within the window of its number.

    Refused: too-many, qr-expired (a screen's code after 60 seconds), qr-…, counter-unknown.
    """
    who = budgets.subject(access.actor.actor_id.bytes)
    # The account's row is held until the end: of its two devices at once the second finds what the first did.
    refused = await budgets.charge_or_refuse(tx, budgets.CHECK_INS_DAY, who, now)
    if refused is not None:
        return refused
    found = await counter_scanned(tx, keys, scan.qr, now, is_late=scan.is_late)
    if isinstance(found, Refused):
        return found
    point, counter = found
    coming = Coming(
        patient_id=access.patient_id,
        facility_id=counter.facility_id,
        means=_means(access, point, scan),
        code_id=_code_id(access, scan.client_id),
        unit_id=counter.unit_id,
        at=AtCounter(counter=counter, subjects=await _subjects(tx, keys, access, counter, now)),
    )
    recent = await queries.RECENT_AT_COUNTER.one(
        tx,
        access.patient_id,
        counter.facility_id,
        counter.counter_id,
        coming.means,
        access.actor.actor_id,
        now - TICKET_TTL,
        now,
    )
    if recent is not None:
        return await again(tx, coming, recent, now)
    return await note(tx, access.actor, coming, request_id=request_id, now=now)


def _means(access: Access, point: Point, scan: PhoneScan) -> Means:
    if not access.is_own:
        return "companion"
    if point.kind == "poster":
        return "poster"
    return "late" if scan.is_late else "counter-qr"


def _code_id(access: Access, client_id: UUID) -> UUID:
    """The same for a repeat of this account; another account's client_id is another one's."""
    return uuid8(hashlib.sha256(b"phone" + access.actor.actor_id.bytes + client_id.bytes).digest())


async def _subjects(tx: Tx, keys: KeyRing, access: Access, counter: Counter, now: datetime) -> list[bytes]:
    """The person's own number. A guardian gets the same, unless it would tell of a check-in that is kept from
    the family (security.md S23): then one of their own, as a proxy always does, who sees no check-in of the
    person."""
    facility_id, day = counter.facility_id, local_day(now)
    if not (access.is_own or access.basis == "guardian"):
        return companion_subjects(keys, facility_id, access.patient_id, access.actor.actor_id, now)
    if not access.is_own:
        rows = await queries.AT_COUNTER_TODAY.all(tx, access.patient_id, facility_id, counter.counter_id, day)
        items = [Item(row.check_in_id, row.unit_id, row.facility_id) for row in rows]
        if await withheld(tx, access.patient_id, items):
            return companion_subjects(keys, facility_id, access.patient_id, access.actor.actor_id, now)
    return person_subjects(keys, facility_id, access.patient_id, now)
