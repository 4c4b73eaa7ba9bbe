"""Must show of S28: reconcile finds a stray signature, a row without one, and a log that was written anew."""

from datetime import timedelta
from uuid import UUID

import msgspec

from audit.chain import canonical, digest
from audit.models import AdminEntry
from audit.policy import utc_text
from healthbook.signing_jobs import SIGNATURES, arm_signing, look_through, signing_jobs
from kernel.ids import uuid7
from store.database import Store
from store.models import Due
from tests.support.clock import FrozenClock
from tests.support.dcc import ask, certificate_bytes
from tests.support.signing_process import RunningSigner
from vaccination.signer import queries
from vaccination.signer.models import SigningEntry
from vaccination.signer.reconciling import Reconciled, reconcile, sealed_heads

DAY = timedelta(days=1)


async def sign(store: Store, signer: RunningSigner, clock: FrozenClock) -> UUID:
    key = signer.of("hc1")
    data = certificate_bytes(key, clock.now())
    issuance, person = await ask(store, key, data, clock.now())
    await signer.sign(issuance, person, key.key_id, "cose", data)
    return issuance


async def looked(store: Store, clock: FrozenClock) -> Reconciled:
    """A quarter of an hour later, over the quarter."""
    since = clock.now()
    clock.advance(minutes=15)
    async with store.transaction() as tx:
        return await reconcile(tx, since, clock.now())


async def test_signatures_and_rows_are_the_same(
    store: Store, signer: RunningSigner, clock: FrozenClock
) -> None:
    clock.advance(days=1)
    for _ in range(3):
        await sign(store, signer, clock)
    key = signer.of("hc1")
    # One that was asked for and not signed is no fault.
    await ask(store, key, certificate_bytes(key, clock.now()), clock.now())
    found = await looked(store, clock)
    assert (found.signatures, found.rows, found.strays) == (3, 3, [])


async def test_s28_a_signature_without_a_row_is_found(
    store: Store, owner: Store, signer: RunningSigner, clock: FrozenClock
) -> None:
    """As the signer's own account could give one: its log shows it, and the rows do not."""
    clock.advance(days=2)
    await sign(store, signer, clock)
    stray, now = uuid7(clock.now()), clock.now()
    entry = canonical(
        SigningEntry(at=utc_text(now), issuance=stray, key=signer.of("hc1").key_id, sha256="00" * 32)
    )
    async with owner.transaction() as tx:
        await queries.APPEND.one(tx, digest(entry), now, stray, entry.decode())
    found = await looked(store, clock)
    assert [(one.fault, one.issuance_id) for one in found.strays] == [("no-row", stray)]


async def test_s28_a_row_that_was_changed_or_marked_by_others_is_found(
    store: Store, owner: Store, signer: RunningSigner, clock: FrozenClock
) -> None:
    clock.advance(days=3)
    changed = await sign(store, signer, clock)
    key = signer.of("hc1")
    marked, _ = await ask(store, key, certificate_bytes(key, clock.now()), clock.now())
    async with owner.transaction() as tx:
        await tx.execute(
            "UPDATE certificate_issuance SET to_sign_sha256 = sha256('') WHERE issuance_id = $1", changed
        )
        await tx.execute(
            "UPDATE certificate_issuance SET signed_at = $2 WHERE issuance_id = $1", marked, clock.now()
        )
    found = await looked(store, clock)
    assert {(one.fault, one.issuance_id) for one in found.strays} == {
        ("other-row", changed),
        ("no-entry", marked),
    }


async def test_s28_a_row_of_the_log_that_went_or_was_changed_is_found(
    store: Store, owner: Store, signer: RunningSigner, clock: FrozenClock
) -> None:
    clock.advance(days=4)
    issuances = [await sign(store, signer, clock) for _ in range(3)]
    async with owner.transaction() as tx:
        gone = await tx.fetchval(
            "DELETE FROM signing_event WHERE issuance_id = $1 RETURNING seq", issuances[1]
        )
    found = await looked(store, clock)
    assert ("broken-log", None, gone) in [(one.fault, one.issuance_id, one.seq) for one in found.strays]
    assert ("no-entry", issuances[1]) in [(one.fault, one.issuance_id) for one in found.strays]
    assert found.head is None


async def test_s28_a_log_written_anew_differs_from_the_heads_that_were_kept(
    fresh_store: Store, fresh_owner: Store, clock: FrozenClock
) -> None:
    """Each link fits, yet the night before another head stood in the operators' log."""

    async def append(store: Store, sha256: str) -> None:
        issuance = uuid7(clock.now())
        entry = canonical(
            SigningEntry(at=utc_text(clock.now()), issuance=issuance, key="hc1.0001", sha256=sha256)
        )
        async with store.transaction() as tx:
            await queries.APPEND.one(tx, digest(entry), clock.now(), issuance, entry.decode())

    await append(fresh_owner, "00" * 32)
    await append(fresh_owner, "11" * 32)
    clock.advance(hours=1)
    kept = (await look_through(fresh_owner, clock.now())).head
    assert kept is not None
    assert kept.seq == 2
    async with fresh_owner.transaction() as tx:
        assert await sealed_heads(tx) == [kept]
        await tx.execute("DELETE FROM signing_event")
        await tx.execute("DELETE FROM signing_head")
        assert [one.seq for one in (await reconcile(tx, clock.now() - DAY, clock.now())).strays] == [1]
    clock.advance(hours=-1)
    for _ in range(2):
        await append(fresh_owner, "22" * 32)
    clock.advance(hours=2)
    found = await look_through(fresh_owner, clock.now())
    assert ("broken-log", 2) in [(one.fault, one.seq) for one in found.strays]


async def test_s28_a_log_written_anew_while_nothing_is_signed_is_found_by_its_end_and_by_what_follows(
    fresh_store: Store, fresh_owner: Store, clock: FrozenClock
) -> None:
    async def append(sha256: str) -> None:
        issuance = uuid7(clock.now())
        entry = canonical(
            SigningEntry(at=utc_text(clock.now()), issuance=issuance, key="hc1.0001", sha256=sha256)
        )
        async with fresh_owner.transaction() as tx:
            await queries.APPEND.one(tx, digest(entry), clock.now(), issuance, entry.decode())

    await append("00" * 32)
    clock.advance(hours=1)
    await look_through(fresh_owner, clock.now())
    async with fresh_owner.transaction() as tx:
        await tx.execute("DELETE FROM signing_event")
        await tx.execute("DELETE FROM signing_head")
    await append("11" * 32)
    clock.advance(days=3)
    quiet = await look_through(fresh_owner, clock.now())
    assert [(one.fault, one.seq) for one in quiet.strays] == [("broken-log", 1)]
    await append("22" * 32)
    clock.advance(hours=1)
    found = await look_through(fresh_owner, clock.now())
    assert ("broken-log", 1) in [(one.fault, one.seq) for one in found.strays]


async def test_the_nights_look_keeps_the_head_and_says_what_does_not_fit(
    store: Store, signer: RunningSigner, clock: FrozenClock
) -> None:
    clock.advance(days=10)
    await sign(store, signer, clock)
    await arm_signing(store, clock)
    async with store.transaction() as tx:
        due = await tx.fetchrow("SELECT bucket, due_at, kind, ref FROM due_queue WHERE kind = $1", SIGNATURES)
    clock.set(due["due_at"])
    again = await signing_jobs(store, clock)[SIGNATURES](Due(*due))
    assert again == due["due_at"] + DAY
    async with store.transaction() as tx:
        last = await tx.fetchval("SELECT entry FROM admin_event ORDER BY seq DESC LIMIT 1")
    said = msgspec.json.decode(last, type=AdminEntry)
    assert said.what == "signing:head"
    assert len(said.reason) == 64
