"""Messages that come from the axis: each dealt with once, its sender and its signature known, and never
against a facility's own word.

Whose version stands (docs/partners.md): a facility's own record of a check wins over any copy of it, also
one that came before; of copies the newest by the sender's clock; whatever is about nobody whom its number,
birth date, sex and name tell for certain waits in the quarantine like every other sender's.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec import Struct

from ehr.health_checks.models import CheckBody
from ehr.health_checks.service import was_recorded
from ehr.intake.models import BadInputError
from ehr.intake.service import SYSTEM_CREDENTIAL, Sender, import_unit
from ehr.intake.units import prepare
from ehr.models import Source
from ehr.store import write_unit
from identity.models import Facility
from identity.problems import IDENTIFIER_TAKEN
from identity.register.facilities import facility_by_code
from kernel.clock import local_day
from kernel.ids import uuid7
from kernel.problems import ProblemError
from partners.axis import queries
from partners.axis.content import UNIT, check_of, read_content, unit_in
from partners.axis.message import (
    BAD_SIGNATURE,
    INVALID,
    SENT,
    SUCCESS,
    AxisHeader,
    AxisReply,
    BadMessageError,
    Code,
    Received,
    facility_id_of,
    is_json,
    is_msg_id,
    is_signed_by,
    new_msg_id,
    reply_to,
    sent_at,
)
from partners.axis.models import InboundRow, Outcome
from store.database import Store, Tx
from store.keys import KeyRing

CREDENTIAL: Final = f"{SYSTEM_CREDENTIAL}axis"
NAME_VI: Final = "Trục dữ liệu của Bộ Y tế"
# How far a sender's clock may be ahead of ours.
AHEAD_MAX: Final = timedelta(minutes=5)


class Judged(Struct, frozen=True):
    """What became of a message. reason: a code for operators."""

    outcome: Outcome
    code: Code
    reason: str | None = None


async def take(
    store: Store, received: Received, trusted: Sequence[rsa.RSAPublicKey], now: datetime
) -> AxisReply | None:
    """Deal with a message. None: it names no sender or receiver of this form, so there is nobody to answer.

    One that is not signed is not kept: whoever sends it must not take a msg_id away from its owner. It opens
    its transactions itself, for the second look needs one of its own.
    """
    header = received.header
    if facility_id_of(header.sender_id) is None or facility_id_of(header.receiver_id) is None:
        return None
    if not is_signed_by(received, trusted):
        return reply_to(header, BAD_SIGNATURE, new_msg_id(header.receiver_id, now), now)
    try:
        at = sent_at(header)
    except BadMessageError:
        return _refusal(header, now)
    if not _is_formed(header) or at > now + AHEAD_MAX:
        return _refusal(header, now)
    try:
        async with store.transaction() as tx:
            return await _once(tx, store.keys, received, at, now)
    except ProblemError as error:
        if error.refused.problem is not IDENTIFIER_TAKEN:
            raise
    # Somebody took the number in between: a second look finds whose it is.
    async with store.transaction() as tx:
        return await _once(tx, store.keys, received, at, now)


def _is_formed(header: AxisHeader) -> bool:
    return (
        header.msg_type == SENT and is_json(header.data_type) and is_msg_id(header.msg_id, header.sender_id)
    )


def _refusal(header: AxisHeader, now: datetime) -> AxisReply:
    return reply_to(header, INVALID, new_msg_id(header.receiver_id, now), now)


async def _once(tx: Tx, keys: KeyRing, received: Received, at: datetime, now: datetime) -> AxisReply:
    """The first answer to a msg_id, for ever; the same msg_id with other words is refused."""
    header = received.header
    digest = hashlib.sha256(received.signed).digest()
    bucket = hashlib.sha256(header.msg_id.encode()).digest()[0]
    reply_id = new_msg_id(header.receiver_id, now)
    ids = header.msg_id, header.sender_id, header.receiver_id
    if await queries.TAKE_INBOUND.one(tx, bucket, *ids, at, now, digest, INVALID, reply_id) is None:
        before = await queries.INBOUND.one(tx, bucket, header.msg_id)
        assert before is not None
        return _again(header, before, digest, now)
    judged = await _judge(tx, keys, received, at, now)
    await queries.SETTLE_INBOUND.run(tx, bucket, header.msg_id, judged.outcome, judged.reason, judged.code)
    return reply_to(header, judged.code, reply_id, now)


def _again(header: AxisHeader, before: InboundRow, digest: bytes, now: datetime) -> AxisReply:
    if before.digest != digest:
        return _refusal(header, now)
    code: Code = SUCCESS if before.code == SUCCESS else INVALID
    return reply_to(header, code, before.reply_id, before.received_at)


async def _judge(tx: Tx, keys: KeyRing, received: Received, at: datetime, now: datetime) -> Judged:
    header = received.header
    receiver = await _exchanging(tx, header.receiver_id, now)
    if receiver is None:
        return Judged("refused", INVALID, "no-ground")
    try:
        body = read_content(received.data)
        sender = await facility_by_code(tx, header.sender_id, local_day(at))
        check_id = check_of(body, sender.facility_id if sender else None, header.sender_id)
        if sender is not None and await was_recorded(tx, sender.facility_id, check_id):
            # The facility told us itself, or took it back: its own word stands (S3).
            return Judged("kept-own", SUCCESS)
        return await _import(tx, keys, body, check_id, header, at, now)
    except BadInputError as error:
        return Judged("refused", INVALID, error.reasons[0].code)


async def _exchanging(tx: Tx, code: str, now: datetime) -> Facility | None:
    """The facility of ours that a message is for, where there is a ground for the exchange."""
    facility = await facility_by_code(tx, code, local_day(now))
    sender = None if facility is None else await queries.SENDER.one(tx, facility.facility_id)
    return facility if sender is not None and sender.is_allowed else None


async def _import(
    tx: Tx, keys: KeyRing, body: CheckBody, check_id: UUID, header: AxisHeader, at: datetime, now: datetime
) -> Judged:
    sender = Sender(None, CREDENTIAL, uuid7(now))
    unit = unit_in(body, check_id, header.sender_id, at, now)
    prepared = prepare(unit, None, sender.source_id, NAME_VI)
    report = await import_unit(tx, keys, unit, prepared, sender, now)
    reason = report.reasons[0].code if report.reasons else None
    if report.status == "rejected":
        is_older = reason == "older-version"
        return Judged("older-version" if is_older else "refused", SUCCESS if is_older else INVALID, reason)
    # Whether somebody is known here, or whom a number names, is told to nobody (S19).
    return Judged("taken" if report.status == "imported" else "quarantined", SUCCESS)


async def give_way(tx: Tx, patient_id: UUID, check_id: UUID, now: datetime) -> None:
    """A facility recorded a check itself of which the axis sent a copy: the copy goes, with its history
    kept."""
    key = f"{UNIT}{check_id}"
    source = Source(source_id=CREDENTIAL, facility_id=None, credential=CREDENTIAL, batch=uuid7(now))
    await write_unit(tx, patient_id, source, [], unit=key, now=now)


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Forget messages that came before. Returns how many went."""
    return await queries.FORGET_INBOUND.one(tx, before, limit) or 0
