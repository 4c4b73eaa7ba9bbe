"""Saying yes, no, or no longer, to one purpose at a time.

Nothing is agreed before the person agrees: no answer is no. A yes is signed by the device over the very words
(who, when, which text: Law 91/2025 art. 9, Decree 356/2025 art. 6); a no and a withdrawal need the session
alone. Words that changed are asked about again, and until then the yes to the old ones does not count.
"""

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from msgspec import Struct

from audit.service import record_act
from consent.approval import Signed
from consent.purposes import queries
from consent.purposes.catalogue import KEYS, Lang, Purpose, PurposeKey, newest, text_sha256
from consent.purposes.problems import PURPOSE_BY_LAW, PURPOSE_CHANGED
from consent.purposes.queries import ChoiceRow, Withdrawal
from consent.queries import lock_guard
from consent.step_up import members
from ehr.cases.terms import moved_days
from ehr.cases.workdays import Term, acknowledge_by, answer_by
from identity.devices import StepUp, verify_step_up
from identity.problems import STEP_UP_REFUSED
from identity.signatures import canonical
from kernel.access import Access, Actor
from kernel.clock import local_day
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.outbox import emit

PURPOSE_TYP = "purpose-consent"
# Decree 356/2025: done within 15 days, 20 where third parties hold the data.
DONE: Final = Term(15, "calendar")
DONE_SHARED: Final = Term(20, "calendar")
HISTORY_MAX: Final = 50

State = Literal["by-law", "unanswered", "agreed", "refused", "asked-again"]


class Said(Struct, frozen=True, kw_only=True):
    """A purpose and where the person stands. history: every answer, newest first."""

    purpose: Purpose
    state: State
    said_at: datetime | None
    history: list[ChoiceRow]


class Saying(Struct, frozen=True, kw_only=True):
    """An answer to the words of a version in a language. signed: for a yes."""

    agreed: bool
    version: str
    lang: Lang
    signed: Signed | None


def purpose_text(
    actor: Actor, patient_id: UUID, purpose: Purpose, lang: Lang, signed: Signed, environment: str
) -> dict[str, Any]:
    """What the device signs to agree: JCS of this."""
    return members(actor, patient_id, PURPOSE_TYP, signed, environment) | {
        "purpose": purpose.key,
        "version": purpose.version,
        "lang": lang,
        "text_sha256": text_sha256(purpose, lang).hex(),
    }


async def agrees(tx: Tx, patient_id: UUID, purpose: PurposeKey) -> bool:
    """Whether the person's newest answer to today's words is yes. Whoever uses data for a purpose that needs
    consent asks this, each time and in the same transaction; a purpose by law needs none."""
    asked = newest(purpose)
    if asked.basis == "law":
        return True
    said = await queries.CHOICES.one(tx, patient_id, purpose, 1)
    return said is not None and said.agreed and said.version == asked.version


async def purposes_of(tx: Tx, patient_id: UUID) -> list[Said]:
    """Every purpose, in the order in which they are shown at first use."""
    said = {row.purpose: row for row in await queries.NEWEST.all(tx, patient_id)}
    return [_said(newest(key), [said[key]] if key in said else []) for key in KEYS]


async def purpose_of(tx: Tx, patient_id: UUID, key: PurposeKey) -> Said:
    """One purpose with its history."""
    return _said(newest(key), await queries.CHOICES.all(tx, patient_id, key, HISTORY_MAX))


async def unanswered(tx: Tx, patient_id: UUID) -> list[PurposeKey]:
    """What the app asks at first use, and again when words changed."""
    said = await purposes_of(tx, patient_id)
    return [one.purpose.key for one in said if one.state in ("unanswered", "asked-again")]


async def say(
    tx: Tx,
    access: Access,
    key: PurposeKey,
    saying: Saying,
    *,
    environment: str,
    trace_id: str,
    now: datetime,
) -> Said | Refused:
    """Answer. Refused: purpose-by-law, purpose-changed, step-up-refused."""
    assert access.action == ("manage-purposes" if saying.agreed else "manage-grants")
    purpose = newest(key)
    if purpose.basis == "law":
        return Refused(problem=PURPOSE_BY_LAW)
    if saying.version != purpose.version:
        return Refused(problem=PURPOSE_CHANGED)
    await lock_guard(tx, access.patient_id)
    before = await queries.CHOICES.one(tx, access.patient_id, key, 1)
    proof = await _proof(tx, access, purpose, saying, environment, now) if saying.agreed else None
    if isinstance(proof, Refused):
        return proof
    choice_id = uuid7(now)
    seq = 1 if before is None else before.seq + 1
    await _keep(tx, access, purpose, saying, choice_id, seq, proof, now)
    if before is not None and before.agreed and not saying.agreed:
        await _start_clock(tx, access.patient_id, purpose, choice_id, now)
        ids = {"choice_id": str(choice_id), "purpose": key}
        await emit(tx, access.patient_id, "consent.purpose-withdrawn", ids, now)
    tag = "consent:purpose:agree" if saying.agreed else "consent:purpose:refuse"
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        tag,
        resources=[("Consent", str(choice_id))],
        request_id=trace_id,
        now=now,
        on_behalf_of=access.on_behalf_of,
    )
    return await purpose_of(tx, access.patient_id, key)


async def withdrawals_of(tx: Tx, patient_id: UUID) -> list[Withdrawal]:
    """The person's withdrawals with their clocks, newest first."""
    return await queries.WITHDRAWALS_OF.all(tx, patient_id)


async def withdraw_again(tx: Tx, patient_id: UUID, key: PurposeKey, choice_id: UUID, at: datetime) -> None:
    """A withdrawal that a restored backup undid: it counts from when it was said, and so does its clock."""
    before = await queries.CHOICES.one(tx, patient_id, key, 1)
    if before is None or not before.agreed or before.said_at > at:
        return
    await queries.REFUSE_AGAIN.run(tx, patient_id, key, before.seq, choice_id, at)
    await _start_clock(tx, patient_id, newest(key), choice_id, at)


async def _proof(
    tx: Tx, access: Access, purpose: Purpose, saying: Saying, environment: str, now: datetime
) -> StepUp | Refused:
    actor, signed = access.actor, saying.signed
    if signed is None or actor.device_id is None:
        return Refused(problem=STEP_UP_REFUSED)
    text = purpose_text(actor, access.patient_id, purpose, saying.lang, signed, environment)
    return await verify_step_up(
        tx,
        access.patient_id,
        actor.device_id,
        PURPOSE_TYP,
        canonical(text),
        signed.signature,
        now,
        environment=environment,
    )


async def _keep(
    tx: Tx,
    access: Access,
    purpose: Purpose,
    saying: Saying,
    choice_id: UUID,
    seq: int,
    proof: StepUp | None,
    now: datetime,
) -> None:
    await queries.INSERT_CHOICE.run(
        tx,
        access.patient_id,
        choice_id,
        purpose.key,
        seq,
        purpose.version,
        text_sha256(purpose, saying.lang),
        saying.lang,
        saying.agreed,
        access.actor.device_id,
        proof.body_sha256 if proof else None,
        saying.signed.signature if proof and saying.signed else None,
        now,
    )


async def _start_clock(tx: Tx, patient_id: UUID, purpose: Purpose, choice_id: UUID, now: datetime) -> None:
    """What the program itself ends is answered and done by this; what others hold waits for hand work."""
    moved = await moved_days(tx, local_day(now))
    by = answer_by(now, DONE_SHARED if purpose.shared_outside else DONE, moved)
    at = None if purpose.shared_outside else now
    await queries.INSERT_WITHDRAWAL.run(
        tx, patient_id, choice_id, purpose.key, now, acknowledge_by(now, moved), by, at, at
    )


def _said(purpose: Purpose, history: list[ChoiceRow]) -> Said:
    newest_answer = history[0] if history else None
    said_at = newest_answer.said_at if newest_answer else None
    return Said(purpose=purpose, state=_state(purpose, history), said_at=said_at, history=history)


def _state(purpose: Purpose, history: list[ChoiceRow]) -> State:
    if purpose.basis == "law":
        return "by-law"
    if not history:
        return "unanswered"
    if history[0].version != purpose.version:
        return "asked-again"
    if history[0].agreed:
        return "agreed"
    return "refused"
