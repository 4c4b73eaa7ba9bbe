"""A death that was reported is not yet a death (security.md S18).

reported   one facility's code: the person is told everywhere, reading and security notices go on
due        a second facility, or a death notice by two registry officers: the book freezes after 72 hours
objected   the person's own device key: as before at once, and the reports so far never count again; a later
           notice is another one, for a false one must not keep a true one out for ever
frozen     nobody signs in, no grant opens, pushes stop; only registry officers open it again
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from audit.service import record_act
from identity.deaths import queries
from identity.devices import verify_step_up
from identity.problems import STEP_UP_REFUSED
from identity.registry.problems import NO_SUCH_PERSON
from identity.signatures import canonical
from kernel.access import Actor
from kernel.ids import bucket_of
from kernel.problems import Refused
from store.database import Tx
from store.due_queue import schedule
from store.outbox import emit

FREEZE_AFTER: Final = timedelta(hours=72)
OBJECTION_TYP: Final = "death-objection"
JOB: Final = "death-freeze"
NOTICE: Final = "notice"
SOURCES_TO_FREEZE: Final = 2
_LIVING: Final = ("active", "death-reported")


async def report(tx: Tx, patient_id: UUID, source: str, now: datetime) -> bool:
    """A facility's file says that the person died. True when that is news, also as a second source.

    source: the facility's id. A source that the person objected to says nothing new.
    """
    person = await queries.LOCK.one(tx, patient_id)
    if person is None or person.state not in _LIVING:
        return False
    if await queries.INSERT_REPORT.one(tx, patient_id, source, now) is None:
        return False
    standing = await queries.STANDING_REPORTS.all(tx, patient_id)
    certain = any(one.startswith(NOTICE) for one in standing) or len(standing) >= SOURCES_TO_FREEZE
    freeze_at = person.freeze_at or (now + FREEZE_AFTER if certain else None)
    await queries.SET_STATE.run(tx, patient_id, "death-reported", freeze_at)
    if freeze_at is not None:
        await schedule(tx, bucket_of(patient_id), freeze_at, JOB, str(patient_id))
    return True


async def give_notice(tx: Tx, patient_id: UUID, act_id: UUID, now: datetime) -> Refused | None:
    """Two registry officers saw a death notice."""
    if not await report(tx, patient_id, f"{NOTICE}:{act_id}", now):
        return Refused(problem=NO_SUCH_PERSON)
    await emit(tx, patient_id, "identity.death-noticed", {"act_id": str(act_id)}, now)
    return None


async def withdraw(tx: Tx, patient_id: UUID, now: datetime) -> Refused | None:
    """Two registry officers saw the living person: a frozen book opens again."""
    person = await queries.LOCK.one(tx, patient_id)
    if person is None or person.state not in ("death-reported", "frozen"):
        return Refused(problem=NO_SUCH_PERSON)
    await _revive(tx, patient_id, now)
    return None


def objection_text(actor: Actor, environment: str, nonce: str, iat: int, exp: int) -> bytes:
    """What the device signs: JCS of this."""
    return canonical(
        {
            "typ": OBJECTION_TYP,
            "environment": environment,
            "patient_id": str(actor.actor_id),
            "device_id": str(actor.device_id),
            "nonce": nonce,
            "iat": iat,
            "exp": exp,
        }
    )


async def object_to(
    tx: Tx, actor: Actor, text: bytes, signature: str, *, environment: str, request_id: str, now: datetime
) -> Refused | None:
    """The person lives and proves it with the device key; what was paused goes on in this transaction.

    text: JCS with typ `death-objection` (docs of the step-up acts). A device on probation may do it as well:
    silence costs more than a false sign of life. Says nothing when no death is reported.
    """
    held = await verify_step_up(
        tx, actor.actor_id, actor.device_id, OBJECTION_TYP, text, signature, now, environment=environment
    )
    if actor.device_id is None or isinstance(held, Refused):
        return Refused(problem=STEP_UP_REFUSED)
    person = await queries.LOCK.one(tx, actor.actor_id)
    if person is None or person.state != "death-reported":
        return None
    await _revive(tx, actor.actor_id, now)
    await record_act(tx, actor.actor_id, actor, "identity:death:object", request_id=request_id, now=now)
    return None


async def freeze(tx: Tx, patient_id: UUID, now: datetime) -> datetime | None:
    """The timer of one person. Returns when it is due again, None when it is over."""
    person = await queries.LOCK.one(tx, patient_id)
    if person is None or person.state != "death-reported" or person.freeze_at is None:
        return None
    if person.freeze_at > now:
        return person.freeze_at
    await queries.SET_STATE.run(tx, patient_id, "frozen", person.freeze_at)
    await emit(tx, patient_id, "identity.frozen", {}, now)
    return None


async def _revive(tx: Tx, patient_id: UUID, now: datetime) -> None:
    sources = await queries.OBJECT.all(tx, patient_id, now)
    await queries.SET_STATE.run(tx, patient_id, "active", None)
    for source in sources:
        # A source that is no facility (a notice, an operator's import) gets no case.
        ref = {"facility_id": source} if _is_id(source) else {}
        await emit(tx, patient_id, "identity.death-objected", ref, now)


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
