"""Roots for everybody, and proofs and exports of one's own log for oneself."""

from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from audit import download
from audit.export import read_export, verify_export
from audit.roots.models import AuditRoots, LogProof, Pin
from audit.roots.verify import check_proof, check_roots
from audit.service import record_act
from ehr.intake.slots import ImportSlots
from healthbook.root_jobs import build_root
from kernel.ids import uuid7
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen

ROOTS = "/.well-known/audit-roots"
PROOF = "/v1/me/access-log/proof"
EXPORT = "/v1/me/access-log/export"


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


async def act(store: Store, clock: FrozenClock, citizen: Citizen, count: int) -> None:
    async with store.transaction() as tx:
        for _ in range(count):
            await record_act(
                tx, citizen.patient_id, citizen.actor, "consent:grant:use", request_id="r", now=clock.now()
            )


async def root(store: Store, clock: FrozenClock) -> None:
    clock.advance(minutes=1)
    assert await build_root(store, clock, clock.now() + timedelta(minutes=1))


async def get(
    store: Store, clock: FrozenClock, path: str, citizen: Citizen | None = None, **query: Any
) -> httpx.Response:
    async with client_of(store, clock) as client:
        return await client.get(path, params=query, headers=bearer(citizen.token) if citizen else {})


async def roots_of(store: Store, clock: FrozenClock, **query: Any) -> AuditRoots:
    answered = await get(store, clock, ROOTS, **query)
    assert answered.status_code == 200, answered.text
    return msgspec.json.decode(answered.content, type=AuditRoots)


async def proof_of(store: Store, clock: FrozenClock, citizen: Citizen, **query: Any) -> LogProof:
    answered = await get(store, clock, PROOF, citizen, **query)
    assert answered.status_code == 200, answered.text
    return msgspec.json.decode(answered.content, type=LogProof)


async def test_s25_every_row_below_a_root_is_proven_under_it(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    await act(store, clock, citizen, 7)
    await root(store, clock)
    await act(store, clock, citizen, 4)
    await root(store, clock)
    published = await roots_of(store, clock)
    assert check_roots([published], None) is None
    for seq in range(1, 12):
        proof = await proof_of(store, clock, citizen, seq=seq)
        assert (proof.seq, proof.leaf.seq) == (seq, 7 if seq <= 7 else 11)
        assert check_proof(proof, [published]) is None
        spoiled = msgspec.structs.replace(proof, h="00" * 32)
        assert check_proof(spoiled, [published]) is not None


async def test_s25_an_export_is_checked_offline_with_its_roots_and_again_with_what_was_kept(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    pin: Pin | None = None
    for turn in range(3):
        await act(store, clock, citizen, 3)
        await root(store, clock)
        query = {"root": pin.root.number} if pin and pin.root else {}
        exported = await get(store, clock, EXPORT, citizen, **query)
        assert exported.headers["content-type"] == "application/x-ndjson"
        published = await roots_of(store, clock)
        verdict = verify_export(read_export([exported.content]), pin, [published])
        assert verdict.broken is None, turn
        assert verdict.pin is not None
        assert verdict.pin.root is not None
        pin = verdict.pin


async def test_an_export_comes_in_pages_that_are_one(
    store: Store, clock: FrozenClock, citizen: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "ROWS_PER_PAGE", 4)
    await act(store, clock, citizen, 10)
    await root(store, clock)
    files, after = [], 0
    while True:
        page = await get(store, clock, EXPORT, citizen, after=after)
        files.append(page.content)
        last = msgspec.json.decode(page.content.splitlines()[-1])
        if "next" not in last:
            break
        after = last["next"]
    export = read_export(files)
    assert [row.seq for row in export.rows][:10] == list(range(1, 11))
    assert verify_export(export, None, [await roots_of(store, clock)]).broken is None


async def test_asking_for_a_proof_or_an_export_is_logged(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    await act(store, clock, citizen, 1)
    await root(store, clock)
    await proof_of(store, clock, citizen)
    exported = read_export([(await get(store, clock, EXPORT, citizen)).content])
    assert [item.action for item in exported.items] == ["consent:grant:use", "log:access:read"]


async def test_a_row_that_no_root_covers_is_none_and_so_is_one_that_never_was(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    for query in ({}, {"seq": 1}):
        answered = await get(store, clock, PROOF, citizen, **query)
        assert (answered.status_code, answered.json()["code"]) == (404, "not-rooted-yet")
        assert answered.headers["retry-after"] == "300"
    await act(store, clock, citizen, 1)
    await root(store, clock)
    assert (await proof_of(store, clock, citizen, seq=1)).seq == 1
    missing = await get(store, clock, PROOF, citizen, seq=900)
    assert missing.json()["code"] == "not-rooted-yet"
    unknown = await get(store, clock, PROOF, citizen, root=2**40)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no-such-root")
    assert (await get(store, clock, EXPORT, citizen, root=2**40)).json()["code"] == "no-such-root"


async def test_too_long_a_path_is_told_to_be_exported(
    store: Store, clock: FrozenClock, citizen: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.roots.proofs.PATH_MAX", 3)
    await act(store, clock, citizen, 6)
    await root(store, clock)
    assert (await proof_of(store, clock, citizen, seq=3)).path
    answered = await get(store, clock, PROOF, citizen, seq=2)
    assert (answered.status_code, answered.json()["code"]) == (422, "path-too-long")


async def test_roots_come_in_pages_from_any_number(
    store: Store, clock: FrozenClock, citizen: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.roots.proofs.PAGE", 5)
    for _ in range(14):
        await act(store, clock, citizen, 1)
        await root(store, clock)
    seen, since = [], 0
    while True:
        page = await roots_of(store, clock, since=since)
        seen += page.roots
        if page.next is None:
            break
        since = page.next
    assert [one.root.number for one in seen] == list(range(1, len(seen) + 1))
    assert check_roots([AuditRoots(keys=page.keys, roots=seen)], None) is None
    assert (await roots_of(store, clock, since=10**9)).roots == []


async def test_s33_proofs_are_made_one_at_a_time_for_each_person(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    async with client_of(store, clock) as client:
        # Another process is at it.
        async with ImportSlots("proof").of(store, clock, citizen.patient_id):
            for path in (PROOF, EXPORT):
                answered = await client.get(path, headers=bearer(citizen.token))
                assert (answered.status_code, answered.json()["code"]) == (429, "proof-busy")
                assert int(answered.headers["retry-after"]) > 0
        assert (await client.get(EXPORT, headers=bearer(citizen.token))).status_code == 200


async def test_nobody_proves_another_persons_log(store: Store, clock: FrozenClock, citizen: Citizen) -> None:
    other = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        for path in (PROOF, EXPORT):
            assert (await client.get(path)).status_code == 401
            headers = bearer(other.token) | {"X-Patient-Id": str(citizen.patient_id)}
            assert (await client.get(path, headers=headers)).status_code == 403


async def test_s25_public_roots_hold_no_number_of_a_person(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    await act(store, clock, citizen, 1)
    await root(store, clock)
    told = (await get(store, clock, ROOTS, since=0)).text
    assert str(citizen.patient_id) not in told
    assert citizen.patient_id.hex not in told
    proof = await proof_of(store, clock, citizen)
    assert proof.leaf.pseudonym not in told
    assert str(citizen.patient_id) not in msgspec.json.encode(proof).decode()
    assert uuid7(clock.now()).hex not in told


@pytest.mark.parametrize(
    ("path", "query"),
    [(ROOTS, {"since": "-1"}), (ROOTS, {"since": "x"}), (PROOF, {"seq": "0"}), (EXPORT, {"after": "-1"})],
)
async def test_a_wrong_parameter_is_a_problem(
    store: Store, clock: FrozenClock, citizen: Citizen, path: str, query: dict[str, str]
) -> None:
    answered = await get(store, clock, path, citizen, **query)
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid-field")
