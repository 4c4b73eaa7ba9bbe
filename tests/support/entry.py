"""The steps of a sign-in and of an activation, as the controllers take them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from identity import activation, sign_in, staff
from identity.activation import ActivationCode, CardSeen, Proposed
from identity.devices import NewDevice
from identity.models import Facility
from identity.passwords import POOL
from identity.sessions import Tokens
from identity.sign_in import SignedIn, SignInStarted
from kernel.problems import Refused
from store.database import Store, Tx
from store.keys import KeyRing
from tests.support.clock import FrozenClock
from tests.support.people import Doctor, new_number
from tests.support.phone import Phone


def code_of(answer: object) -> str | None:
    """The problem code of a refusal."""
    return answer.problem.code if isinstance(answer, Refused) else None


async def start(
    store: Store, clock: FrozenClock, kind: str, value: str, network: str = "test"
) -> SignInStarted | Refused:
    assert kind in {"number", "phone"}
    async with store.transaction() as tx:
        return await sign_in.start(
            tx, store.keys, "number" if kind == "number" else "phone", value, network, clock.now()
        )


async def delivered(store: Store, clock: FrozenClock, challenge_id: str) -> str | None:
    """The letters that the worker would send; None when it would send nothing."""
    async with store.transaction() as tx:
        found = await sign_in.sign_in_code_for_delivery(
            tx, store.keys, sign_in.event_reference(challenge_id), clock.now()
        )
    return None if found is None else found.code


async def verify(
    store: Store,
    clock: FrozenClock,
    challenge_id: str,
    code: str,
    pin: str | None,
    device: NewDevice | None = None,
) -> SignedIn | Refused:
    device = device or Phone().new_device(challenge_id)
    async with store.transaction() as tx:
        pending = await sign_in.charge_code(tx, store.keys, challenge_id, code, clock.now())
    if isinstance(pending, Refused):
        return pending
    held = await sign_in.pin_holds(store.keys, pending, pin)
    async with store.transaction() as tx:
        return await sign_in.finish(tx, store.keys, pending, held, device, request_id="r", now=clock.now())


async def always(_tx: Tx, _patient_id: UUID, _facility_id: UUID, _now: datetime) -> bool:
    return True


async def never(_tx: Tx, _patient_id: UUID, _facility_id: UUID, _now: datetime) -> bool:
    return False


async def typed(_tx: Tx, _keys: KeyRing, _number: str, _facility_id: UUID, _now: datetime) -> bool:
    return True


async def not_typed(_tx: Tx, _keys: KeyRing, _number: str, _facility_id: UUID, _now: datetime) -> bool:
    return False


@dataclass(kw_only=True)
class Desk:
    """Two members of staff of one facility."""

    facility: Facility
    first: Doctor
    second: Doctor


DESK_PHONE = "0909 000 111"


def card(
    number: str | None = None,
    phone: str = DESK_PHONE,
    *,
    card_seen: bool = True,
    name: str = "Lê Thị Quầy",
) -> CardSeen:
    return CardSeen(
        number=number or new_number(),
        name=name,
        birth_date="1990-05-06",
        sex="female",
        phone=phone,
        card_seen=card_seen,
    )


async def propose(
    store: Store, clock: FrozenClock, by: Doctor, seen: CardSeen, *, arrived: bool = True, known: bool = True
) -> Proposed | Refused:
    """known: the desk typed the number today, or somebody has it."""
    async with store.transaction() as tx:
        return await activation.propose(
            tx,
            store.keys,
            by.actor,
            seen,
            always if arrived else never,
            typed if arrived and known else not_typed,
            request_id="r",
            now=clock.now(),
        )


async def confirm(
    store: Store, clock: FrozenClock, by: Doctor, activation_id: UUID, *, arrived: bool = True
) -> ActivationCode | Refused:
    async with store.transaction() as tx:
        return await activation.confirm(
            tx,
            store.keys,
            by.actor,
            activation_id,
            True,
            always if arrived else never,
            request_id="r",
            now=clock.now(),
        )


async def activation_code(store: Store, clock: FrozenClock, desk: Desk, seen: CardSeen) -> str:
    proposed = await propose(store, clock, desk.first, seen)
    assert isinstance(proposed, Proposed)
    issued = await confirm(store, clock, desk.second, proposed.activation_id)
    assert isinstance(issued, ActivationCode)
    return issued.code


async def redeem(
    store: Store,
    clock: FrozenClock,
    code: str,
    pin: str = "284193",
    phone: Phone | None = None,
    *,
    typed: str = DESK_PHONE,
    network: str = "test",
) -> SignedIn | Refused:
    """typed: the number that the person types in the app."""
    device = (phone or Phone()).new_device(code)
    async with store.transaction() as tx:
        pending = await activation.use_code(tx, store.keys, code, typed, pin, device, network, clock.now())
    if isinstance(pending, Refused):
        return pending
    pin_hash = await activation.hash_pin(store.keys, pending, pin)
    async with store.transaction() as tx:
        done = await activation.finish(
            tx, store.keys, pending, pin_hash, device, request_id="r", now=clock.now()
        )
    if phone is not None and isinstance(done, SignedIn):
        phone.enrolled(done.patient_id, done.enrolled)
    return done


async def staff_sign_in(
    store: Store, clock: FrozenClock, username: str, password: str, totp: str, network: str = "test"
) -> staff.StaffSignedIn | Tokens | Refused:
    with POOL.expected():
        async with store.transaction() as tx:
            pending = await staff.charge_account(
                tx, store.keys, "practitioner", username, network, clock.now()
            )
    if isinstance(pending, Refused):
        return pending
    held = await staff.password_holds(store.keys, pending, password)
    async with store.transaction() as tx:
        return await staff.finish_practitioner(tx, store.keys, pending, held, totp, None, clock.now())
