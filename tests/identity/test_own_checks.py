"""Checks of an identity that the program makes itself: each is kept, used at once, and names nobody."""

from collections.abc import AsyncIterator

import httpx
import pytest

from identity.verification import service
from identity.verification.models import VerificationRow
from identity.verification.problems import VERIFICATION_REFUSED
from kernel.problems import Refused
from store.database import Store
from tests.support import entry
from tests.support.accounts import signed_up
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.people import make_doctor, make_facility, new_number


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


async def kept(store: Store, method: str, provider: str) -> VerificationRow:
    """The one result of a way to prove."""
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT verification_id, method, provider, level, purpose, consent_id, transaction_id, at"
            " FROM identity_verification WHERE method = $1 AND provider = $2",
            method,
            provider,
        )
    (row,) = rows
    return VerificationRow(*row)


async def is_spent(store: Store, row: VerificationRow, clock: FrozenClock) -> bool:
    async with store.transaction() as tx:
        done = await service.use(tx, row.verification_id, row.purpose, row.transaction_id, clock.now())  # type: ignore[arg-type]
    return done == Refused(problem=VERIFICATION_REFUSED)


async def test_two_staff_accounts_prove_whose_card_it_is(store: Store, clock: FrozenClock) -> None:
    facility = await make_facility(store, clock)
    desk = entry.Desk(
        facility=facility,
        first=await make_doctor(store, clock, facility, "clerk"),
        second=await make_doctor(store, clock, facility, "clerk"),
    )
    await entry.activation_code(store, clock, desk, entry.card())
    row = await kept(store, "manual_staff", str(facility.facility_id))
    assert (row.level, row.purpose, row.at) == (2, "enrolment", clock.now())
    assert await is_spent(store, row, clock)


async def test_s1_letters_to_a_phone_prove_no_person(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    await signed_up(client, store, clock, number=new_number())
    row = await kept(store, "otp_phone", "sms")
    assert (row.level, row.purpose) == (0, "sign-up")
    assert await is_spent(store, row, clock)
