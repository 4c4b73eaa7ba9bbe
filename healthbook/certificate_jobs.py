"""The worker's part in certificates: they follow their doses, are signed outside any transaction, and are
renewed before they end."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from identity.merges.aliases import origins_of
from kernel.clock import Clock
from kernel.problems import Refused
from store.database import Store, Tx
from store.keys import KeyRing
from store.models import Due, Event
from store.outbox import emit
from vaccination.certificates import following, issuing
from vaccination.certificates.issuing import RENEWAL, SIGNER_AGAIN, SIGNING, ToSign
from vaccination.shc import following as cards
from vaccination.signer.ports import Signer

Ref: TypeAlias = dict[str, str]
Say: TypeAlias = Callable[[Tx, KeyRing, Event, Ref, datetime], Awaitable[None]]


async def follow_doses(tx: Tx, keys: KeyRing, event: Event, _ref: Ref, now: datetime) -> None:
    """Doses of a book changed or went: those of whoever was merged into its person too."""
    owners = (*sorted(await origins_of(tx, event.patient_id)), event.patient_id)
    for owner in owners:
        await following.follow(tx, keys, owner, now)
    for owner in owners:
        await cards.follow(tx, keys, owner, now)


def and_follow_cards(say: Say) -> Say:
    """What was another person's goes back to that person: no card of this one speaks of it any more."""

    async def say_and_follow(tx: Tx, keys: KeyRing, event: Event, ref: Ref, now: datetime) -> None:
        await say(tx, keys, event, ref, now)
        await cards.follow(tx, keys, event.patient_id, now)

    return say_and_follow


def certificate_jobs(
    store: Store, clock: Clock, signer: Signer | None
) -> Mapping[str, Callable[[Due], Awaitable[datetime | None]]]:
    """The jobs by kind; ref: person and certificate."""

    async def have_signed(due: Due) -> datetime | None:
        patient_id, certificate_id = _ids(due)
        async with store.transaction() as tx:
            one = await issuing.waiting(tx, store.keys, patient_id, certificate_id)
            one = one or await following.begin_again(tx, store.keys, patient_id, certificate_id, clock.now())
            is_other = one is not None and one.certificate_id != certificate_id
            if one is not None and is_other:
                # It has a timer of its own from here on, should this process die.
                await issuing.have_signed(tx, one, clock.now() + SIGNER_AGAIN)
        is_done = one is None or await _sign(one, None) or is_other
        return None if is_done else clock.now() + SIGNER_AGAIN

    async def renew(due: Due) -> datetime | None:
        patient_id, certificate_id = _ids(due)
        async with store.transaction() as tx:
            begun = await following.begin_renewal(tx, store.keys, patient_id, certificate_id, clock.now())
        if isinstance(begun, ToSign):
            if await _sign(begun, "vaccination.certificate-renewed"):
                return None
            async with store.transaction() as tx:
                await following.tell_of_end(tx, patient_id, certificate_id, clock.now())
            return _tomorrow()
        return _tomorrow() if begun == "later" else None

    async def _sign(one: ToSign, event: str | None) -> bool:
        signature = await issuing.sign(signer, one)
        async with store.transaction() as tx:
            made = await issuing.complete(tx, store.keys, one, signature, clock.now())
            if isinstance(made, Refused):
                return False
            if event is not None:
                ref = {"certificate_id": str(one.certificate_id)}
                await emit(tx, one.patient_id, event, ref, clock.now())
        return True

    def _tomorrow() -> datetime:
        return clock.now() + following.AGAIN

    return {SIGNING: have_signed, RENEWAL: renew}


def _ids(due: Due) -> tuple[UUID, UUID]:
    person, _, certificate = due.ref.partition(":")
    return UUID(person), UUID(certificate)
