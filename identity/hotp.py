"""The eight digits of tier C: HOTP of a device's secret, computed for the counters a caller names."""

import base64
from datetime import datetime
from uuid import UUID

import pyotp
from msgspec import Struct

from identity import queries
from identity.tokens import from_base64url
from store.database import Tx
from store.fields import unseal
from store.keys import KeyRing

DIGITS = 8


class HotpAnswer(Struct, frozen=True, kw_only=True):
    """What one live device answers to one counter."""

    device_id: UUID
    probation: bool
    digits: str


async def hotp_answers(
    tx: Tx, keys: KeyRing, patient_id: UUID, counters: list[int], now: datetime
) -> list[HotpAnswer]:
    """Each live device's answer to each counter; one statement, also for a person who does not exist."""
    found: list[HotpAnswer] = []
    for device in await queries.USABLE_DEVICES.all(tx, patient_id):
        secret = unseal(keys, patient_id, "device", "hotp_secret", device.hotp_secret)
        found += [
            HotpAnswer(device_id=device.device_id, probation=device.probation_until > now, digits=digits)
            for digits in (hotp_at(secret, counter) for counter in counters)
        ]
    return found


def hotp_at(secret: str, counter: int) -> str:
    """RFC 4226 with SHA-1 and 8 digits; `secret` base64url as handed out at the enrolment."""
    raw = from_base64url(secret)
    assert raw is not None
    return pyotp.HOTP(base64.b32encode(raw).decode(), digits=DIGITS).at(counter)
