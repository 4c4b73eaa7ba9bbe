"""Opening a person's book on a device, after a proof of who it is: a desk's code or an identity provider."""

from datetime import datetime
from typing import Final
from uuid import UUID

from audit.service import record_act
from identity import devices, phones, queries, sessions
from identity.devices import BrowserOrigin, NewDevice
from identity.sign_in import SignedIn
from identity.undo import keep_replaced
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing

PERSON_LEVEL: Final = 2


async def open_book(
    tx: Tx,
    keys: KeyRing,
    patient_id: UUID,
    device: NewDevice,
    challenge: str,
    *,
    pin_hash: str,
    phone_number: str | None,
    in_presence: bool,
    request_id: str,
    now: datetime,
    origin: BrowserOrigin | None,
) -> SignedIn | Refused:
    """Enrol the device on probation, set the PIN, make the phone the login phone, open the session.

    What is replaced can be put back from an older device for 72 hours (identity/undo.py). phone_number: None
    leaves the login phone as it is. in_presence: the oldest of five devices ends for this one. A proof
    from afar ends none: new devices in a row would leave nobody who is told and can cancel.
    """
    if in_presence:
        await devices.make_room(
            tx, patient_id, device, challenge, request_id=request_id, now=now, origin=origin
        )
    enrolled = await devices.enrol(tx, keys, patient_id, device, challenge, now, origin)
    if isinstance(enrolled, Refused):
        return enrolled
    await keep_replaced(tx, patient_id, enrolled.device_id, now)
    await queries.UPSERT_PIN.run(tx, patient_id, pin_hash, now)
    await queries.RAISE_LEVEL.run(tx, patient_id, PERSON_LEVEL)
    if phone_number is not None:
        await phones.make_login(tx, keys, patient_id, phone_number, now)
    if in_presence:
        await devices.log_enrolment(tx, patient_id, enrolled, request_id, now)
    else:
        # Also of a device that came back: PIN and phone are others now.
        by = Actor(kind="citizen", actor_id=patient_id, device_id=enrolled.device_id)
        act = "identity:account:open" if phone_number is None else "identity:account:open-with-phone"
        await record_act(tx, patient_id, by, act, request_id=request_id, now=now)
    tokens = await sessions.open_citizen_session(tx, patient_id, enrolled.device_id, now)
    return SignedIn(patient_id=patient_id, enrolled=enrolled, tokens=tokens)
