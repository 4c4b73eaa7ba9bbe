"""Writing the access log: one row per read and per act, in the transaction of the decision.

If a row cannot be written the exception reaches the caller, the transaction rolls back and no byte
leaves (consent.md §9, audit outage).
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from audit import queries
from audit.chain import GENESIS, SALT_BYTES, canonical, digest, link
from audit.models import AdminEntry, Entry, EntryGrant
from audit.policy import act_entry, is_own_act, read_entry, utc_text
from kernel.access import Access, Actor
from store.database import Tx


async def record_read(
    tx: Tx,
    access: Access,
    *,
    resources: list[tuple[str, str]],
    body: bytes,
    outcome: Literal["ok", "unchanged"],
    request_id: str,
    now: datetime,
    part: str | None = None,
) -> None:
    """Log one answer. `resources` are (type, id) of what the body shows; `body` the bytes that leave;
    `part` names the section that was opened.

    The caller writes nothing for the person's own 304 (architecture.md); everybody else's is
    `unchanged` with the bytes that the 304 stands for.
    """
    salt, actor_salt = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(SALT_BYTES)
    entry = read_entry(
        access,
        resources=resources,
        body=body,
        outcome=outcome,
        request_id=request_id,
        at=now,
        salt=salt,
        actor_salt=actor_salt,
        part=part,
    )
    await _append(tx, access.patient_id, access.actor, entry, now, salt, actor_salt)


async def record_act(
    tx: Tx,
    patient_id: UUID,
    actor: Actor,
    action: str,
    *,
    purpose: str | None = None,
    grant_id: UUID | None = None,
    grant_version: int | None = None,
    resources: Iterable[tuple[str, str]] = (),
    outcome: Literal["ok", "refused"] = "ok",
    reason: str | None = None,
    request_id: str,
    now: datetime,
    on_behalf_of: UUID | None = None,
) -> None:
    """Log one act on a person's book, also a refused one.

    action: source:subject:action, e.g. 'consent:request:create'. reason: a problem code, never a
    text. A patient_id that no citizen has (an unknown subject) gets a chain like any other, so that
    both look alike to the asking side.
    """
    actor_salt = secrets.token_bytes(SALT_BYTES)
    entry = act_entry(
        patient_id,
        actor,
        action,
        purpose=purpose,
        grant=EntryGrant(id=grant_id, version=grant_version) if grant_id else None,
        resources=resources,
        outcome=outcome,
        reason=reason,
        request_id=request_id,
        at=now,
        on_behalf_of=on_behalf_of,
        actor_salt=actor_salt,
    )
    await _append(tx, patient_id, actor, entry, now, b"", actor_salt)


class FirstActs(NamedTuple):
    """The first rows of the chains of people who are being made, and their heads."""

    heads: list[tuple[object, ...]]
    rows: list[tuple[object, ...]]


def first_acts(
    people: Sequence[UUID], actor: Actor, action: str, *, request_id: str, now: datetime
) -> FirstActs:
    """One act on each of them; `record_first_acts` writes it in the transaction that makes them."""
    made = FirstActs([], [])
    salts = secrets.token_bytes(SALT_BYTES * len(people))
    for number, patient_id in enumerate(people):
        actor_salt = salts[number * SALT_BYTES : (number + 1) * SALT_BYTES]
        entry = canonical(
            act_entry(
                patient_id,
                actor,
                action,
                purpose=None,
                grant=None,
                resources=(),
                outcome="ok",
                reason=None,
                request_id=request_id,
                at=now,
                on_behalf_of=None,
                actor_salt=actor_salt,
            )
        )
        h = link(GENESIS, 1, digest(entry))
        made.heads.append((patient_id, 1, GENESIS, h))
        said = now, actor.kind, entry.decode(), GENESIS, h, b"", actor_salt
        made.rows.append((patient_id, 1, *said, actor.name, actor.licence, actor.facility_name))
    return made


async def record_first_acts(tx: Tx, acts: FirstActs) -> None:
    await queries.COPY_HEADS.run(tx, acts.heads)
    await queries.COPY_ROWS.run(tx, acts.rows)


async def acted(tx: Tx, patient_id: UUID, request_id: str) -> bool:
    """Whether one of the person's newest rows is of this request, or of this batch."""
    return bool(await queries.ACTED.one(tx, patient_id, request_id))


async def record_admin_event(
    tx: Tx, operator: str, what: str, reason: str, count: int, now: datetime
) -> None:
    """Log one act of an operator in the global chain (security.md S26). No values in any field."""
    entry = AdminEntry(at=utc_text(now), count=count, operator=operator, reason=reason, what=what)
    row = canonical(entry)
    await queries.append_admin(tx, row_digest=digest(row), at=now, entry=row.decode())


async def _append(
    tx: Tx, patient_id: UUID, actor: Actor, entry: Entry, now: datetime, salt: bytes, actor_salt: bytes
) -> None:
    row = canonical(entry)
    own = is_own_act(actor, patient_id)
    await queries.append(
        tx,
        patient_id,
        row_digest=digest(row),
        at=now,
        actor_kind=actor.kind,
        entry=row.decode(),
        salt=salt,
        actor_salt=actor_salt,
        actor_name=None if own else actor.name,
        actor_licence=None if own else actor.licence,
        facility_name=actor.facility_name,
    )
