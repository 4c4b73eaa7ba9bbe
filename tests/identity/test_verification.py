"""Results of identity checks: kept for ever, used once, by whoever asked (vietnam.md §8)."""

import asyncio
import secrets

import asyncpg
import pytest

from identity.tokens import to_base64url
from identity.verification import service
from identity.verification.models import Proven, VerificationRow, Verified
from identity.verification.problems import VERIFICATION_LEVEL_LOW, VERIFICATION_REFUSED
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.verifying import Asking, begin, claim, come_back, opened_somewhere, uses

NO = Refused(problem=VERIFICATION_REFUSED)
PERSON = Verified(
    level=2, number="001190000017", name="Nguyễn Thị Thử", birth_date="1990-02-28", sex="female"
)


async def receipt_of(store: Store, clock: FrozenClock, asking: Asking, result: Verified | Refused) -> str:
    opened = opened_somewhere(clock)
    await begin(store, clock, opened, asking)
    receipt = await come_back(store, clock, opened.state, result)
    assert isinstance(receipt, str)
    return receipt


async def test_who_asked_gets_what_the_provider_said_once(store: Store, clock: FrozenClock) -> None:
    asking = Asking()
    receipt = await receipt_of(store, clock, asking, PERSON)
    proven = await claim(store, clock, receipt, asking.kept)
    assert isinstance(proven, Proven)
    assert proven.person == PERSON
    assert await uses(store, proven.verification_id) == 1
    assert await claim(store, clock, receipt, asking.kept) == NO


async def test_two_claims_at_once_use_it_once(store: Store, clock: FrozenClock) -> None:
    asking = Asking()
    receipt = await receipt_of(store, clock, asking, PERSON)
    done = await asyncio.gather(*(claim(store, clock, receipt, asking.kept) for _ in range(8)))
    assert sum(isinstance(one, Proven) for one in done) == 1
    assert done.count(NO) == 7


async def test_the_starter_alone_and_the_browser_alone_get_nothing(store: Store, clock: FrozenClock) -> None:
    asking, other = Asking(), Asking()
    receipt = await receipt_of(store, clock, asking, PERSON)
    # The one that sent somebody else to the provider has the secret and no receipt.
    guessed = to_base64url(uuid7(clock.now()).bytes + secrets.token_bytes(32))
    assert await claim(store, clock, guessed, asking.kept) == NO
    # The one that caught the receipt has no secret, and the receipt is spent.
    assert await claim(store, clock, receipt, other.kept) == NO
    assert await claim(store, clock, receipt, asking.kept) == NO


@pytest.mark.parametrize("text", ["", "x", "A" * 64, "A" * 5000, "é", "====", "\x00"])
async def test_no_text_of_anybody_is_a_receipt_a_secret_or_a_state(
    store: Store, clock: FrozenClock, text: str
) -> None:
    asking = Asking()
    receipt = await receipt_of(store, clock, asking, PERSON)
    assert await claim(store, clock, text, asking.kept) == NO
    assert await claim(store, clock, receipt, text) == NO
    assert await come_back(store, clock, text, PERSON) == NO


async def test_a_result_serves_no_other_purpose_and_no_other_transaction(
    store: Store, clock: FrozenClock
) -> None:
    asking = Asking()
    receipt = await receipt_of(store, clock, asking, PERSON)
    assert await claim(store, clock, receipt, asking.kept, transaction_id=uuid7(clock.now())) == NO
    assert await claim(store, clock, receipt, asking.kept, purpose="connect") == NO
    assert await claim(store, clock, receipt, asking.kept) == NO


async def test_ten_minutes_are_the_end_of_state_receipt_and_result(store: Store, clock: FrozenClock) -> None:
    asking = Asking()
    first, late = await receipt_of(store, clock, asking, PERSON), opened_somewhere(clock)
    last = await receipt_of(store, clock, asking, PERSON)
    await begin(store, clock, late, asking)
    clock.advance(minutes=9, seconds=59)
    assert isinstance(await claim(store, clock, first, asking.kept), Proven)
    clock.advance(seconds=1)
    assert await claim(store, clock, last, asking.kept) == NO
    assert await come_back(store, clock, late.state, PERSON) == NO


async def test_a_page_of_ours_takes_its_receipt_within_a_minute(store: Store, clock: FrozenClock) -> None:
    asking = Asking()
    for seconds, right in ((59, True), (60, False)):
        opened = opened_somewhere(clock)
        await begin(store, clock, opened, asking, "connect", return_to="/connect/verified")
        receipt = await come_back(store, clock, opened.state, PERSON)
        assert isinstance(receipt, str)
        clock.advance(seconds=seconds)
        done = await claim(store, clock, receipt, asking.kept, "connect")
        assert isinstance(done, Proven) is right


async def test_a_state_serves_once_and_a_no_looks_like_a_yes(store: Store, clock: FrozenClock) -> None:
    asking, addresses = Asking(), []
    for result in (PERSON, Verified(level=0), NO):
        opened = opened_somewhere(clock)
        await begin(store, clock, opened, asking)
        async with store.transaction() as tx:
            taken = await service.take(tx, store.keys, opened.state, clock.now())
            assert not isinstance(taken, Refused)
            assert taken[1] == "kept"
            assert await service.take(tx, store.keys, opened.state, clock.now()) == NO
            addresses.append((await service.conclude(tx, store.keys, taken[0], result, clock.now())).address)
    assert {(len(one), one.partition("receipt=")[0]) for one in addresses} == {
        (len(addresses[0]), "vn.example.ssk:/verified#")
    }


async def test_what_proves_too_little_is_used_up_and_opens_nothing(store: Store, clock: FrozenClock) -> None:
    asking = Asking()
    for level in (0, 1):
        receipt = await receipt_of(store, clock, asking, Verified(level=level, number="001190000017"))
        assert await claim(store, clock, receipt, asking.kept) == Refused(problem=VERIFICATION_LEVEL_LOW)
        assert await claim(store, clock, receipt, asking.kept) == NO
    refused = await receipt_of(store, clock, asking, NO)
    assert await claim(store, clock, refused, asking.kept, level_min=0) == NO


async def checked(store: Store, clock: FrozenClock) -> VerificationRow:
    async with store.transaction() as tx:
        return await service.append(
            tx,
            method="manual_staff",
            provider="a facility",
            level=2,
            purpose="enrolment",
            transaction_id=uuid7(clock.now()),
            now=clock.now(),
        )


async def test_the_programs_own_checks_serve_once_as_well(store: Store, clock: FrozenClock) -> None:
    row = await checked(store, clock)
    async with store.transaction() as tx:
        for wrong in (
            (uuid7(clock.now()), "enrolment", row.transaction_id, clock.now()),
            (row.verification_id, "connect", row.transaction_id, clock.now()),
            (row.verification_id, "enrolment", uuid7(clock.now()), clock.now()),
            (row.verification_id, "enrolment", row.transaction_id, clock.now() + service.LIFE),
        ):
            assert await service.use(tx, *wrong) == NO  # type: ignore[arg-type]
        right = (row.verification_id, "enrolment", row.transaction_id, clock.now())
        assert await service.use(tx, *right) == row  # type: ignore[arg-type]
        assert await service.use(tx, *right) == NO  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE identity_verification SET level = 2 WHERE verification_id = $1",
        "DELETE FROM identity_verification WHERE verification_id = $1",
        "UPDATE identity_verification_use SET used_at = now() WHERE verification_id = $1",
        "DELETE FROM identity_verification_use WHERE verification_id = $1",
    ],
)
async def test_no_role_of_the_program_changes_or_takes_away_a_result(
    store: Store, clock: FrozenClock, statement: str
) -> None:
    row = await checked(store, clock)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with store.transaction() as tx:
            await tx.execute(statement, row.verification_id)


async def test_what_is_kept_names_nobody(store: Store, clock: FrozenClock) -> None:
    asking = Asking()
    receipt = await receipt_of(store, clock, asking, PERSON)
    async with store.transaction() as tx:
        texts = [
            str(dict(row))
            for table in ("identity_transaction", "identity_verification")
            for row in await tx.fetch(f"SELECT * FROM {table}")
        ]
    assert texts
    for secret in ("001190000017", "Nguyễn", "1990-02-28", receipt, asking.kept, asking.secret.hex()):
        assert not any(secret in text for text in texts)


@pytest.mark.parametrize("challenge", ["", "x", "A" * 42, "A" * 44, "not base64!"])
async def test_a_transaction_needs_the_hash_of_a_secret(
    store: Store, clock: FrozenClock, challenge: str
) -> None:
    async with store.transaction() as tx:
        done = await service.begin(
            tx,
            store.keys,
            opened_somewhere(clock),
            purpose="enrolment",
            secret_challenge=challenge,
            return_to="/connect",
            now=clock.now(),
        )
    assert done == Refused(problem=VERIFICATION_REFUSED, where="secret_challenge")
