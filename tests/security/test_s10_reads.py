"""A merge opens nothing of the other side before everything is proven again (security.md S10)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from consent.models import Grant
from ehr.imaging.viewer import set_viewer
from identity import activation, queries
from identity.activation import CardSeen, PendingRedeem
from identity.births import service as births
from identity.merges.problems import MERGE_STALE
from identity.models import Facility
from identity.people import resolve_subject
from identity.registry.models import MergeBody, NumberBody
from identity.registry.problems import EVIDENCE_DOES_NOT_HOLD, OTHER_FACILITY_NEEDED
from identity.sign_in import SignedIn
from kernel.access import RECORD_TYPES, Actor
from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import ask, code_of, granted, read
from tests.support.episode import episode, study_uid
from tests.support.http import bearer, client_of
from tests.support.people import (
    Citizen,
    Doctor,
    make_citizen,
    make_doctor,
    make_facility,
    make_person,
    renew_session,
    sign_in_again,
)
from tests.support.record import hospital, our_id, write
from tests.support.registry import TRACE, agreed, confirm, dump, make_officers, merged, propose, separated
from tests.support.walk import Seen, Walker, showing_routes, still, telling, walk
from visits.arrivals import arrived_today, record_arrival, settle_ticket, typed_today

MARKS = {"one": "BIMATCUAMOT", "other": "BIMATCUAHAI"}
DAY = "2026-11-01"
# What goes on through a merge and is not rewritten when it is taken back.
WRITTEN_ON = {
    "access_log": "chains are linked, never rewritten (with its parts of each year)",
    "audit_head": "the end of the chain",
    "outbox": "both are told of the way back too",
    "person_hold": "the hold has ended and stays as its own trail",
    "ehr_head": "the survivor's numbers go on: a cursor never means two states",
    "answered_read": "the service counts what it answered some seconds later",
}


async def with_viewer(store: Store, clock: FrozenClock, facility: Facility) -> None:
    async with store.transaction() as tx:
        address = "https://pacs.example.vn/v?study={study_uid}"
        await set_viewer(tx, facility.facility_id, address, clock.now())


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


async def two_people(store: Store, clock: FrozenClock) -> tuple[Citizen, Citizen, Doctor, Doctor]:
    """Two people with accounts, marked records, and a doctor with a grant each."""
    made: list[Any] = []
    for mark in MARKS.values():
        person = await make_citizen(store, clock)
        facility = await make_facility(store, clock)
        await with_viewer(store, clock, facility)
        source = hospital("a", facility.facility_id)
        await write(store, person.patient_id, episode(mark, DAY, mark), clock.now(), source=source)
        doctor = await make_doctor(store, clock, await make_facility(store, clock))
        await granted(store, clock, doctor, person, types=RECORD_TYPES)
        made.append((person, doctor))
    (one, first), (other, second) = made
    return one, other, first, second


def readers(
    client: httpx.AsyncClient, clock: FrozenClock, person: Citizen, doctor: Doctor, patients: list[UUID]
) -> list[Walker]:
    """The person and the doctor, who try every id of both records."""
    known = {
        "document_id": [our_id("a", f"{mark}-{part}") for mark in MARKS.values() for part in "dr"],
        "study_id": [our_id("a", f"{mark}-s") for mark in MARKS.values()],
        "encounter_id": [our_id("a", mark) for mark in MARKS.values()],
        "result_id": [our_id("a", f"{mark}-o") for mark in MARKS.values()],
    }
    both = {
        "client": client,
        "clock": clock,
        "known": known,
        "words": ("bimat",),
    }
    doctors = Walker(word="doctor", token=doctor.token, patients=patients, **both)  # type: ignore[arg-type]
    return [Walker(word="citizen", token=person.token, person=person, **both), doctors]  # type: ignore[arg-type]


async def all_seen(
    client: httpx.AsyncClient, clock: FrozenClock, person: Citizen, doctor: Doctor, patients: list[UUID]
) -> list[Seen]:
    """The answers of every GET that the person and the doctor may send (tests/support/walk.py)."""
    walkers = readers(client, clock, person, doctor, patients)
    return [one for walker in walkers for one in await walk(walker)]


def held(seen: list[Seen]) -> dict[str, set[str]]:
    """Which of the two records stand in the answers, with the routes that show them."""
    shown = {side: telling(seen, mark, study_uid(mark)) for side, mark in MARKS.items()}
    return {side: routes for side, routes in shown.items() if routes}


async def prove(store: Store, clock: FrozenClock, person: Citizen, desk: list[Actor]) -> str | None:
    """Activate in presence with the same phone; the problem's code when it was refused."""
    card = CardSeen(
        number=person.number,
        name=person.name,
        birth_date=person.birth_date,
        sex=person.sex,
        phone=person.phone_number,
        card_seen=True,
    )
    now = clock.now()
    async with store.transaction() as tx:
        await record_arrival(tx, store.keys, desk[0], person.number, request_id=TRACE, now=now)
        proposed = await activation.propose(
            tx, store.keys, desk[0], card, arrived_today, typed_today, request_id=TRACE, now=now
        )
        await settle_ticket(tx, store.keys, desk[0], person.number, request_id=TRACE, now=now)
    assert not isinstance(proposed, Refused), proposed
    async with store.transaction() as tx:
        code = await activation.confirm(
            tx, store.keys, desk[1], proposed.activation_id, True, arrived_today, request_id=TRACE, now=now
        )
    if isinstance(code, Refused):
        return code.problem.code
    device = person.phone.new_device(code.code)
    async with store.transaction() as tx:
        pending = await activation.use_code(
            tx, store.keys, code.code, person.phone_number, person.pin, device, "net", now
        )
    assert isinstance(pending, PendingRedeem), pending
    pin_hash = await activation.hash_pin(store.keys, pending, person.pin)
    async with store.transaction() as tx:
        signed = await activation.finish(tx, store.keys, pending, pin_hash, device, request_id=TRACE, now=now)
    assert isinstance(signed, SignedIn), signed
    person.tokens, person.token = signed.tokens, signed.tokens.access_token
    return None


async def make_desk(store: Store, clock: FrozenClock) -> list[Actor]:
    facility = await make_facility(store, clock)
    return [(await make_doctor(store, clock, facility, role="clerk")).actor for _ in range(2)]


async def test_s10_a_live_session_and_grant_on_each_side_read_not_one_byte_of_the_other(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    one, other, first, second = await two_people(store, clock)
    officers = await make_officers(store, clock)
    people = [one.patient_id, other.patient_id]
    before = held(await all_seen(client, clock, one, first, people))
    assert before == {"one": showing_routes("citizen") | showing_routes("doctor")}
    assert set(held(await all_seen(client, clock, other, second, people))) == {"other"}
    await merged(store, officers, one.patient_id, other.patient_id, clock.now())
    for _ in range(2):
        # Everything of both is held: neither the other's bytes nor the own are read before re-proof.
        assert held(await all_seen(client, clock, one, first, people)) == {}
        assert held(await all_seen(client, clock, other, second, people)) == {}
        # The same after 72 hours without any proof.
        clock.advance(hours=80)
        for person in (one, other):
            await renew_session(store, clock, person)
        for doctor in (first, second):
            await sign_in_again(store, clock, doctor)


async def test_s10_what_came_from_the_other_is_seen_after_both_proofs_and_72_hours_only(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    one, other, _, second = await two_people(store, clock)
    officers, desk = await make_officers(store, clock), await make_desk(store, clock)
    await merged(store, officers, one.patient_id, other.patient_id, clock.now())
    clock.advance(hours=1)
    assert await prove(store, clock, other, desk) is None
    people = [one.patient_id, other.patient_id]
    assert set(held(await all_seen(client, clock, other, second, people))) == {"other"}
    clock.advance(hours=72)
    await renew_session(store, clock, other)
    # Whoever merged a stranger into the own book has no card of that stranger.
    await sign_in_again(store, clock, second)
    assert set(held(await all_seen(client, clock, other, second, people))) == {"other"}
    assert await prove(store, clock, one, desk) == "person-merged"
    shown = held(await all_seen(client, clock, other, second, people))
    own = {route for route in shown["other"] if route.startswith("/v1/me/")}
    # A course of values has one title.
    assert shown["one"] >= own - {"/v1/me/results/trend"}, "both records stand in the own book"
    assert not [route for route in shown["one"] if route.startswith("/v1/doctor/")]
    # The grant of before covers nothing of it, also when its citizen confirmed it; a new one does.
    await sign_in_again(store, clock, second)
    assert await read(store, clock, second, other.patient_id) == "no-access"
    clock.advance(hours=1)
    await renew_session(store, clock, other)
    third = await make_doctor(store, clock, await make_facility(store, clock))
    grant = await granted(store, clock, third, other, types=RECORD_TYPES)
    assert isinstance(grant, Grant)
    shown = held(await all_seen(client, clock, other, third, [other.patient_id]))
    assert [route for route in shown["one"] if route.startswith("/v1/doctor/")]


async def test_s10_the_72_hours_hold_although_both_are_proven(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    one, other, _, second = await two_people(store, clock)
    officers, desk = await make_officers(store, clock), await make_desk(store, clock)
    await merged(store, officers, one.patient_id, other.patient_id, clock.now())
    clock.advance(hours=1)
    assert await prove(store, clock, one, desk) == "person-merged"
    assert await prove(store, clock, other, desk) is None
    assert set(held(await all_seen(client, clock, other, second, []))) == {"other"}
    clock.advance(hours=71)
    await renew_session(store, clock, other)
    assert set(held(await all_seen(client, clock, other, second, []))) == set(MARKS)


async def test_s10_later_files_of_the_merged_person_are_guarded_as_the_older_ones(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    one, other, _, second = await two_people(store, clock)
    officers, desk = await make_officers(store, clock), await make_desk(store, clock)
    await merged(store, officers, one.patient_id, other.patient_id, clock.now())
    clock.advance(hours=1)
    assert await prove(store, clock, other, desk) is None
    await write(store, one.patient_id, episode("later", DAY, "BIMATDENSAU"), clock.now())
    people = [one.patient_id, other.patient_id]
    assert telling(await all_seen(client, clock, other, second, people), "BIMATDENSAU") == set()


async def test_s10_unmerge_gives_each_side_its_own_account_and_nothing_of_the_other(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    one, other, first, second = await two_people(store, clock)
    pairs = ((one, first), (other, second))
    officers = await make_officers(store, clock)
    people = [one.patient_id, other.patient_id]
    clock.advance(minutes=5)
    read = [unmoved(await all_seen(client, clock, *pair, people)) for pair in pairs]
    before = {p: await whole(owner, p) for p in people}
    merge_id = await merged(store, officers, one.patient_id, other.patient_id, clock.now())
    assert {p: await whole(owner, p) for p in people} != before
    await separated(store, officers, merge_id, clock.now())
    assert {p: await whole(owner, p) for p in people} == before
    again = [await all_seen(client, clock, *pair, people) for pair in pairs]
    assert [unmoved(seen) for seen in again] == read
    assert [set(held(seen)) for seen in again] == [{"one"}, {"other"}]


def unmoved(seen: list[Seen]) -> list[tuple[str, int, str]]:
    """Every answer, but the feed's: its cursor goes on as the survivor's numbers do."""
    return still([one for one in seen if one.route != "/v1/me/changes"])


async def whole(owner: Store, patient_id: UUID) -> dict[str, Any]:
    """Every row of every table about one person, but those in WRITTEN_ON."""
    async with owner.transaction() as tx:
        tables = await tx.fetch(
            "SELECT table_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name = 'patient_id' ORDER BY 1"
        )
    names = tuple(row[0] for row in tables if not row[0].startswith(tuple(WRITTEN_ON)))
    return await dump(owner, patient_id, names)


@pytest.mark.parametrize("side", ["merged", "survivor"])
async def test_s10_a_birth_link_never_crosses_a_merge_and_is_back_after_it(
    store: Store, clock: FrozenClock, side: str
) -> None:
    """On the newborn's end and on the mother's; what the other one has is reached by neither."""
    officers = await make_officers(store, clock)
    mother, newborn, stranger = [(await make_person(store, clock))[0] for _ in range(3)]
    for linked, partner in ((newborn, mother), (mother, newborn)):
        async with store.transaction() as tx:
            await births.link(tx, newborn, mother, None, clock.now())
            assert await births.link_in_force(tx, mother, newborn)
        clock.advance(minutes=1)
        pair = (linked, stranger) if side == "merged" else (stranger, linked)
        merge_id = await merged(store, officers, *pair, clock.now())
        async with store.transaction() as tx:
            ends = [(linked, partner), (partner, linked), (stranger, partner), (partner, stranger)]
            assert not any([await births.link_in_force(tx, *end) for end in ends])
        clock.advance(minutes=1)
        await separated(store, officers, merge_id, clock.now())
        async with store.transaction() as tx:
            assert await births.link_in_force(tx, mother, newborn)
        clock.advance(minutes=1)


async def test_s10_one_officer_or_two_of_one_facility_are_not_enough(
    store: Store, clock: FrozenClock
) -> None:
    one, _ = await make_person(store, clock)
    other, _ = await make_person(store, clock)
    facility = await make_facility(store, clock)
    first, second = [
        (await make_doctor(store, clock, facility, role="registry-officer")).actor for _ in range(2)
    ]
    body = MergeBody(merged_id=one, survivor_id=other)
    act_id = await propose(store, first, "merge", body, clock.now())
    assert isinstance(act_id, UUID)
    for officer in (first, second):
        refused = await confirm(store, officer, act_id, clock.now())
        assert code_of(refused) == OTHER_FACILITY_NEEDED.code


async def test_s10_identifiers_as_evidence_must_describe_one_person(store: Store, clock: FrozenClock) -> None:
    one, _ = await make_person(store, clock, name="Lê Văn A", sex="male")
    other, _ = await make_person(store, clock)
    officers = await make_officers(store, clock)
    body = MergeBody(merged_id=one, survivor_id=other)
    refused = await propose(store, officers[0], "merge", body, clock.now(), "verified-identifiers")
    assert code_of(refused) == EVIDENCE_DOES_NOT_HOLD.code


async def test_s10_every_look_up_of_the_merged_number_finds_the_survivor(
    store: Store, clock: FrozenClock
) -> None:
    one, number = await make_person(store, clock)
    other, _ = await make_person(store, clock)
    officers = await make_officers(store, clock)
    await merged(store, officers, one, other, clock.now())
    async with store.transaction() as tx:
        assert await resolve_subject(tx, store.keys, "national-id", number, clock.now()) == other


async def test_s10_a_request_for_the_merged_number_looks_like_every_other(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    """S19: 202 of the same shape, and reads of the merged id are refused as an unknown id is."""
    one, other, first, _ = await two_people(store, clock)
    officers = await make_officers(store, clock)
    await merged(store, officers, one.patient_id, other.patient_id, clock.now())
    merged_answer = await ask(store, clock, first, kind="national-id", value=one.number)
    unknown_answer = await ask(store, clock, first, kind="national-id", value="079100000001")
    assert type(merged_answer) is type(unknown_answer)
    for part in ("summary", "timeline", "results"):
        known = await client.get(f"/v1/doctor/patients/{one.patient_id}/{part}", headers=bearer(first.token))
        unknown = await client.get(f"/v1/doctor/patients/{uuid4()}/{part}", headers=bearer(first.token))
        assert (known.status_code, known.json()["code"]) == (unknown.status_code, unknown.json()["code"])


async def test_s10_the_chains_are_linked_and_both_people_are_told(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    one, _ = await make_person(store, clock)
    other, _ = await make_person(store, clock)
    officers = await make_officers(store, clock)
    merge_id = await merged(store, officers, one, other, clock.now())
    for person, twin in ((one, other), (other, one)):
        async with owner.transaction() as tx:
            entries = await tx.fetch("SELECT entry FROM access_log WHERE patient_id = $1", person)
            events = await tx.fetch(
                "SELECT ref FROM outbox WHERE patient_id = $1 AND event = 'identity.merged'", person
            )
        linked = [row["entry"] for row in entries if "identity:merge:create" in row["entry"]]
        assert len(linked) == 1
        assert str(twin) in linked[0]
        assert [str(merge_id) in row["ref"] for row in events] == [True]


async def test_s10_merges_of_a_chain_at_once_do_not_cross(store: Store, clock: FrozenClock) -> None:
    """A into B beside B into C: one wins, the other is refused, and nobody becomes an alias of an alias."""
    people = [(await make_person(store, clock))[0] for _ in range(3)]
    officers = await make_officers(store, clock)
    pairs = [(people[0], people[1]), (people[1], people[2])]
    ids = []
    for merged_id, survivor_id in pairs:
        body = MergeBody(merged_id=merged_id, survivor_id=survivor_id)
        ids.append(await propose(store, officers[0], "merge", body, clock.now()))
    results = await asyncio.gather(*(confirm(store, officers[1], act_id, clock.now()) for act_id in ids))
    refused = [result for result in results if result is not None]
    assert len(refused) == 1
    assert refused[0].problem.code in (MERGE_STALE.code, "merge-not-settled")


async def test_s10_attaching_a_number_holds_what_was_there_before(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    officers = await make_officers(store, clock)
    body = NumberBody(
        patient_id=person.patient_id, kind="old-id", value="023456789", valid_from=clock.now().date()
    )
    clock.advance(minutes=1)
    await agreed(store, officers, "attach-number", body, clock.now())
    async with store.transaction() as tx:
        assert await queries.IS_HELD.one(tx, person.patient_id, person_since(clock))


def person_since(clock: FrozenClock) -> datetime:
    return clock.now() - timedelta(days=1)
