"""Stating a wish and taking it back. Each statement is signed by the device and is a version of its own;
taking back needs the session alone and counts at once. Doctors see a wish only where its own tick lets them,
and then under a grant or emergency access like everything else; paper only where its own tick says so.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from audit.service import record_act
from consent.approval import Signed
from consent.queries import lock_guard
from consent.step_up import members
from consent.wishes import queries
from consent.wishes.models import (
    CHOICES_VI,
    NOT_LEGAL_EN,
    NOT_LEGAL_VI,
    TITLES_VI,
    Wish,
    WishesShown,
    WishKind,
    WishRow,
    WishShown,
    Words,
)
from consent.wishes.problems import UNKNOWN_WISH, WISH_EMPTY
from documents.pdf import Block, Line
from ehr.reads.models import Built
from identity.devices import verify_step_up
from identity.problems import STEP_UP_REFUSED
from identity.signatures import canonical
from kernel.access import Access, Actor
from kernel.clock import VIETNAM
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal, unseal
from store.keys import KeyRing
from store.outbox import emit

WISH_TYP: Final = "wish"


class NewWish(msgspec.Struct, frozen=True, kw_only=True):
    """What the person states, and who may see it; neither tick is set beforehand."""

    kind: WishKind
    words: Words
    shown_to_doctors: bool
    shown_on_paper: bool


def wish_text(
    actor: Actor, patient_id: UUID, statement: NewWish, signed: Signed, environment: str
) -> dict[str, Any]:
    """What the device signs: JCS of this."""
    return members(actor, patient_id, WISH_TYP, signed, environment) | {
        "kind": statement.kind,
        "choice": statement.words.choice or "",
        "text": statement.words.text,
        "shown_to_doctors": "yes" if statement.shown_to_doctors else "no",
        "shown_on_paper": "yes" if statement.shown_on_paper else "no",
    }


async def state_wish(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    statement: NewWish,
    signed: Signed,
    *,
    environment: str,
    trace_id: str,
    now: datetime,
) -> Wish | Refused:
    """State it; what was said of the same before ends. Refused: wish-empty, step-up-refused."""
    assert access.action == "manage-wishes"
    if not _says_something(statement):
        return Refused(problem=WISH_EMPTY)
    patient_id, actor = access.patient_id, access.actor
    await lock_guard(tx, patient_id)
    if actor.device_id is None:
        return Refused(problem=STEP_UP_REFUSED)
    text = canonical(wish_text(actor, patient_id, statement, signed, environment))
    proof = await verify_step_up(
        tx, patient_id, actor.device_id, WISH_TYP, text, signed.signature, now, environment=environment
    )
    if isinstance(proof, Refused):
        return proof
    await _end(tx, patient_id, statement.kind, now)
    row = WishRow(
        wish_id=uuid7(now),
        kind=statement.kind,
        version=(await queries.LAST_VERSION.one(tx, patient_id, statement.kind) or 0) + 1,
        said_sealed=_seal(keys, patient_id, statement.words),
        shown_to_doctors=statement.shown_to_doctors,
        shown_on_paper=statement.shown_on_paper,
        said_at=now,
    )
    await _insert(tx, patient_id, row, proof.body_sha256, signed.signature)
    await _log(tx, access, "consent:wish:state", row.wish_id, trace_id, now)
    return _wish(keys, patient_id, row)


async def take_back(
    tx: Tx, access: Access, kind: WishKind, *, trace_id: str, now: datetime
) -> Refused | None:
    """Nobody sees it from now on. Refused: wish-unknown."""
    assert access.action == "manage-grants"
    await lock_guard(tx, access.patient_id)
    ended = await _end(tx, access.patient_id, kind, now)
    if ended is None:
        return Refused(problem=UNKNOWN_WISH)
    await _log(tx, access, "consent:wish:end", ended, trace_id, now)
    return None


async def wishes_of(tx: Tx, keys: KeyRing, patient_id: UUID) -> list[Wish]:
    """The wishes that stand, for the person."""
    return [_wish(keys, patient_id, row) for row in await queries.LIVE_WISHES.all(tx, patient_id)]


async def read(tx: Tx, keys: KeyRing, access: Access) -> Built:
    """What the person lets doctors with access see, as JSON bytes."""
    assert access.action == "read-wishes"
    found = [one for one in await wishes_of(tx, keys, access.patient_id) if one.shown_to_doctors]
    items = [
        WishShown(kind=one.kind, title_vi=one.title_vi, choice=one.choice, text=one.text, said_at=one.said_at)
        for one in found
    ]
    shown = WishesShown(items=items, notice_vi=NOT_LEGAL_VI, notice_en=NOT_LEGAL_EN)
    return Built(msgspec.json.encode(shown), [("Consent", str(one.wish_id)) for one in found])


async def on_paper(tx: Tx, keys: KeyRing, patient_id: UUID) -> list[Block]:
    """The wishes that the person lets stand in the printed book; nothing at all where there is none."""
    found = [one for one in await wishes_of(tx, keys, patient_id) if one.shown_on_paper]
    if not found:
        return []
    lines = [
        Line(
            title=one.title_vi,
            detail="; ".join(
                part for part in (CHOICES_VI[one.choice] if one.choice else "", one.text) if part
            ),
            when=f"{one.said_at.astimezone(VIETNAM):%d/%m/%Y}",
        )
        for one in found
    ]
    return [
        Block(key="wishes", title="Nguyện vọng", lines=[*lines, Line(title="Lưu ý", detail=NOT_LEGAL_VI)])
    ]


async def end_again(tx: Tx, patient_id: UUID, wish_id: UUID, now: datetime) -> None:
    """A wish whose end a restored backup undid."""
    await queries.END_WISH_AGAIN.run(tx, patient_id, wish_id, now)


async def _end(tx: Tx, patient_id: UUID, kind: WishKind, now: datetime) -> UUID | None:
    ended = await queries.END_WISH.one(tx, patient_id, kind, now)
    if ended is not None:
        await emit(tx, patient_id, "consent.wish-ended", {"wish_id": str(ended)}, now)
    return ended


def _says_something(statement: NewWish) -> bool:
    if statement.kind == "organ-donation":
        return statement.words.choice is not None
    return statement.words.choice is None and bool(statement.words.text.strip())


def _seal(keys: KeyRing, patient_id: UUID, words: Words) -> bytes:
    return seal(keys, patient_id, "wish", "said_sealed", msgspec.json.encode(words).decode())


def _wish(keys: KeyRing, patient_id: UUID, row: WishRow) -> Wish:
    words = msgspec.json.decode(unseal(keys, patient_id, "wish", "said_sealed", row.said_sealed), type=Words)
    return Wish(
        wish_id=row.wish_id,
        kind=row.kind,
        title_vi=TITLES_VI[row.kind],
        version=row.version,
        choice=words.choice,
        text=words.text,
        shown_to_doctors=row.shown_to_doctors,
        shown_on_paper=row.shown_on_paper,
        said_at=row.said_at,
    )


async def _insert(tx: Tx, patient_id: UUID, row: WishRow, body_sha256: bytes, signature: str) -> None:
    await queries.INSERT_WISH.run(
        tx,
        patient_id,
        row.wish_id,
        row.kind,
        row.version,
        row.said_sealed,
        row.shown_to_doctors,
        row.shown_on_paper,
        body_sha256,
        signature,
        row.said_at,
    )


async def _log(tx: Tx, access: Access, tag: str, wish_id: UUID, trace_id: str, now: datetime) -> None:
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        tag,
        resources=[("Consent", str(wish_id))],
        request_id=trace_id,
        now=now,
        on_behalf_of=access.on_behalf_of,
    )
