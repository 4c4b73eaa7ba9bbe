"""The steps of consent for tests: each in its own transaction, as a handler would run it."""

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785

from consent import approval
from consent.approval import Approval, CodeVerdict, Signed
from consent.decision import decide
from consent.grants import service as grants
from consent.models import AccessRequest, Grant
from consent.requests import service as requests
from consent.requests.asking import Ask, Asked, request_access
from consent.requests.queries import request_by_id
from consent.transfer import canonical_text, digits_at, nonce_at, step_of
from identity.sessions import authenticate
from kernel.access import Access, Action, Label
from kernel.problems import Refused
from store.database import Store, Tx
from store.keys import KeyRing
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, Doctor
from tests.support.phone import base64url
from visits.identification import draw_code

TRACE = "018f0000-0000-7000-8000-000000000000"
ENVIRONMENT = "test"


async def ask(
    store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen | None = None, **changes: Any
) -> Asked | Refused:
    """Ask with presence by a scan of the citizen's code, unless `kind` and `value` say otherwise."""
    if "kind" not in changes:
        assert citizen is not None
        code = draw_code(store.keys, citizen.patient_id, clock.now())
        changes = {"kind": "citizen-qr", "value": code.qr, **changes}
    async with store.transaction() as tx:
        return await request_access(
            tx, store.keys, doctor.actor, Ask(**changes), trace_id=TRACE, now=clock.now()
        )


async def asked(
    store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen | None = None, **changes: Any
) -> Asked:
    answer = await ask(store, clock, doctor, citizen, **changes)
    assert isinstance(answer, Asked), answer
    return answer


async def row_of(store: Store, doctor: Doctor, request_id: UUID) -> AccessRequest:
    """The request's row, found as the doctor's side finds it."""
    async with store.transaction() as tx:
        mirror = await requests.own_mirror(tx, doctor.actor, request_id)
        assert not isinstance(mirror, Refused)
        row = await request_by_id(tx, mirror.patient_id, request_id)
    assert row is not None
    return row


def approval_for(
    store: Store,
    citizen: Citizen,
    row: AccessRequest,
    now: datetime,
    *,
    tier: Any = "B",
    labels: Label = Label.NONE,
    sign: bool = True,
    secret: str | None = None,
    **changes: Any,
) -> Approval:
    """What the citizen's app sends: the whole of what was asked, unless `changes` narrow it."""
    live = nonce_at if tier == "A" else digits_at
    secret = live(store.keys, row.request_id, step_of(now)) if secret is None else secret
    fields: dict[str, Any] = {
        "types": frozenset(row.types),
        "since": row.since,
        "until": row.until,
        "duration_seconds": row.duration_seconds,
    }
    fields |= changes
    draft = Approval(
        tier=tier, secret=secret, labels=labels, signed=_unsigned(now), label_signatures={}, **fields
    )
    signatures = {
        label.name: _signed(
            citizen, approval.label_text(citizen.actor, row, label.name, one, ENVIRONMENT), one
        )
        for label in Label
        if tier == "A" and label and label & labels and label.name
        for one in [_unsigned(now)]
    }
    text = approval.approval_text(citizen.actor, row, draft, ENVIRONMENT)
    signed = _signed(citizen, text, draft.signed) if sign else draft.signed
    return Approval(
        tier=tier, secret=secret, labels=labels, signed=signed, label_signatures=signatures, **fields
    )


def _unsigned(now: datetime) -> Signed:
    instant = int(now.timestamp())
    return Signed(nonce=base64url(secrets.token_bytes(16)), iat=instant, exp=instant + 120, signature="")


def _signed(citizen: Citizen, text: dict[str, Any], unsigned: Signed) -> Signed:
    signature = citizen.phone.step_up_key.sign(rfc8785.dumps(text))
    return Signed(nonce=unsigned.nonce, iat=unsigned.iat, exp=unsigned.exp, signature=signature)


async def own(tx: Tx, citizen: Citizen, action: Action, now: datetime, keys: KeyRing | None = None) -> Access:
    """What a /v1/me route begins with: the decision for the person's own book."""
    decided = await decide(tx, citizen.actor, citizen.patient_id, action, "PATRQT", now, keys=keys)
    assert isinstance(decided, Access), decided
    return decided


async def send_approval(
    store: Store, clock: FrozenClock, citizen: Citizen, request_id: UUID, answer: Approval
) -> Grant | Refused:
    async with store.transaction() as tx:
        return await approval.approve(
            tx,
            store.keys,
            await own(tx, citizen, "manage-grants", clock.now()),
            request_id,
            answer,
            environment=ENVIRONMENT,
            trace_id=TRACE,
            now=clock.now(),
        )


async def approve(
    store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen, request_id: UUID, **changes: Any
) -> Grant | Refused:
    row = await row_of(store, doctor, request_id)
    answer = approval_for(store, citizen, row, clock.now(), **changes)
    return await send_approval(store, clock, citizen, request_id, answer)


async def granted(
    store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen, **changes: Any
) -> Grant:
    """A grant of tier B after a scan, unless told otherwise."""
    asking = {key: changes.pop(key) for key in ("duration_seconds", "types") if key in changes}
    request = await asked(store, clock, doctor, citizen, **asking)
    grant = await approve(store, clock, doctor, citizen, request.request_id, **changes)
    assert isinstance(grant, Grant), grant
    return grant


async def type_code(
    store: Store, clock: FrozenClock, doctor: Doctor, request_id: UUID, code: str
) -> CodeVerdict | Refused:
    async with store.transaction() as tx:
        return await approval.enter_code(
            tx, store.keys, doctor.actor, request_id, code, trace_id=TRACE, now=clock.now()
        )


def offline_code(store: Store, citizen: Citizen, row: AccessRequest, now: datetime) -> str:
    """Tier C: what the app answers to the text it scanned at `now`, without a network."""
    nonce = nonce_at(store.keys, row.request_id, step_of(now))
    return citizen.phone.hotp(canonical_text(row, nonce))


async def read(
    store: Store, clock: FrozenClock, doctor: Doctor, patient_id: UUID, action: Action = "read-summary"
) -> Access | str:
    """An Access, or the code of the refusal; 'signed-out' when the session itself is dead."""
    async with store.transaction() as tx:
        actor = await authenticate(tx, doctor.token, clock.now())
        if actor is None:
            return "signed-out"
        decided = await decide(tx, actor, patient_id, action, "TREAT", clock.now())
    return decided.problem.code if isinstance(decided, Refused) else decided


async def revoke(store: Store, clock: FrozenClock, citizen: Citizen, grant_id: UUID) -> Refused | None:
    async with store.transaction() as tx:
        access = await own(tx, citizen, "manage-grants", clock.now())
        return await grants.revoke_grant(tx, access, grant_id, trace_id=TRACE, now=clock.now())


async def count(owner: Store, sql: str, *args: object) -> int:
    async with owner.transaction() as tx:
        return int(await tx.fetchval(sql, *args))


def code_of(outcome: object) -> str | None:
    """The problem code of a refusal, None for anything else."""
    return outcome.problem.code if isinstance(outcome, Refused) else None
