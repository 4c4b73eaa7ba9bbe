"""Kiosks of a facility: made by its administrator, set up by a one-time code on the device, ended at once.

The administrator never holds the device's secret and the device never holds an administrator's session: a
code is all that goes between them. A new code at another counter moves the kiosk there; the secret that it
had ends when the new code is used, and at once when the kiosk is ended.
"""

import base64
import secrets
from datetime import datetime
from typing import Final
from uuid import UUID

from audit.service import record_admin_event
from identity import budgets
from identity.clients.service import end as end_client
from identity.clients.service import renew
from identity.problems import UNIT_UNKNOWN
from identity.register.facilities import ClientSecret, add_client
from identity.tokens import digest
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from visits.counters.models import Counter
from visits.counters.problems import COUNTER_UNKNOWN
from visits.counters.service import counter_of
from visits.kiosk import queries
from visits.kiosk.models import EnrolmentCode, KioskRow, NewKiosk, Station
from visits.kiosk.policy import CODE_TTL, KIOSKS_MAX
from visits.kiosk.problems import KIOSK_CODE_REFUSED, KIOSK_NOT_PLACED, KIOSK_UNKNOWN, KIOSKS_FULL
from visits.problems import NOT_AT_A_FACILITY

# 128 bits: nobody meets a live code by trying.
_CODE_BYTES: Final = 16


async def make(tx: Tx, actor: Actor, new: NewKiosk, reason: str, now: datetime) -> EnrolmentCode | Refused:
    """A kiosk at an open counter of one's own facility, with its first code.

    Refused: not-at-a-facility, counter-unknown, kiosks-full, too-many.
    """
    facility_id = actor.facility_id
    if facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    refused = await _charge_code(tx, facility_id, now)
    if refused is not None:
        return refused
    counter = await counter_of(tx, facility_id, new.counter_id)
    if isinstance(counter, Refused):
        return counter
    if (await queries.COUNT_LIVE.one(tx, facility_id) or 0) >= KIOSKS_MAX:
        return Refused(problem=KIOSKS_FULL)
    # Its first secret is thrown away: nobody signs in before the code was used.
    client = await add_client(tx, facility_id, "kiosk", new.name, now)
    code, until = _new_code(), now + CODE_TTL
    placed = client.client_id, facility_id, counter.counter_id, actor.actor_id, now
    await queries.INSERT_KIOSK.run(tx, *placed, digest(code.encode()), until)
    await record_admin_event(tx, str(actor.actor_id), "facility:kiosk:create", reason, 1, now)
    return EnrolmentCode(kiosk_id=client.client_id, code=code, valid_until=until)


async def new_code(
    tx: Tx, actor: Actor, kiosk_id: UUID, counter_id: UUID | None, reason: str, now: datetime
) -> EnrolmentCode | Refused:
    """Another code for a kiosk, which ends the one that waited; with a counter it stands there from now on.

    Refused: not-at-a-facility, kiosk-unknown, counter-unknown, too-many.
    """
    facility_id = actor.facility_id
    if facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    refused = await _charge_code(tx, facility_id, now)
    if refused is not None:
        return refused
    if counter_id is not None and isinstance(found := await counter_of(tx, facility_id, counter_id), Refused):
        return found
    code, until = _new_code(), now + CODE_TTL
    hashed = digest(code.encode())
    if await queries.SET_CODE.one(tx, facility_id, kiosk_id, hashed, until, counter_id) is None:
        return Refused(problem=KIOSK_UNKNOWN)
    await record_admin_event(tx, str(actor.actor_id), "facility:kiosk:enrol", reason, 1, now)
    return EnrolmentCode(kiosk_id=kiosk_id, code=code, valid_until=until)


async def end(tx: Tx, actor: Actor, kiosk_id: UUID, reason: str, now: datetime) -> KioskRow | Refused:
    """End a kiosk for good: its next request is refused, and a code that waits opens nothing.

    Again changes nothing. Refused: not-at-a-facility, kiosk-unknown.
    """
    facility_id = actor.facility_id
    if facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    if await queries.KIOSK.one(tx, facility_id, kiosk_id) is None:
        return Refused(problem=KIOSK_UNKNOWN)
    if await end_client(tx, facility_id, kiosk_id, now):
        await queries.CLEAR_CODE.run(tx, facility_id, kiosk_id)
        await record_admin_event(tx, str(actor.actor_id), "facility:kiosk:end", reason, 1, now)
    ended = await queries.KIOSK.one(tx, facility_id, kiosk_id)
    assert ended is not None
    return ended


async def kiosks_of(tx: Tx, facility_id: UUID, after: tuple[datetime, UUID], limit: int) -> list[KioskRow]:
    """A page of the facility's kiosks in the order in which they were made, behind that one."""
    return await queries.KIOSKS.all(tx, facility_id, *after, limit)


async def enrol(tx: Tx, code: str, network: str, now: datetime) -> ClientSecret | Refused:
    """A device uses its code: a secret of its own, shown once; the older one and its sessions end.

    Wrong, used, expired and ended are one refusal: kiosk-code-refused. Wrong ones alone are charged to the
    network: nobody meets a live code by trying, and whoever tries locks the right one out for nobody. Refused
    also: too-many.
    """
    used = await queries.USE_CODE.one(tx, digest(_plain(code).encode()), now)
    secret = None if used is None else await renew(tx, used.facility_id, used.client_id, now)
    if secret is not None:
        return secret
    counted = budgets.subject(network)
    spent = await budgets.charge_or_refuse(tx, budgets.KIOSK_CODES_NETWORK, counted, now)
    return spent or Refused(problem=KIOSK_CODE_REFUSED, where="code")


async def station_of(tx: Tx, actor: Actor) -> Station | Refused:
    """Where a signed-in device stands. Refused: kiosk-not-placed, for one that no administrator set up at a
    counter and for one whose counter is closed."""
    row = await queries.STATION.one(tx, actor.facility_id, actor.actor_id)
    if row is None:
        return Refused(problem=KIOSK_NOT_PLACED)
    where = row.facility_id, row.counter_id, row.code, row.name, row.unit_id, row.opened_at
    return Station(row.kiosk_id, row.facility_name, Counter(*where, closed_at=None))


async def keeps_to_its_counter(
    tx: Tx, actor: Actor, counter_id: UUID | None, unit_id: UUID | None
) -> Refused | None:
    """Whether a device that an administrator set up at a counter names no other, nor a unit but its own.

    Staff, and a desk's scanner that stands at no counter, name any of their facility. Refused:
    kiosk-not-placed, counter-unknown, unit-unknown.
    """
    if actor.kind != "kiosk" or actor.facility_id is None:
        return None
    if await queries.KIOSK.one(tx, actor.facility_id, actor.actor_id) is None:
        return None
    station = await station_of(tx, actor)
    if isinstance(station, Refused):
        return station
    if counter_id not in (None, station.counter.counter_id):
        return Refused(problem=COUNTER_UNKNOWN, where="counter_id")
    if unit_id not in (None, station.counter.unit_id):
        return Refused(problem=UNIT_UNKNOWN, where="unit_id")
    return None


async def _charge_code(tx: Tx, facility_id: UUID, now: datetime) -> Refused | None:
    counted = budgets.subject(facility_id.bytes)
    return await budgets.charge_or_refuse(tx, budgets.KIOSK_CODES_DAY, counted, now)


def _new_code() -> str:
    """26 letters and digits that a keyboard and a QR code carry alike."""
    return base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().rstrip("=")


def _plain(code: str) -> str:
    """As it was given out, however it was grouped when it was typed."""
    return "".join(code.split()).replace("-", "").upper()
