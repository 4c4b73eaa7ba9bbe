"""Health checks on their way out: planned with the act, made once, sent outside any transaction, settled
once.

What leaves is decided when it is made: the facility's ground, the record as it stands, the person's own
hidings and the gate. A try that got no answer sends the same bytes under the same msg_id, so that the axis
can tell a repeat.
"""

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec import Struct

from ehr.health_checks import reading as checks
from ehr.health_checks.mapping import form_of_check
from ehr.intake.counting import Status, count
from identity.merges.aliases import is_settled, survivor_of
from identity.people import demographics, own_identifiers
from identity.register.facilities import code_of
from kernel.access import Access
from kernel.clock import local_day
from kernel.ids import bucket_of, uuid7
from partners.axis import queries
from partners.axis.content import Content, content_of, number_of
from partners.axis.message import SENT, AxisHeader, Code, data_type_of, make, milliseconds, new_msg_id
from partners.axis.models import SEND_JOB, MessageRow, State
from partners.axis.policy import WITHIN, Stop, next_try, verdict_of
from partners.axis.ports import Failure
from store.database import Tx
from store.due_queue import schedule
from store.fields import seal, unseal
from store.keys import KeyRing

_TABLE: Final = "axis_message"
_COLUMN: Final = "body_sealed"


class Terms(Struct, frozen=True):
    """What an operator was told to put into headers: none of it is ours to invent."""

    version: str
    receiver_id: str
    txn_type: str


class Ready(Struct, frozen=True):
    """Bytes that may leave now. access: by which they were read just now, so that the person's log is to
    say so; None where they may have left before."""

    msg_id: str
    body: bytes
    resource: tuple[str, str]
    access: Access | None = None


class Made(Struct, frozen=True):
    """What may leave of a check, and by which decision it was read."""

    content: Content
    access: Access


Decide: TypeAlias = Callable[[Tx, UUID, UUID], Awaitable[Access | None]]
Later: TypeAlias = Literal["later"]


def ref_of(patient_id: UUID, message_id: UUID) -> str:
    """The timer of a message."""
    return f"{patient_id}:{message_id}"


def read_ref(ref: str) -> tuple[UUID, UUID]:
    patient_id, _, message_id = ref.partition(":")
    return UUID(patient_id), UUID(message_id)


async def plan(
    tx: Tx, patient_id: UUID, facility_id: UUID, check_id: UUID, recorded_at: datetime, now: datetime
) -> bool:
    """Have a check told that its facility recorded or changed. False where nothing of it is exchanged."""
    sender = await queries.SENDER.one(tx, facility_id)
    if sender is None or not sender.is_allowed:
        return False
    message_id = uuid7(now)
    planned = await queries.PLAN.one(
        tx, patient_id, message_id, facility_id, check_id, now, recorded_at + WITHIN
    )
    if planned is not None:
        await schedule(tx, bucket_of(patient_id), now, SEND_JOB, ref_of(patient_id, message_id))
    return True


async def withdraw(tx: Tx, patient_id: UUID, facility_id: UUID, check_id: UUID, now: datetime) -> None:
    """The facility took a check back. No message of the published form says so: what was made already is put
    before an operator, who tells the ministry by another way."""
    await queries.WITHDRAW_UNMADE.run(tx, patient_id, facility_id, check_id, now)
    for _ in await queries.WITHDRAW_MADE.all(tx, patient_id, facility_id, check_id, now):
        await _count(tx, facility_id, "axis-stopped", "withdrawn", now)


async def prepare(
    tx: Tx,
    keys: KeyRing,
    terms: Terms,
    signer: rsa.RSAPrivateKey,
    decide: Decide,
    patient_id: UUID,
    message_id: UUID,
    now: datetime,
) -> Ready | Later | None:
    """The bytes of a message. `later`: its facility is held, or an older message about the check has no
    answer yet. None: nothing is to be sent any more."""
    row = await queries.LOCK_MESSAGE.one(tx, patient_id, message_id)
    if row is None or row.state != "waiting":
        return None
    sender = await queries.SENDER.one(tx, row.facility_id)
    if sender is None or not sender.is_allowed:
        # What may have arrived is asked about no more either: the ground for it is gone.
        await _settle(tx, row, "closed", None, now)
        return None
    if sender.held_at is not None:
        return "later"
    if row.body_sealed is not None and row.msg_id is not None:
        body = unseal(keys, patient_id, _TABLE, _COLUMN, row.body_sealed).encode()
        return Ready(row.msg_id, body, _resource(row))
    if await queries.UNDER_WAY.one(tx, patient_id, row.facility_id, row.check_id, message_id):
        return "later"
    return await _make(tx, keys, terms, signer, decide, row, now)


async def _make(
    tx: Tx,
    keys: KeyRing,
    terms: Terms,
    signer: rsa.RSAPrivateKey,
    decide: Decide,
    row: MessageRow,
    now: datetime,
) -> Ready | None:
    made = await _content(tx, keys, decide, row, now)
    if made is None:
        await _settle(tx, row, "withheld", None, now)
        return None
    if isinstance(made, str):
        await _settle(tx, row, "stopped", made, now)
        return None
    sender_id = await code_of(tx, row.facility_id, local_day(now), "qd1551-13")
    if sender_id is None:
        await _settle(tx, row, "stopped", "no-code", now)
        return None
    header = AxisHeader(
        version=terms.version,
        sender_id=sender_id,
        receiver_id=terms.receiver_id,
        txn_type=terms.txn_type,
        msg_id=new_msg_id(sender_id, now),
        msg_type=SENT,
        data_type=data_type_of("json"),
        send_datetime=milliseconds(now),
    )
    body = make(header, made.content.data, signer)
    sealed = seal(keys, row.patient_id, _TABLE, _COLUMN, body.decode())
    digest = hashlib.sha256(body).digest()
    place = row.patient_id, row.message_id
    await queries.MAKE.run(tx, *place, now, header.msg_id, sealed, digest, made.content.left_out)
    await queries.SUPERSEDE.run(tx, row.patient_id, row.facility_id, row.check_id, row.message_id, now)
    return Ready(header.msg_id, body, _resource(row), made.access)


async def _content(
    tx: Tx, keys: KeyRing, decide: Decide, row: MessageRow, now: datetime
) -> Made | Stop | None:
    """What may leave of a check; why it needs an operator; None: nothing may."""
    patient_id = row.patient_id
    if await survivor_of(tx, patient_id) != patient_id or not await is_settled(tx, patient_id):
        return "person-merged"
    access = await decide(tx, patient_id, row.facility_id)
    if access is None:
        return None
    found = await checks.told(tx, access, _resource(row)[1], now)
    person = await demographics(tx, keys, patient_id)
    if found is None or person is None:
        return None
    number = number_of(await own_identifiers(tx, keys, patient_id), local_day(now))
    if number is None:
        return "no-number"
    content = content_of(found, person, number)
    return Made(content, access) if content is not None else None


def _resource(row: MessageRow) -> tuple[str, str]:
    """The filled-in form of a check in its person's book."""
    return form_of_check(row.check_id, row.facility_id)


async def settle(
    tx: Tx, patient_id: UUID, message_id: UUID, answer: Code | Failure, receipt: bytes, now: datetime
) -> datetime | None:
    """Keep what came of a try. Returns when to try again; None: never by itself."""
    row = await queries.LOCK_MESSAGE.one(tx, patient_id, message_id)
    if row is None or row.state != "waiting":
        return None
    verdict = verdict_of(answer)
    if verdict.accepted:
        await _accept(tx, row, receipt, now)
        return None
    if verdict.stop is not None:
        await _settle(tx, row, "stopped", verdict.stop, now, receipt=receipt, tries=1)
        if verdict.stop == "signature-invalid":
            # The next one would be refused for the same reason.
            await queries.HOLD.run(tx, row.facility_id, now, verdict.stop)
        return None
    await queries.TRIED.run(tx, patient_id, message_id, answer)
    return next_try(row.attempts + 1, now)


async def _accept(tx: Tx, row: MessageRow, receipt: bytes, now: datetime) -> None:
    if row.withdrawn_at is not None:
        await _settle(tx, row, "stopped", "withdrawn", now, receipt=receipt, tries=1)
        return
    await _settle(tx, row, "accepted", None, now, receipt=receipt, tries=1)
    in_time = now <= row.due_by
    await _count(tx, row.facility_id, "axis-in-time" if in_time else "axis-late", "", now)


async def _settle(
    tx: Tx,
    row: MessageRow,
    state: State,
    reason: Stop | None,
    now: datetime,
    *,
    receipt: bytes | None = None,
    tries: int = 0,
) -> None:
    told = receipt.decode(errors="replace") if receipt else None
    await queries.SETTLE.one(tx, row.patient_id, row.message_id, state, now, reason, told, tries)
    if state == "stopped" and row.withdrawn_at is None:
        await _count(tx, row.facility_id, "axis-stopped", reason or "", now)
    if state == "withheld":
        await _count(tx, row.facility_id, "axis-kept-back", "", now)


async def _count(tx: Tx, facility_id: UUID, status: Status, reason: str, now: datetime) -> None:
    await count(tx, facility_id, uuid7(now), Counter({(status, reason): 1}), now)
