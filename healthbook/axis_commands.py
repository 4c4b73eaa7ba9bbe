"""What `healthbook axis` does with an open store: each act is written down with who and why (S26)."""

from datetime import datetime
from uuid import UUID

from healthbook.commands import Signed, sign_act
from healthbook.wiring import StartError
from identity.register.facilities import code_of, facility_by_code
from kernel.clock import SystemClock, local_day
from partners.axis import operating
from partners.axis.models import Listed, SenderRow
from store.database import Store, Tx


async def allow_facility(store: Store, code: str, basis: str, signed: Signed) -> None:
    """From now on a facility's health checks are exchanged."""
    async with store.transaction() as tx:
        now = SystemClock().now()
        facility_id = await _facility(tx, code, now)
        if await code_of(tx, facility_id, local_day(now), "qd1551-13") is None:
            raise StartError(f"{code} has no 13-digit code today, which every message names it by.")
        await operating.allow(tx, facility_id, basis, now)
        await sign_act(tx, signed, "axis:allow", 1)


async def end_facility(store: Store, code: str, signed: Signed) -> None:
    """Nothing of a facility leaves or comes in any more."""
    async with store.transaction() as tx:
        now = SystemClock().now()
        if not await operating.end(tx, await _facility(tx, code, now), now):
            raise StartError(f"Nothing of {code} is exchanged.")
        await sign_act(tx, signed, "axis:end", 1)


async def resume(store: Store, what: str, signed: Signed) -> int:
    """One stopped message, or what stopped of a facility. How many."""
    try:
        message_id = UUID(what)
    except ValueError:
        return await _resume_facility(store, what, signed)
    async with store.transaction() as tx:
        if not await operating.resume(tx, message_id, SystemClock().now()):
            raise StartError(
                f"{what} is no stopped message, a later one tells the same check, or it was taken back."
            )
        await sign_act(tx, signed, "axis:resume", 1)
    return 1


async def _resume_facility(store: Store, code: str, signed: Signed) -> int:
    """Each step is a transaction with its own line of the act. What stops anew meanwhile stays."""
    done, since = 0, SystemClock().now()
    while True:
        async with store.transaction() as tx:
            facility_id = await _facility(tx, code, since)
            count = await operating.resume_facility(tx, facility_id, since, SystemClock().now())
            if count or not done:
                await sign_act(tx, signed, "axis:resume", count)
        done += count
        if not count:
            return done


async def close_message(store: Store, message_id: UUID, signed: Signed) -> None:
    """A message is not sent any more."""
    async with store.transaction() as tx:
        if not await operating.close(tx, message_id, SystemClock().now()):
            raise StartError(f"{message_id} is no message that waits or stopped.")
        await sign_act(tx, signed, "axis:close", 1)


async def table(store: Store) -> str:
    """Facilities, then messages, a line each; nobody's name or number."""
    async with store.transaction() as tx:
        now = SystemClock().now()
        senders, messages = await operating.senders(tx), await operating.not_through(tx, now)
        codes = {
            one.facility_id: await code_of(tx, one.facility_id, local_day(now)) or str(one.facility_id)
            for one in senders
        }
    lines = [_sender(codes[one.facility_id], one) for one in senders]
    lines += [_message(codes.get(one.facility_id, str(one.facility_id)), one, now) for one in messages]
    return "\n".join(lines) if lines else "No facility exchanges anything."


async def _facility(tx: Tx, code: str, now: datetime) -> UUID:
    facility = await facility_by_code(tx, code, local_day(now))
    if facility is None:
        raise StartError(f"{code} is the code of no facility today.")
    return facility.facility_id


def _sender(code: str, one: SenderRow) -> str:
    state = "ended" if one.ended_at else f"held ({one.held_reason})" if one.held_at else "exchanged"
    return f"{code}  {state}  since {one.allowed_at:%Y-%m-%d}  {one.basis}"


def _message(code: str, one: Listed, now: datetime) -> str:
    late = "  over 24 h" if one.state == "waiting" and one.due_by < now else ""
    why = one.reason or one.failure or ""
    return f"{one.message_id}  {code}  {one.state}  {why}  {one.attempts} tries  {one.msg_id or '-'}{late}"
