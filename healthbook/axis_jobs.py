"""The exchange with the ministry's axis (partners/axis): what a health check's event plans, and the job
that sends.

Off unless AXIS_URL is set and an operator named a ground for the facility (`healthbook axis allow`).
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from msgspec import Struct

from audit.service import record_read
from consent.decision import decide_axis
from identity.register.facilities import facility_by_id
from kernel.access import Access
from kernel.clock import Clock
from kernel.ids import uuid7
from partners.axis import incoming, outgoing
from partners.axis.message import Code
from partners.axis.models import SEND_JOB
from partners.axis.outgoing import Ready, Terms
from partners.axis.policy import WAIT_MAX
from partners.axis.ports import Axis, AxisError, Failure
from store.database import Store, Tx
from store.keys import KeyRing
from store.models import Due, Event

# The section that a person's log names.
PART: Final = "axis"
# While an older message about the same check has no answer, or its facility is held.
LATER: Final = timedelta(minutes=2)

log = structlog.get_logger("axis")


class Exchange(Struct, frozen=True):
    """The axis of this installation and what goes into headers."""

    axis: Axis
    terms: Terms


async def check_written(tx: Tx, _keys: KeyRing, event: Event, ref: dict[str, str], now: datetime) -> None:
    """A facility recorded a check: have it told, and let a copy from the axis give way to it."""
    facility_id, check_id = UUID(ref["facility_id"]), UUID(ref["check_id"])
    if await outgoing.plan(tx, event.patient_id, facility_id, check_id, _at(event, now), now):
        await incoming.give_way(tx, event.patient_id, check_id, now)


async def check_withdrawn(tx: Tx, _keys: KeyRing, event: Event, ref: dict[str, str], now: datetime) -> None:
    """A facility took a check back."""
    await outgoing.withdraw(tx, event.patient_id, UUID(ref["facility_id"]), UUID(ref["check_id"]), now)


def _at(event: Event, now: datetime) -> datetime:
    """When the event was written: its id is time-ordered (kernel/ids.py)."""
    return min(now, datetime.fromtimestamp((event.event_id.int >> 80) / 1000, now.tzinfo))


def axis_jobs(
    store: Store, clock: Clock, exchange: Exchange | None
) -> Mapping[str, Callable[[Due], Awaitable[datetime | None]]]:
    """The job by kind. Without an axis what was planned waits for one."""

    async def send(due: Due) -> datetime | None:
        signer = store.keys.axis_signer()
        if exchange is None or signer is None:
            return clock.now() + WAIT_MAX
        place = outgoing.read_ref(due.ref)
        async with store.transaction() as tx:
            now = clock.now()
            ready = await outgoing.prepare(tx, store.keys, exchange.terms, signer, _decide, *place, now)
            if isinstance(ready, Ready) and ready.access is not None:
                await _note(tx, ready, ready.access, now)
        if not isinstance(ready, Ready):
            return None if ready is None else clock.now() + LATER
        answer, receipt = await _push(exchange.axis, ready)
        async with store.transaction() as tx:
            return await outgoing.settle(tx, *place, answer, receipt, clock.now())

    return {SEND_JOB: send}


async def _decide(tx: Tx, patient_id: UUID, facility_id: UUID) -> Access | None:
    facility = await facility_by_id(tx, facility_id)
    return await decide_axis(tx, patient_id, facility_id, facility.name if facility else "")


async def _note(tx: Tx, ready: Ready, access: Access, now: datetime) -> None:
    """The person's log says what is about to leave, in the transaction that makes it."""
    await record_read(
        tx,
        access,
        resources=[ready.resource],
        body=ready.body,
        outcome="ok",
        request_id=str(uuid7(now)),
        now=now,
        part=PART,
    )


async def _push(axis: Axis, ready: Ready) -> tuple[Code | Failure, bytes]:
    """The reply, or why there is none. No transaction is open."""
    try:
        return await axis.push(ready.body, ready.msg_id)
    except AxisError as error:
        log.warning("axis_no_reply", reason=error.reason)
        return error.reason, b""
