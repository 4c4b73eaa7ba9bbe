"""The owner's side of links: making, arming anew, confirming, taking back, looking at.

A link's files are encrypted before they reach the store, outside any transaction; the row comes last, so a
link that somebody holds always has its files. What is in a link was read under an Access that leaves every
sensitivity label and everything hidden out.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from audit.service import record_act
from consent.approval import Signed
from consent.links import queries
from consent.links.models import Door, LinkFile, LinkRow, Lock, NewFile, Opening, Wish
from consent.links.policy import LIVE_MAX, draw_passcode, is_common
from consent.links.problems import PASSCODE_TOO_EASY, TOO_MANY_LINKS, UNKNOWN_LINK
from consent.links.queries import DeadFile
from consent.policy import ENDING_ACTIONS
from consent.queries import lock_guard
from consent.step_up import verify_act
from identity import budgets
from identity.passwords import new_salt, stretched
from identity.tokens import digest
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal, unseal
from store.keys import FIRST_ID, KeyRing
from store.outbox import emit

LINK_TYP: Final = "share-link"
ARM_TYP: Final = "share-link-arm"
CONFIRM_TYP: Final = "share-link-confirm"
LISTED_MAX: Final = 100
OPENINGS_LISTED: Final = 100
TABLE: Final = "share_link"


class Draft(Struct, frozen=True, kw_only=True):
    """A link whose files lie encrypted in the store. secret: what the address holds."""

    patient_id: UUID
    link_id: UUID
    expires_at: datetime
    secret: bytes
    key: bytes
    lock: Lock
    wish: Wish
    files: list[NewFile]
    head_seq: int


class LinkView(Struct, frozen=True):
    """A link with its label opened."""

    row: LinkRow
    label: str


class OpeningView(Struct, frozen=True):
    """recipient: the opener's own words."""

    opening_id: UUID
    recipient: str
    opened_at: datetime


def wish_facts(wish: Wish) -> dict[str, Any]:
    """What the device signs of a link, beside the common members."""
    return {
        "label": wish.label,
        "long_term": wish.long_term,
        "duration_seconds": wish.duration_seconds,
        "passcode": wish.passcode,
        "papers": list(wish.papers),
        "documents": [{"id": one.id, "attachment": one.attachment} for one in wish.documents],
    }


def arm_facts(link_id: UUID, passcode: str | None) -> dict[str, Any]:
    return {"link_id": str(link_id), "passcode": passcode}


async def allow(
    tx: Tx,
    access: Access,
    wish: Wish,
    signed: Signed,
    *,
    environment: str,
    now: datetime,
) -> Refused | None:
    """Whether this person may have this link: number, passcode, the device's signature. Charges the day.

    Refused: passcode-too-easy, too-many-links, step-up-refused, too-many.
    """
    assert access.action == "share-record"
    if wish.passcode is not None and is_common(wish.passcode):
        return Refused(problem=PASSCODE_TOO_EASY, where="passcode")
    refused = await _no_room(tx, access, now)
    if refused is not None:
        return refused
    act = await verify_act(tx, access, LINK_TYP, wish_facts(wish), signed, environment=environment, now=now)
    if isinstance(act, Refused):
        return act
    return await budgets.charge_or_refuse(
        tx, budgets.LINKS_DAY, budgets.subject(access.patient_id.bytes), now
    )


async def make_lock(keys: KeyRing, link_id: UUID, passcode: str | None) -> Lock:
    """The passcode, drawn where none was chosen, and how it rests. Outside any transaction: it is slow."""
    passcode = draw_passcode() if passcode is None else passcode
    salt = new_salt(keys)
    return Lock(passcode, salt, await stretched(keys, link_id, passcode, salt))


async def keep(
    tx: Tx, keys: KeyRing, access: Access, draft: Draft, *, trace_id: str, now: datetime
) -> Refused | None:
    """Write the link whose files are there. access: what the files were made under (decide_contents)."""
    assert access.basis == "share-link"
    person, link_id, wish = access.patient_id, draft.link_id, draft.wish
    await lock_guard(tx, person)
    if refused := await _no_room(tx, access, now):
        return refused
    key = seal(keys, person, TABLE, "key_sealed", draft.key.hex()) if wish.long_term else None
    await queries.INSERT_LINK.run(
        tx,
        person,
        link_id,
        seal(keys, person, TABLE, "label_sealed", wish.label),
        key,
        draft.lock.salt,
        draft.lock.digest,
        [one.content for one in draft.files],
        sorted(access.origins),
        draft.head_seq,
        now,
        draft.expires_at,
    )
    await queries.INSERT_ADDRESS.run(tx, digest(draft.secret), person, link_id, draft.expires_at)
    await put_files(tx, person, link_id, draft.files, now)
    await emit(tx, person, "consent.link-made", {"link_id": str(link_id)}, now)
    shown = list(dict.fromkeys(row for file in draft.files for row in file.shown))
    await _log(tx, access, link_id, "create", trace_id, now, shown)
    return None


async def put_files(tx: Tx, person: UUID, link_id: UUID, files: list[NewFile], now: datetime) -> None:
    for file in files:
        shown = msgspec.json.encode(file.shown).decode()
        await queries.UPSERT_FILE.run(tx, person, link_id, file.content, file.blob_id, shown, now)


async def replace_files(tx: Tx, door: Door, head_seq: int, files: list[NewFile], now: datetime) -> list[UUID]:
    """Files of a long-term link made anew over a newer book. Returns the blobs that nothing names now: of two
    that were made at once, the later one's own."""
    person, link_id = door.patient_id, door.link_id
    old = await files_of(tx, person, link_id)
    if await queries.SET_HEAD.one(tx, person, link_id, door.head_seq, head_seq) is None:
        return [file.blob_id for file in files]
    await put_files(tx, person, link_id, files, now)
    kept = {file.content for file in files}
    gone = [(person, link_id, file.content, file.blob_id) for file in old if file.content not in kept]
    await queries.DELETE_FILE.many(tx, gone)
    return [file.blob_id for file in old]


async def dead_files(tx: Tx, now: datetime, limit: int) -> list[DeadFile]:
    """Files of links that ended or were taken back."""
    return await queries.DEAD_FILES.all(tx, now, limit)


async def forget_files(tx: Tx, files: list[DeadFile]) -> None:
    """Their blobs are gone."""
    rows = [(file.patient_id, file.link_id, file.content, file.blob_id) for file in files]
    await queries.DELETE_FILE.many(tx, rows)


async def arm(
    tx: Tx,
    access: Access,
    link_id: UUID,
    lock: Lock,
    chosen: str | None,
    signed: Signed,
    *,
    environment: str,
    trace_id: str,
    now: datetime,
) -> Refused | None:
    """A new passcode for a link, locked or not: five tries anew, and the old passcode opens nothing."""
    assert access.action == "share-record"
    if chosen is not None and is_common(chosen):
        return Refused(problem=PASSCODE_TOO_EASY, where="passcode")
    facts = arm_facts(link_id, chosen)
    act = await verify_act(tx, access, ARM_TYP, facts, signed, environment=environment, now=now)
    if isinstance(act, Refused):
        return act
    armed = await queries.ARM.one(tx, access.patient_id, link_id, now, lock.salt, lock.digest)
    if armed is None:
        return Refused(problem=UNKNOWN_LINK)
    await emit(tx, access.patient_id, "consent.link-armed", {"link_id": str(link_id)}, now)
    await _log(tx, access, link_id, "arm", trace_id, now)
    return None


async def confirm(
    tx: Tx,
    access: Access,
    link_id: UUID,
    signed: Signed,
    *,
    environment: str,
    trace_id: str,
    now: datetime,
) -> Refused | None:
    """Let a link stand that a merge or a restored backup holds."""
    assert access.action == "share-record"
    facts = {"link_id": str(link_id)}
    act = await verify_act(tx, access, CONFIRM_TYP, facts, signed, environment=environment, now=now)
    if isinstance(act, Refused):
        return act
    if await queries.CONFIRM.one(tx, access.patient_id, link_id, now) is None:
        return Refused(problem=UNKNOWN_LINK)
    await _log(tx, access, link_id, "confirm", trace_id, now)
    return None


async def revoke(tx: Tx, access: Access, link_id: UUID, *, trace_id: str, now: datetime) -> Refused | None:
    """Take a link back: its next opening, and every way to a file already given, is refused. Once more
    changes nothing. The files go afterwards."""
    assert access.action in ENDING_ACTIONS
    if await queries.END.one(tx, access.patient_id, link_id, now) is None:
        known = await queries.LINK.one(tx, access.patient_id, link_id)
        return None if known is not None else Refused(problem=UNKNOWN_LINK)
    await emit(tx, access.patient_id, "consent.link-ended", {"link_id": str(link_id)}, now)
    await _log(tx, access, link_id, "revoke", trace_id, now)
    return None


async def lock_again(tx: Tx, patient_id: UUID, link_id: UUID, now: datetime) -> None:
    """A link that was locked or armed anew before a restored backup brought its old passcode back: it wants
    a new one."""
    await queries.LOCK_AGAIN.run(tx, patient_id, link_id, now)


async def links_of(tx: Tx, keys: KeyRing, patient_id: UUID) -> list[LinkView]:
    """All links, newest first."""
    return [_opened(keys, row) for row in await queries.LINKS.all(tx, patient_id, LISTED_MAX)]


async def link_of(tx: Tx, keys: KeyRing, patient_id: UUID, link_id: UUID) -> LinkView | Refused:
    row = await queries.LINK.one(tx, patient_id, link_id)
    return Refused(problem=UNKNOWN_LINK) if row is None else _opened(keys, row)


async def unended(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> list[LinkView]:
    """Links that are not over: in force, locked or held."""
    return [_opened(keys, row) for row in await queries.UNENDED.all(tx, patient_id, now)]


async def openings_of(tx: Tx, keys: KeyRing, patient_id: UUID, link_id: UUID) -> list[OpeningView]:
    """Who opened a link, newest first."""
    found = await queries.OPENINGS.all(tx, patient_id, link_id, OPENINGS_LISTED)
    return [OpeningView(one.opening_id, recipient_of(keys, patient_id, one), one.opened_at) for one in found]


async def files_of(tx: Tx, patient_id: UUID, link_id: UUID) -> list[LinkFile]:
    return await queries.FILES.all(tx, patient_id, link_id)


def recipient_of(keys: KeyRing, patient_id: UUID, opening: Opening) -> str:
    return unseal(keys, patient_id, "share_link_opening", "recipient_sealed", opening.recipient_sealed)


def _opened(keys: KeyRing, row: LinkRow) -> LinkView:
    return LinkView(row, unseal(keys, row.patient_id, TABLE, "label_sealed", row.label_sealed))


async def _no_room(tx: Tx, access: Access, now: datetime) -> Refused | None:
    live = await queries.LIVE_LINKS.one(tx, access.patient_id, now) or 0
    return Refused(problem=TOO_MANY_LINKS) if live >= LIVE_MAX else None


async def _log(
    tx: Tx,
    access: Access,
    link_id: UUID,
    what: str,
    trace_id: str,
    now: datetime,
    shown: list[tuple[str, str]] | None = None,
) -> None:
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        f"consent:link:{what}",
        grant_id=link_id,
        resources=shown or (),
        request_id=trace_id,
        now=now,
        on_behalf_of=access.on_behalf_of,
    )


async def count_under_pepper(tx: Tx, key_id: str, now: datetime) -> int:
    """How many links in force have a passcode that was stretched with a pepper."""
    return await queries.UNDER_PEPPER.one(tx, b"" if key_id == FIRST_ID else key_id.encode(), now) or 0
