"""Signing up and changing an account over HTTP, as an app does it."""

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import msgspec

from identity.accounts import proofs
from identity.devices import Enrolled
from identity.sign_in import event_reference
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer
from tests.support.people import Citizen, new_phone_number
from tests.support.phone import Phone, base64url

PIN = "284193"
# What texts are signed for over HTTP where no demo runs.
ENVIRONMENT = "production"


async def letters(store: Store, clock: FrozenClock, challenge_id: str) -> str | None:
    """The letters that the worker would send to the phone; None when it would send nothing."""
    async with store.transaction() as tx:
        found = await proofs.code_for_delivery(tx, store.keys, event_reference(challenge_id), clock.now())
    return None if found is None else found.code


@dataclass(kw_only=True)
class Account:
    """An account of level 0 on its first phone."""

    patient_id: str
    token: str
    phone: Phone
    number: str

    @property
    def headers(self) -> dict[str, str]:
        return bearer(self.token)


async def signed_up(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    *,
    own: str | None = None,
    phone: Phone | None = None,
    **said: Any,
) -> Account:
    """Through both steps. own: the phone's number. said: what the person says of oneself."""
    own, phone = own or new_phone_number(), phone or Phone()
    started = await client.post("/v1/auth/sign-up/start", json={"phone": own})
    assert started.status_code == 202, started.text
    challenge = started.json()["challenge_id"]
    body = finish_body(challenge, await letters(store, clock, challenge) or "", phone, **said)
    done = await client.post("/v1/auth/sign-up/finish", json=body)
    assert done.status_code == 201, done.text
    return account_of(done.json(), phone, own)


def finish_body(challenge: str, code: str, phone: Phone, **said: Any) -> dict[str, Any]:
    return {
        "challenge_id": challenge,
        "code": code,
        "pin": PIN,
        "said": {"name": "Người Tự Khai"} | said,
        "device": msgspec.to_builtins(phone.new_device(challenge)),
    }


def account_of(made: dict[str, Any], phone: Phone, own: str) -> Account:
    phone.enrolled(
        UUID(made["patient_id"]),
        msgspec.convert(
            {name: made[name] for name in ("device_id", "hotp_secret", "probation_until")}, type=Enrolled
        ),
    )
    return Account(patient_id=made["patient_id"], token=made["access_token"], phone=phone, number=own)


def signed_act(whose: Citizen | Account, typ: str, clock: FrozenClock, **facts: str) -> dict[str, Any]:
    """The `signed` member of an act by that person's device."""
    return _signed(whose, whose.phone.act(typ, facts, clock.now(), environment=ENVIRONMENT))


def signed_pin(whose: Citizen | Account, pin: str, clock: FrozenClock) -> dict[str, Any]:
    """The same for a new PIN, which the text names by a digest with the nonce."""
    nonce = base64url(b"n" * 16 + str(clock.now()).encode()[-10:] + pin.encode())
    digest = base64url(hashlib.sha256(f"{nonce}.{pin}".encode()).digest())
    facts = {"pin_sha256": digest}
    return _signed(
        whose, whose.phone.act("change-pin", facts, clock.now(), nonce=nonce, environment=ENVIRONMENT)
    )


def _signed(whose: Citizen | Account, text: bytes) -> dict[str, Any]:
    said = msgspec.json.decode(text)
    signature = whose.phone.step_up_key.sign(text)
    return {"nonce": said["nonce"], "iat": said["iat"], "exp": said["exp"], "signature": signature}
