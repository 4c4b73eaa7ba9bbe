"""Erasing a person: all of it, whatever kills the job, and nobody else's."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from msgspec.structs import replace

from consent.approval import Signed
from consent.decision import decide
from consent.rights import erasing, queries, service
from consent.rights.models import Erasure
from consent.rights.problems import ERASURE_WAITS, NO_ERASURE
from consent.rights.service import CLOSE_TYP, ERASE_TYP
from consent.step_up import act_text
from identity import people, sessions
from identity.app_clients import sessions as sessions_of_apps
from identity.deaths import service as deaths
from identity.registry.models import MergeBody
from kernel.access import Access, RecordType
from kernel.problems import Refused
from store.blobs import BlobMissingError, BlobStore
from store.database import Store
from store.journal import read_lines, write_out
from store.journal_files import DirectoryJournal
from store.keys import KeyRing
from store.person_tables import TABLES
from store.postgres import Server
from tests.support import consent as steps
from tests.support.cases import make_place, open_case, send
from tests.support.clock import FrozenClock
from tests.support.oauth import app_tokens, let_in, make_app
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility, make_person
from tests.support.phone import base64url
from tests.support.registry import confirm, make_officers, merged, propose, separated
from tests.support.restored import Own, own_database

ENVIRONMENT = steps.ENVIRONMENT


@pytest.fixture
async def own(
    server: Server, make_database: Callable[[], Awaitable[str]], keys: KeyRing, blobs: BlobStore
) -> AsyncIterator[Own]:
    async with own_database(server, make_database, keys, blobs) as both:
        yield both


@pytest.fixture
def files(tmp_path: Path) -> DirectoryJournal:
    return DirectoryJournal(tmp_path / "journal")


class Lived(NamedTuple):
    citizen: Citizen
    blob: UUID


async def lived(store: Store, clock: FrozenClock) -> Lived:
    """A person with a record, a grant, a case and a file."""
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    await steps.granted(store, clock, doctor, citizen)
    assert isinstance(await steps.read(store, clock, doctor, citizen.patient_id), Access)
    place = await make_place(store, clock, citizen)
    await send(store, place, "kham", "2026-10-01", clock.now())
    await open_case(store, place, "correction", clock.now(), item_id=place.id_of("kham-c"))
    blob = await store.blobs.put(citizen.patient_id, b"%PDF-1.7 mot tai lieu")
    return Lived(citizen, blob.blob_id)


async def access_of(store: Store, clock: FrozenClock, citizen: Citizen, action: Any) -> Access:
    async with store.transaction() as tx:
        found = await decide(
            tx, citizen.actor, citizen.patient_id, action, "PATRQT", clock.now(), keys=store.keys
        )
    assert isinstance(found, Access)
    return found


def signed(
    citizen: Citizen, access: Access, typ: str, clock: FrozenClock, *, refresh: bool = False
) -> Signed:
    instant = int(clock.now().timestamp())
    draft = Signed(nonce=base64url(secrets.token_bytes(16)), iat=instant, exp=instant + 120, signature="")
    key = citizen.phone.refresh_key if refresh else citizen.phone.step_up_key
    signature = key.sign(act_text(access, typ, {}, draft, ENVIRONMENT))
    return Signed(nonce=draft.nonce, iat=draft.iat, exp=draft.exp, signature=signature)


async def ask(store: Store, clock: FrozenClock, citizen: Citizen, **key: bool) -> Erasure | Refused:
    access = await access_of(store, clock, citizen, "manage-rights")
    async with store.transaction() as tx:
        return await service.ask_erasure(
            tx,
            access,
            signed(citizen, access, ERASE_TYP, clock, **key),
            environment=ENVIRONMENT,
            trace_id=steps.TRACE,
            now=clock.now(),
        )


async def left_of(owner: Store, patient_id: UUID) -> dict[str, int]:
    """Rows of a person in every table that an erasure empties."""
    async with owner.transaction() as tx:
        return {
            f"{one.table}.{one.column}": count
            for one in TABLES
            if one.kept is None
            if (
                count := await tx.fetchval(
                    f"SELECT count(*) FROM {one.table} WHERE {one.column} = $1", patient_id
                )
            )
        }


async def dump_of(owner: Store, patient_id: UUID) -> dict[str, list[str]]:
    async with owner.transaction() as tx:
        return {
            f"{one.table}.{one.column}": sorted(
                row[0]
                for row in await tx.fetch(
                    f"SELECT t::text FROM {one.table} t WHERE {one.column} = $1", patient_id
                )
            )
            for one in TABLES
        }


async def run(store: Store, clock: FrozenClock, files: DirectoryJournal, patient_id: UUID) -> int:
    """The job to its end, with the journal's writer beside it. Returns its turns."""
    for turn in range(20):
        again = await erasing.erase(store, clock, patient_id)
        await write_out(store, files)
        if again is None:
            return turn
        clock.advance(seconds=max(0, (again - clock.now()).total_seconds()))
    raise AssertionError("the job does not end")


async def test_an_erasure_leaves_no_row_and_no_file_of_the_person_and_everything_of_others(
    own: Own, clock: FrozenClock, files: DirectoryJournal
) -> None:
    store, owner = own
    gone, stays = await lived(store, clock), await lived(store, clock)
    patient_id = gone.citizen.patient_id
    assert len(await left_of(owner, patient_id)) > 15, "the person must have lived, or this shows nothing"
    assert isinstance(await ask(store, clock, gone.citizen), Erasure)
    before = await dump_of(owner, stays.citizen.patient_id)
    await run(store, clock, files, patient_id)
    assert await left_of(owner, patient_id) == {}
    assert await dump_of(owner, stays.citizen.patient_id) == before
    with pytest.raises(BlobMissingError):
        await store.blobs.get(patient_id, gone.blob)
    assert await store.blobs.get(stays.citizen.patient_id, stays.blob)
    async with store.transaction() as tx:
        assert (
            await people.resolve_subject(tx, store.keys, "national-id", gone.citizen.number, clock.now())
            is None
        )
        assert await sessions.authenticate(tx, gone.citizen.token, clock.now()) is None
    kinds = [line.kind async for line, _ in read_lines(files, 0) if line.patient_id == patient_id]
    assert kinds == ["erase"]


async def test_the_log_of_an_erased_person_stays_whole_and_names_nobody(
    own: Own, clock: FrozenClock, files: DirectoryJournal
) -> None:
    store, owner = own
    gone = await lived(store, clock)
    patient_id = gone.citizen.patient_id
    await ask(store, clock, gone.citizen)
    await run(store, clock, files, patient_id)
    async with owner.transaction() as tx:
        rows = [
            row[0]
            for row in await tx.fetch("SELECT t::text FROM access_log t WHERE patient_id = $1", patient_id)
        ]
    text = "\n".join(rows)
    assert "identity:person:erase" in text
    for value in (gone.citizen.name, gone.citizen.number, gone.citizen.phone_number, gone.citizen.birth_date):
        assert value not in text


async def test_nothing_goes_before_72_hours_and_a_session_alone_cancels(
    own: Own, clock: FrozenClock, files: DirectoryJournal
) -> None:
    store, owner = own
    gone = await lived(store, clock)
    before = await left_of(owner, gone.citizen.patient_id)
    made = await ask(store, clock, gone.citizen)
    assert isinstance(made, Erasure)
    assert made.due_at - made.asked_at == timedelta(hours=72)
    clock.advance(hours=71, minutes=59)
    assert await erasing.erase(store, clock, gone.citizen.patient_id) == made.due_at
    refused = await ask_signed_again(store, clock, gone.citizen)
    assert isinstance(refused, Refused)
    assert refused.problem is ERASURE_WAITS
    access = await access_of(store, clock, gone.citizen, "manage-grants")
    async with store.transaction() as tx:
        assert await service.cancel_erasure(tx, access, trace_id=steps.TRACE, now=clock.now()) is None
    clock.advance(hours=1)
    assert await erasing.erase(store, clock, gone.citizen.patient_id) is None
    left = await left_of(owner, gone.citizen.patient_id)
    assert {name: left.get(name) for name in ("ehr_resource.patient_id", "consent_grant.patient_id")} == {
        name: before[name] for name in ("ehr_resource.patient_id", "consent_grant.patient_id")
    }
    async with store.transaction() as tx:
        again = await service.cancel_erasure(tx, access, trace_id=steps.TRACE, now=clock.now())
    assert isinstance(again, Refused)
    assert again.problem is NO_ERASURE


async def ask_signed_again(store: Store, clock: FrozenClock, citizen: Citizen) -> Erasure | Refused:
    return await ask(store, clock, citizen)


async def test_s11_an_erasure_needs_the_key_of_the_device(own: Own, clock: FrozenClock) -> None:
    store, _ = own
    citizen = await make_citizen(store, clock)
    refused = await ask(store, clock, citizen, refresh=True)
    assert isinstance(refused, Refused)
    assert refused.problem.code == "step-up-refused"


async def test_a_job_that_is_killed_anywhere_goes_on_where_it_was(
    own: Own, clock: FrozenClock, files: DirectoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, owner = own
    gone = await lived(store, clock)
    await ask(store, clock, gone.citizen)
    clock.advance(hours=72)
    kept, calls = erasing.delete_some, 0

    async def die_often(*args: Any) -> int:
        nonlocal calls
        calls += 1
        done = await kept(*args)
        if calls % 25 == 0:
            raise ConnectionError
        return done

    monkeypatch.setattr(erasing, "delete_some", die_often)
    deaths = 0
    for _ in range(40):
        try:
            again = await erasing.erase(store, clock, gone.citizen.patient_id)
        except ConnectionError:
            deaths += 1
            monkeypatch.setattr(erasing, "delete_some", kept if deaths == 4 else die_often)
            continue
        await write_out(store, files)
        if again is None:
            break
        clock.advance(seconds=max(0, (again - clock.now()).total_seconds()))
    assert deaths == 4
    assert await left_of(owner, gone.citizen.patient_id) == {}


async def test_two_erasures_at_once_end_the_same_way(
    own: Own, clock: FrozenClock, files: DirectoryJournal
) -> None:
    store, owner = own
    gone, other = await lived(store, clock), await lived(store, clock)
    for one in (gone, other):
        await ask(store, clock, one.citizen)
    clock.advance(hours=72)
    for one in (gone, other):
        await erasing.erase(store, clock, one.citizen.patient_id)
    await write_out(store, files)
    await asyncio.gather(
        *(erasing.erase(store, clock, one.citizen.patient_id) for one in (gone, gone, other, other))
    )
    for one in (gone, other):
        await run(store, clock, files, one.citizen.patient_id)
        assert await left_of(owner, one.citizen.patient_id) == {}


async def test_an_erasure_tells_clients_and_ends_their_tokens(own: Own, clock: FrozenClock) -> None:
    """A client that was let in need not ask for ever about somebody who is not there any more."""
    store, owner = own
    citizen, client = await make_citizen(store, clock), await make_app(store, clock)
    types: frozenset[RecordType] = frozenset({"Immunization"})
    given = await let_in(store, clock, citizen, client, types=types, scope="patient/*.rs")
    tokens = await app_tokens(store, clock, given)
    await ask(store, clock, citizen)
    clock.advance(hours=72)
    await erasing.erase(store, clock, citizen.patient_id)
    async with store.transaction() as tx:
        assert await sessions_of_apps.live(tx, tokens.access_token, clock.now()) is None
        family = await sessions_of_apps.family_of(
            tx, client.client_id, tokens.refresh_token or "", clock.now()
        )
        assert family is None
    # In the client's own queue: what waits in the person's goes with the person.
    async with owner.transaction() as tx:
        told = await tx.fetch("SELECT event, ref FROM outbox WHERE patient_id = $1", client.client_id)
    assert [(event, json.loads(ref)["reference"]) for event, ref in told] == [
        ("consent.app-erased", str(given.reference))
    ]


async def test_from_the_first_row_on_every_door_is_shut(
    own: Own, clock: FrozenClock, files: DirectoryJournal
) -> None:
    store, owner = own
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    week = int(timedelta(days=7).total_seconds())
    await steps.granted(store, clock, doctor, citizen, tier="A", duration_seconds=week)
    await ask(store, clock, citizen)
    clock.advance(hours=72)
    await erasing.erase(store, clock, citizen.patient_id)
    assert await owner_state(owner, citizen.patient_id) == "erasing"
    doctor.token = (await fresh(store, clock, doctor)).access_token
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"
    async with store.transaction() as tx:
        assert await sessions.authenticate(tx, citizen.token, clock.now()) is None


async def fresh(store: Store, clock: FrozenClock, doctor: Any) -> sessions.Tokens:
    async with store.transaction() as tx:
        return await sessions.open_staff_session(
            tx, doctor.practitioner_id, "practitioner", doctor.actor.practitioner_role_id, clock.now()
        )


async def owner_state(owner: Store, patient_id: UUID) -> str:
    async with owner.transaction() as tx:
        return str(await tx.fetchval("SELECT state FROM citizen WHERE patient_id = $1", patient_id))


async def state_of(owner: Store, patient_id: UUID) -> str:
    async with owner.transaction() as tx:
        return str(await tx.fetchval("SELECT state FROM erasure WHERE patient_id = $1", patient_id))


@pytest.mark.parametrize("side", ["merged", "survivor"])
async def test_s10_whoever_waits_to_be_erased_is_not_merged(own: Own, clock: FrozenClock, side: str) -> None:
    store, _ = own
    officers, citizen = await make_officers(store, clock), await make_citizen(store, clock)
    other, _ = await make_person(store, clock)
    assert isinstance(await ask(store, clock, citizen), Erasure)
    pair = (citizen.patient_id, other) if side == "merged" else (other, citizen.patient_id)
    body = MergeBody(merged_id=pair[0], survivor_id=pair[1])
    act_id = await propose(store, officers[0], "merge", body, clock.now())
    assert isinstance(act_id, UUID)
    refused = await confirm(store, officers[1], act_id, clock.now())
    assert isinstance(refused, Refused)
    assert refused.problem.code in ("merge-erasure-waiting", "merge-wrong-way")


async def test_s10_an_erasure_waits_while_another_persons_rows_lie_there_unproven(
    own: Own, clock: FrozenClock, files: DirectoryJournal
) -> None:
    """An unmerge gives them back byte for byte: they must still be there."""
    store, owner = own
    officers = await make_officers(store, clock)
    thief, victim = await lived(store, clock), await lived(store, clock)
    pair = victim.citizen.patient_id, thief.citizen.patient_id
    access = await access_of(store, clock, thief.citizen, "manage-rights")
    before = await left_of(owner, pair[0])
    merge_id = await merged(store, officers, *pair, clock.now())
    # The hold stops him: as if he had proven himself since, and the victim nothing.
    async with store.transaction() as tx:
        opened = await service.open_request(tx, access, "erasure", trace_id=steps.TRACE, now=clock.now())
        due = clock.now() + timedelta(hours=72)
        await queries.UPSERT_ERASURE.run(tx, pair[1], opened.request_id, clock.now(), due)
    clock.advance(days=4)
    again = await erasing.erase(store, clock, pair[1])
    assert again is not None
    assert again > clock.now()
    assert await state_of(owner, pair[1]) == "waiting"
    await separated(store, officers, merge_id, clock.now())
    await run(store, clock, files, pair[1])
    assert await left_of(owner, pair[1]) == {}
    after = await left_of(owner, pair[0])
    assert after["ehr_resource.patient_id"] == before["ehr_resource.patient_id"]
    assert await store.blobs.get(pair[0], victim.blob)


async def test_s10_who_was_merged_meanwhile_is_told_that_nothing_was_erased(
    own: Own, clock: FrozenClock
) -> None:
    store, owner = own
    gone = await lived(store, clock)
    patient_id = gone.citizen.patient_id
    assert isinstance(await ask(store, clock, gone.citizen), Erasure)
    async with owner.transaction() as tx:
        await tx.execute("UPDATE citizen SET state = 'merged' WHERE patient_id = $1", patient_id)
    clock.advance(hours=72)
    assert await erasing.erase(store, clock, patient_id) is None
    assert (await state_of(owner, patient_id), await owner_state(owner, patient_id)) == (
        "cancelled",
        "merged",
    )
    assert (await left_of(owner, patient_id))["ehr_resource.patient_id"] > 0
    async with store.transaction() as tx:
        (request,) = await service.requests_of(tx, patient_id)
    assert request.outcome == "refused"


async def close(store: Store, clock: FrozenClock, citizen: Citizen) -> Refused | None:
    access = await access_of(store, clock, citizen, "close-account")
    async with store.transaction() as tx:
        return await service.close_account(
            tx,
            access,
            signed(citizen, access, CLOSE_TYP, clock),
            environment=ENVIRONMENT,
            trace_id=steps.TRACE,
            now=clock.now(),
        )


@pytest.mark.parametrize("action", ["close-account", "manage-rights", "ask-erasure"])
async def test_s8_a_device_on_probation_or_held_ends_no_account(
    own: Own, clock: FrozenClock, action: Any
) -> None:
    """It would end the owner's own devices, and with them the way to cancel it."""
    store, _ = own
    fresh, held = await make_citizen(store, clock, probation=True), await make_citizen(store, clock)
    codes = []
    for actor in (fresh.actor, replace(held.actor, held=True)):
        async with store.transaction() as tx:
            found = await decide(tx, actor, actor.actor_id, action, "PATRQT", clock.now(), keys=store.keys)
        codes.append(steps.code_of(found))
    assert codes == ["device-on-probation", "account-held"]


async def test_s18_an_account_whose_person_was_reported_dead_is_not_closed_before_the_objection(
    own: Own, clock: FrozenClock
) -> None:
    """Closed and opened again it would be active, and the report gone without a word."""
    store, owner = own
    citizen = await make_citizen(store, clock)
    async with store.transaction() as tx:
        assert await deaths.report(tx, citizen.patient_id, "mot-noi", clock.now())
    refused = await close(store, clock, citizen)
    assert isinstance(refused, Refused)
    assert refused.problem.code == "death-reported"
    assert await owner_state(owner, citizen.patient_id) == "death-reported"
    async with store.transaction() as tx:
        assert await sessions.authenticate(tx, citizen.token, clock.now()) is not None


async def test_a_closed_account_lets_nobody_in_and_keeps_the_record(own: Own, clock: FrozenClock) -> None:
    store, owner = own
    one = await lived(store, clock)
    citizen = one.citizen
    rows = (await left_of(owner, citizen.patient_id))["ehr_resource.patient_id"]
    assert await close(store, clock, citizen) is None
    async with store.transaction() as tx:
        assert await sessions.authenticate(tx, citizen.token, clock.now()) is None
        token, issued_at, signature = citizen.phone.sign_refresh(citizen.tokens, clock.now())
        again = await sessions.refresh(tx, store.keys, token, issued_at, signature, clock.now())
        assert isinstance(again, Refused)
    assert (await left_of(owner, citizen.patient_id))["ehr_resource.patient_id"] == rows
    live = "SELECT count(*) FROM consent_grant WHERE patient_id = $1 AND ended_at IS NULL"
    assert await steps.count(owner, live, citizen.patient_id) == 0
