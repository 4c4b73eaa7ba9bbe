"""The person's side of the emergency card: ticking, unticking, a new code, off.

Nothing is ticked before the person ticks it. Each new tick, turning the card on and a new code are acts of
the device's step-up key (security.md S11); unticking and turning off need the session alone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from audit.service import record_act
from consent.approval import Signed
from consent.emergency_card import queries
from consent.emergency_card.models import PARTS, LiveCard, Part
from consent.emergency_card.problems import CARD_OFF, SIGNATURE_NEEDED
from consent.models import Standing
from consent.policy import ENDING_ACTIONS
from consent.queries import lock_guard
from consent.step_up import members
from identity.devices import verify_step_up
from identity.problems import STEP_UP_REFUSED
from identity.signatures import canonical
from identity.tokens import SECRET_BYTES, digest, from_base64url, new_secret, to_base64url, write_token
from kernel.access import Access, Actor
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal, unseal
from store.keys import KeyRing

CARD_TYP = "emergency-card"
# Where the code's page stands; the secret follows `#`, which no browser sends (security.md S34).
PAGE_PATH = "/the-khan-cap"


class Saved(Struct, frozen=True, kw_only=True):
    """The card after an act. link: the code's text, handed out when it is made and never again."""

    card: LiveCard
    link: str | None


def card_text(
    actor: Actor,
    patient_id: UUID,
    parts: Sequence[Part],
    signed: Signed,
    environment: str,
    *,
    new_code: bool,
) -> dict[str, Any]:
    """What the device signs to let the card show these lines: JCS of this."""
    return members(actor, patient_id, CARD_TYP, signed, environment) | {
        "parts": sorted(parts),
        "new_code": "yes" if new_code else "no",
    }


async def set_parts(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    parts: frozenset[Part],
    signed: Signed | None,
    *,
    origin: str,
    environment: str,
    trace_id: str,
    now: datetime,
) -> Saved | Refused:
    """Let the card show these lines and no others. parts is not empty: turning off is `turn_off`.

    Refused: step-up-needed for a line that was not ticked yet, step-up-refused.
    """
    assert access.action in ("manage-emergency-card", "manage-grants")
    assert parts
    await lock_guard(tx, access.patient_id)
    kept = await queries.kept_card(tx, access.patient_id)
    ordered = [part for part in PARTS if part in parts]
    if kept is not None and parts <= frozenset(kept.parts) and signed is None:
        await queries.narrow_card(tx, access.patient_id, ordered)
        await _log(tx, access, "emergency:card:narrow", trace_id, now)
        return await _saved(tx, access.patient_id, None)
    if signed is None or access.action != "manage-emergency-card":
        return Refused(problem=SIGNATURE_NEEDED)
    refused = await _proven(tx, access, ordered, signed, environment, now, new_code=False)
    if refused is not None:
        return refused
    if kept is not None and await queries.is_restored(tx, access.patient_id):
        kept = None
    secret = new_secret() if kept is None else _open_secret(keys, kept)
    issued_at = now if kept is None else kept.issued_at
    await _save(tx, keys, access, ordered, secret, issued_at, now)
    await _log(tx, access, "emergency:card:set", trace_id, now)
    return await _saved(
        tx, access.patient_id, link_of(origin, access.patient_id, secret) if kept is None else None
    )


async def reissue(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    signed: Signed,
    *,
    origin: str,
    environment: str,
    trace_id: str,
    now: datetime,
) -> Saved | Refused:
    """A new code; the old one is dead at once. Refused: emergency-card-off, step-up-refused."""
    assert access.action == "manage-emergency-card"
    await lock_guard(tx, access.patient_id)
    kept = await queries.kept_card(tx, access.patient_id)
    if kept is None:
        return Refused(problem=CARD_OFF)
    refused = await _proven(tx, access, kept.parts, signed, environment, now, new_code=True)
    if refused is not None:
        return refused
    secret = new_secret()
    await _save(tx, keys, access, kept.parts, secret, now, now)
    await _log(tx, access, "emergency:card:reissue", trace_id, now)
    return await _saved(tx, access.patient_id, link_of(origin, access.patient_id, secret))


async def turn_off(tx: Tx, access: Access, *, trace_id: str, now: datetime) -> None:
    """Off, at once and for good: turned on again it has another code. Off already is off."""
    assert access.action in ENDING_ACTIONS
    await lock_guard(tx, access.patient_id)
    if await queries.end_card(tx, access.patient_id, now) is not None:
        await _log(tx, access, "emergency:card:end", trace_id, now)


async def card_of(tx: Tx, patient_id: UUID) -> LiveCard | None:
    """The person's card, held or not."""
    return await queries.kept_card(tx, patient_id)


async def standing_of(tx: Tx, patient_id: UUID, now: datetime) -> list[Standing]:  # noqa: ARG001
    """The card in the list of who can see a person: whoever holds its code."""
    card = await queries.kept_card(tx, patient_id)
    if card is None:
        return []
    return [
        Standing(
            kind="emergency-card",
            id=card.card_id,
            name="Người quét thẻ khẩn cấp",
            facility=None,
            what=list(card.parts),
            since=card.issued_at,
            until=None,
            ends_with=None,
        )
    ]


async def end_all(tx: Tx, access: Access, *, trace_id: str, now: datetime) -> None:
    await turn_off(tx, access, trace_id=trace_id, now=now)


def link_of(origin: str, patient_id: UUID, secret: bytes) -> str:
    """The text of the card's QR code."""
    return f"{origin}{PAGE_PATH}#{write_token(patient_id.bytes, secret)}"


def link_of_card(keys: KeyRing, card: LiveCard, origin: str) -> str:
    """The same text again, for the person's own paper."""
    return link_of(origin, card.patient_id, _open_secret(keys, card))


async def _proven(
    tx: Tx,
    access: Access,
    parts: Sequence[Part],
    signed: Signed,
    environment: str,
    now: datetime,
    *,
    new_code: bool,
) -> Refused | None:
    actor = access.actor
    if actor.device_id is None:
        return Refused(problem=STEP_UP_REFUSED)
    text = canonical(card_text(actor, access.patient_id, parts, signed, environment, new_code=new_code))
    outcome = await verify_step_up(
        tx,
        access.patient_id,
        actor.device_id,
        CARD_TYP,
        text,
        signed.signature,
        now,
        environment=environment,
    )
    return outcome if isinstance(outcome, Refused) else None


async def _save(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    parts: Sequence[Part],
    secret: bytes,
    issued_at: datetime,
    now: datetime,
) -> None:
    patient_id = access.patient_id
    await queries.save_card(
        tx,
        patient_id,
        uuid7(now),
        parts=list(parts),
        secret_hash=digest(secret),
        secret_sealed=seal(keys, patient_id, "emergency_card", "secret_sealed", to_base64url(secret)),
        origins=sorted(access.origins),
        agreed_at=now,
        issued_at=issued_at,
    )


async def _saved(tx: Tx, patient_id: UUID, link: str | None) -> Saved:
    card = await queries.kept_card(tx, patient_id)
    assert card is not None
    return Saved(card=card, link=link)


async def _log(tx: Tx, access: Access, tag: str, trace_id: str, now: datetime) -> None:
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        tag,
        request_id=trace_id,
        now=now,
        on_behalf_of=access.on_behalf_of,
    )


def _open_secret(keys: KeyRing, card: LiveCard) -> bytes:
    text = unseal(keys, card.patient_id, "emergency_card", "secret_sealed", card.secret_sealed)
    secret = from_base64url(text)
    assert secret is not None
    assert len(secret) == SECRET_BYTES
    return secret
