"""Making a share code, and redeeming it.

The person chooses as in an approval, before anybody asked; the device signs. Whoever redeems gets
choice ∩ tier cap ∩ own role cap, as a grant in the practitioner's own name: the code itself opens nothing.
"""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from audit.service import record_act
from consent.approval import CodeVerdict, Signed
from consent.artefact import label_names
from consent.blocks.queries import is_blocked
from consent.grants.service import Consented, issue_grant
from consent.models import AccessRequest, Scope
from consent.policy import ENDING_ACTIONS, cap_for, granted_scope, is_empty
from consent.problems import NOTHING_GRANTED, ROLE_MAY_NOT_ASK
from consent.queries import lock_guard
from consent.role_caps import role_cap
from consent.share_codes import queries
from consent.share_codes.models import CodeTier, ShareCodeRow, Unlock
from consent.share_codes.policy import LIFE, code_hashes, draw, typed
from consent.share_codes.problems import SHARE_CODE_INVALID, UNKNOWN_SHARE_CODE
from consent.step_up import act_text, verify_act
from identity import budgets
from identity.problems import STEP_UP_REFUSED
from kernel.access import Access, Actor, Label, RecordType
from kernel.clock import local_day
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit

CODE_TYP: Final = "share-code"
LABEL_TYP: Final = "share-code-label"


class Choice(Struct, frozen=True, kw_only=True):
    """What the code is to open. label_signatures: one more act for each label where tier A asks for it."""

    types: frozenset[RecordType]
    since: date | None
    until: date | None
    duration_seconds: int
    labels: Label
    unlock: Unlock
    signed: Signed
    label_signatures: dict[str, Signed]

    @property
    def tier(self) -> CodeTier:
        return "A" if self.unlock == "biometric" else "B"


class MadeCode(Struct, frozen=True):
    """The characters, shown once."""

    code_id: UUID
    code: str
    expires_at: datetime


def choice_facts(choice: Choice) -> dict[str, Any]:
    """What the device signs of a code, beside the common members."""
    return {
        "unlock": choice.unlock,
        "types": sorted(choice.types),
        "since": choice.since.isoformat() if choice.since else None,
        "until": choice.until.isoformat() if choice.until else None,
        "duration_seconds": choice.duration_seconds,
        "labels": label_names(choice.labels),
    }


def label_facts(choice: Choice, label: str) -> dict[str, Any]:
    """One label of one code: the code is named by the nonce of its own act."""
    return {"label": label, "act": choice.signed.nonce}


async def make(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    choice: Choice,
    *,
    environment: str,
    trace_id: str,
    now: datetime,
) -> MadeCode | Refused:
    """Refused: nothing-to-grant, step-up-refused, too-many."""
    assert access.action == "share-record"
    if is_empty(_scope(choice)):
        return Refused(problem=NOTHING_GRANTED)
    refused = await _verify(tx, access, choice, environment, now)
    if refused is not None:
        return refused
    person = access.patient_id
    spent = await budgets.charge_or_refuse(tx, budgets.SHARE_CODES_DAY, budgets.subject(person.bytes), now)
    if spent is not None:
        return spent
    code_id, expires_at = uuid7(now), now + LIFE
    text = act_text(access, CODE_TYP, choice_facts(choice), choice.signed, environment)
    await queries.INSERT_CODE.run(
        tx,
        person,
        code_id,
        choice.tier,
        sorted(choice.types),
        choice.since,
        choice.until,
        choice.duration_seconds,
        int(choice.labels),
        text.decode(),
        choice.signed.signature,
        now,
        expires_at,
    )
    code = await _claim(tx, keys, person, code_id, expires_at)
    await _log(tx, access, code_id, "create", trace_id, now)
    return MadeCode(code_id, code, expires_at)


async def redeem(
    tx: Tx, keys: KeyRing, actor: Actor, text: str, *, trace_id: str, now: datetime
) -> CodeVerdict | Refused:
    """Turn a code into a grant of this practitioner. Refused: share-code-invalid (charged), too-many,
    nothing-to-grant, role-may-not-ask."""
    if actor.facility_id is None or actor.licence is None or not role_cap(actor.role):
        return Refused(problem=ROLE_MAY_NOT_ASK)
    code = typed(text)
    if code is None:
        return Refused(problem=SHARE_CODE_INVALID, where="code")
    who = budgets.subject(actor.actor_id.bytes)
    spent = await budgets.charge_or_refuse(tx, budgets.WRONG_SHARE_CODES, who, now)
    if spent is not None:
        return spent
    found = await _by_code(tx, keys, code)
    if found is None:
        return Refused(problem=SHARE_CODE_INVALID, where="code")
    verdict = await _redeem(tx, keys, actor, found.patient_id, found.code_id, trace_id, now)
    if not isinstance(verdict, Refused) or verdict.problem is NOTHING_GRANTED:
        await budgets.refund(tx, budgets.WRONG_SHARE_CODES, who)
    return verdict


async def end(tx: Tx, access: Access, code_id: UUID, *, trace_id: str, now: datetime) -> Refused | None:
    """Let a code die unused. Once more changes nothing."""
    assert access.action in ENDING_ACTIONS
    await lock_guard(tx, access.patient_id)
    if await queries.END.one(tx, access.patient_id, code_id, now) is None:
        known = await queries.CODE.one(tx, access.patient_id, code_id)
        return None if known is not None else Refused(problem=UNKNOWN_SHARE_CODE)
    await _log(tx, access, code_id, "end", trace_id, now)
    return None


async def _redeem(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    patient_id: UUID,
    code_id: UUID,
    trace_id: str,
    now: datetime,
) -> CodeVerdict | Refused:
    assert actor.facility_id is not None
    await lock_guard(tx, patient_id)
    row = await queries.LIVE_CODE.one(tx, patient_id, code_id, now)
    if row is None or await is_blocked(tx, patient_id, actor.actor_id, actor.facility_id):
        return await _dead(tx, actor, patient_id, code_id, trace_id, now)
    cap = cap_for(row.tier, presence=True, probation=False)
    scope = granted_scope(row.scope, row.scope, cap, actor.role, local_day(now))
    if is_empty(scope):
        return Refused(problem=NOTHING_GRANTED)
    grant_id = uuid7(now)
    won = await queries.REDEEM.one(tx, patient_id, code_id, now, grant_id)
    if won is None:
        return await _dead(tx, actor, patient_id, code_id, trace_id, now)
    consented = Consented(
        tier=row.tier,
        scope=scope,
        presence=True,
        shared=True,
        choice=won.choice.encode(),
        signature=won.signature,
    )
    grant = await issue_grant(
        tx,
        keys,
        actor,
        _as_request(actor, row),
        consented,
        grant_id=grant_id,
        trace_id=trace_id,
        now=now,
    )
    return CodeVerdict(
        patient_id=patient_id, grant_id=grant_id, starts_at=grant.starts_at, ends_at=grant.ends_at
    )


async def _dead(
    tx: Tx, actor: Actor, patient_id: UUID, code_id: UUID, trace_id: str, now: datetime
) -> Refused:
    """A code that was used is told to its owner: somebody else has seen it."""
    row = await queries.CODE.one(tx, patient_id, code_id)
    if row is not None and row.redeemed_at is not None:
        await emit(tx, patient_id, "consent.share-code-tried", {"code_id": str(code_id)}, now)
    await record_act(
        tx,
        patient_id,
        actor,
        "consent:share-code:redeem",
        purpose="TREAT",
        outcome="refused",
        reason=SHARE_CODE_INVALID.code,
        request_id=trace_id,
        now=now,
    )
    return Refused(problem=SHARE_CODE_INVALID, where="code")


async def _verify(tx: Tx, access: Access, choice: Choice, environment: str, now: datetime) -> Refused | None:
    """The act's signature, and in tier A one more for each sensitive label."""
    for label in label_names(choice.labels) if choice.tier == "A" else []:
        signed = choice.label_signatures.get(label)
        if signed is None:
            return Refused(problem=STEP_UP_REFUSED, where=f"label_signatures.{label}")
        facts = label_facts(choice, label)
        held = await verify_act(tx, access, LABEL_TYP, facts, signed, environment=environment, now=now)
        if isinstance(held, Refused):
            return held
    facts = choice_facts(choice)
    held = await verify_act(tx, access, CODE_TYP, facts, choice.signed, environment=environment, now=now)
    return held if isinstance(held, Refused) else None


async def _by_code(tx: Tx, keys: KeyRing, code: str) -> queries.Found | None:
    for hashed in code_hashes(keys, code):
        if (found := await queries.BY_HASH.one(tx, hashed)) is not None:
            return found
    return None


async def _claim(tx: Tx, keys: KeyRing, person: UUID, code_id: UUID, expires_at: datetime) -> str:
    """Characters that nobody else has now."""
    while True:
        code = draw()
        if await queries.CLAIM_HASH.one(tx, code_hashes(keys, code)[0], person, code_id, expires_at):
            return code


def _scope(choice: Choice) -> Scope:
    return Scope(
        types=choice.types,
        since=choice.since,
        until=choice.until,
        duration_seconds=choice.duration_seconds,
        labels=choice.labels,
    )


def _as_request(actor: Actor, row: ShareCodeRow) -> AccessRequest:
    """What the practitioner would have asked for, had the person not spoken first: exactly the choice."""
    assert actor.facility_id is not None
    assert actor.practitioner_role_id is not None
    assert actor.role is not None
    return AccessRequest(
        patient_id=row.patient_id,
        request_id=row.code_id,
        practitioner_id=actor.actor_id,
        practitioner_role_id=actor.practitioner_role_id,
        practitioner_name=actor.name,
        licence=actor.licence or "",
        role=actor.role,
        facility_id=actor.facility_id,
        facility_name=actor.facility_name or "",
        purpose="TREAT",
        types=row.types,
        since=row.since,
        until=row.until,
        duration_seconds=row.duration_seconds,
        presence=True,
        delivery="ring",
        status="granted",
        attempts=0,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


async def _log(tx: Tx, access: Access, code_id: UUID, what: str, trace_id: str, now: datetime) -> None:
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        f"consent:share-code:{what}",
        grant_id=code_id,
        request_id=trace_id,
        now=now,
        on_behalf_of=access.on_behalf_of,
    )
