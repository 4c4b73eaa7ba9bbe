"""One unbroken chain per person, written in one statement, whatever comes at the same time."""

import asyncio
from uuid import UUID

import asyncpg
import msgspec
import pytest

from audit import queries
from audit.chain import GENESIS, body_digest, digest, link
from audit.models import LogRow
from audit.service import record_act, record_admin_event, record_read
from audit.verify import ExportRow, export_rows, verify_admin_rows, verify_rows
from kernel.access import Actor, mint_access
from kernel.ids import uuid7
from store.database import Store
from tests.support.clock import START, FrozenClock


def doctor(name: str = "Nguyễn Văn A") -> Actor:
    return Actor(
        kind="practitioner",
        actor_id=uuid7(START),
        practitioner_role_id=uuid7(START),
        role="doctor",
        name=name,
        licence="000123/HNO-CCHN",
        facility_id=uuid7(START),
        facility_name="Bệnh viện Đống Đa",
    )


async def rows_of(store: Store, patient_id: UUID) -> list[LogRow]:
    async with store.transaction() as tx:
        return await queries.export(tx, patient_id, after_seq=0, limit=10_000)


async def append_acts(store: Store, patient_id: UUID, count: int) -> list[ExportRow]:
    async with store.transaction() as tx:
        for _ in range(count):
            await record_act(
                tx, patient_id, doctor(), "consent:request:create", request_id=str(uuid7(START)), now=START
            )
    return export_rows(await rows_of(store, patient_id))


async def test_postgres_and_python_make_the_same_link(store: Store, clock: FrozenClock) -> None:
    patient_id = uuid7(clock.now())
    await append_acts(store, patient_id, 3)
    prev = GENESIS
    for seq, row in enumerate(await rows_of(store, patient_id), start=1):
        assert (row.seq, row.prev) == (seq, prev)
        assert row.h == link(prev, seq, digest(row.entry.encode()))
        prev = row.h


async def test_300_concurrent_appends_on_one_person_leave_one_unbroken_chain(
    store: Store, clock: FrozenClock
) -> None:
    patient_id = uuid7(clock.now())

    async def one() -> None:
        async with store.transaction() as tx:
            await record_act(
                tx, patient_id, doctor(), "consent:grant:use", request_id=str(uuid7(START)), now=START
            )

    await asyncio.gather(*(one() for _ in range(300)))
    rows = export_rows(await rows_of(store, patient_id))
    assert [row.seq for row in rows] == list(range(1, 301))
    assert verify_rows(rows) is None


async def test_rolled_back_decision_leaves_no_gap(store: Store, clock: FrozenClock) -> None:
    patient_id = uuid7(clock.now())
    await append_acts(store, patient_id, 2)

    async def fails_after_the_row() -> None:
        async with store.transaction() as tx:
            await record_act(tx, patient_id, doctor(), "consent:grant:use", request_id="r", now=START)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails_after_the_row()
    rows = await append_acts(store, patient_id, 1)
    assert [row.seq for row in rows] == [1, 2, 3]
    assert verify_rows(rows) is None


async def test_a_read_row_names_person_grant_resources_and_the_salted_digest(
    store: Store, clock: FrozenClock
) -> None:
    patient_id, grant_id = uuid7(clock.now()), uuid7(clock.now())
    access = mint_access(
        patient_id=patient_id,
        actor=doctor(),
        action="read-summary",
        purpose="TREAT",
        basis="grant",
        basis_id=grant_id,
        basis_version=2,
    )
    async with store.transaction() as tx:
        await record_read(
            tx,
            access,
            resources=[("Observation", "o1"), ("AllergyIntolerance", "a1"), ("Observation", "o2")],
            body=b"the answer",
            outcome="ok",
            request_id="req-1",
            now=clock.now(),
        )
    (row,) = await rows_of(store, patient_id)
    (exported,) = export_rows([row])
    entry = exported.row
    assert entry["grant"] == {"id": str(grant_id), "version": 2}
    assert entry["resources"] == {"Observation": ["o1", "o2"], "AllergyIntolerance": ["a1"]}
    assert entry["count"] == 3
    assert entry["body_sha256"] == body_digest(row.salt, b"the answer")
    assert entry["actor"]["id"] == str(access.actor.actor_id)
    assert (entry["outcome"], entry["request_id"], entry["purpose"]) == ("ok", "req-1", "TREAT")


async def test_s25_equal_answers_have_different_digests(store: Store, clock: FrozenClock) -> None:
    patient_id = uuid7(clock.now())
    access = mint_access(
        patient_id=patient_id, actor=doctor(), action="read-section", purpose="TREAT", basis="grant"
    )
    async with store.transaction() as tx:
        for outcome in ("ok", "unchanged"):
            await record_read(
                tx, access, resources=[], body=b"{}", outcome=outcome, request_id="r", now=clock.now()
            )
    first, second = export_rows(await rows_of(store, patient_id))
    assert first.row["body_sha256"] != second.row["body_sha256"]
    assert second.row["outcome"] == "unchanged"


async def test_s27_no_name_or_licence_inside_the_hashed_row(store: Store, clock: FrozenClock) -> None:
    patient_id = uuid7(clock.now())
    await append_acts(store, patient_id, 1)
    (row,) = await rows_of(store, patient_id)
    assert "Nguyễn" not in row.entry
    assert "CCHN" not in row.entry
    assert "Đống Đa" not in row.entry
    (exported,) = export_rows([row])
    assert verify_rows([exported]) is None
    changed = msgspec.structs.replace(exported, actor_name="Trần Văn B")
    broken = verify_rows([changed])
    assert broken is not None
    assert broken.reason == "name-does-not-match"


@pytest.mark.parametrize("table", ["access_log", "admin_event"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET seq = seq", "DELETE FROM {}", "TRUNCATE {}"])
async def test_s21_the_program_cannot_change_what_it_logged(store: Store, table: str, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with store.transaction() as tx:
            await tx.execute(statement.format(table))


async def test_s26_operators_share_one_chain(store: Store, clock: FrozenClock) -> None:
    async def one(number: int) -> None:
        async with store.transaction() as tx:
            await record_admin_event(tx, "op-1", "admin:facility:create", "opening", number, clock.now())

    await asyncio.gather(*(one(number) for number in range(20)))
    async with store.transaction() as tx:
        rows = await queries.admin_export(tx, after_seq=0, limit=100)
    assert len(rows) == 20
    assert verify_admin_rows(rows) is None
