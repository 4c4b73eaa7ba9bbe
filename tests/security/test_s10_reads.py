"""A merge opens nothing of the other side before everything is proven again (security.md S10)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from consent.models import Grant
from identity import activation, queries
from identity.activation import CardSeen, PendingRedeem
from identity.births import service as births
from identity.merges.problems import MERGE_STALE
from identity.people import resolve_subject
from identity.registry.models import MergeBody, NumberBody
from identity.registry.problems import EVIDENCE_DOES_NOT_HOLD, OTHER_FACILITY_NEEDED
from identity.sign_in import SignedIn
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Store
from tests.support.actors import routes
from tests.support.clock import FrozenClock
from tests.support.consent import ask, code_of, granted, read
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
from tests.support.record import write
from tests.support.registry import TRACE, agreed, confirm, dump, make_officers, merged, propose, separated
from visits.arrivals import arrived_today, record_arrival, settle_ticket, typed_today

MARKS = {"one": "BIMATCUAMOT", "other": "BIMATCUAHAI"}


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


def marked(mark: str) -> list[dict[str, Any]]:
    """A record in which every part carries the mark."""
    code = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "E11"}], "text": mark}
    when = "2026-11-01T08:00:00+07:00"
    active = {"coding": [{"code": "active"}]}
    return [
        {
            "resourceType": "Condition",
            "id": "c",
            "clinicalStatus": active,
            "code": code,
            "onsetDateTime": when,
        },
        {"resourceType": "AllergyIntolerance", "id": "a", "clinicalStatus": active, "code": {"text": mark}},
        {
            "resourceType": "Observation",
            "id": "o",
            "status": "final",
            "category": [{"coding": [{"code": "laboratory"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "2345-7"}], "text": mark},
            "effectiveDateTime": when,
            "valueString": mark,
        },
        {
            "resourceType": "MedicationRequest",
            "id": "m",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {"text": mark},
            "authoredOn": when,
        },
        {
            "resourceType": "Encounter",
            "id": "e",
            "status": "finished",
            "class": {"code": "AMB"},
            "type": [{"text": mark}],
            "period": {"start": when},
        },
        {
            "resourceType": "Immunization",
            "id": "i",
            "status": "completed",
            "vaccineCode": {"text": mark},
            "occurrenceDateTime": when,
        },
        {
            "resourceType": "Procedure",
            "id": "p",
            "status": "completed",
            "code": {"text": mark},
            "performedDateTime": when,
        },
    ]


async def two_people(store: Store, clock: FrozenClock) -> tuple[Citizen, Citizen, Doctor, Doctor]:
    """Two people with accounts, marked records, and a doctor with a grant each."""
    made: list[Any] = []
    for mark in MARKS.values():
        person = await make_citizen(store, clock)
        await write(store, person.patient_id, marked(mark), clock.now())
        doctor = await make_doctor(store, clock, await make_facility(store, clock))
        await granted(store, clock, doctor, person)
        made.append((person, doctor))
    (one, first), (other, second) = made
    return one, other, first, second


async def everything(
    client: httpx.AsyncClient, citizen_token: str, doctor: Doctor, patients: list[UUID]
) -> str:
    """The bytes of every GET that a citizen and a doctor can send."""
    bodies: list[str] = []
    for route in routes():
        if route.method != "GET" or not route.path.startswith(("/v1/me", "/v1/doctor")):
            continue
        query = {"code": "2345-7", "q": "bimat", "since": "0"}
        wanted = {name: query.get(name, "2026-01-01") for name in route.query}
        is_own = route.path.startswith("/v1/me")
        token = citizen_token if is_own else doctor.token
        for patient_id in patients if "{patient_id}" in route.path else [None]:
            path = "/".join(
                str(patient_id) if part == "{patient_id}" else str(uuid4()) if part.startswith("{") else part
                for part in route.path.split("/")
            )
            answer = await client.get(path, params=wanted, headers=bearer(token))
            bodies.append(f"{route.path} {answer.status_code} {answer.text}")
    return "\n".join(bodies)


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
    before = await everything(client, one.token, first, people)
    assert MARKS["one"] in before
    assert MARKS["other"] not in before
    await merged(store, officers, one.patient_id, other.patient_id, clock.now())
    for _ in range(2):
        mine = await everything(client, one.token, first, people)
        theirs = await everything(client, other.token, second, people)
        # Everything of both is held: neither the other's bytes nor the own are read before re-proof.
        assert not any(mark in seen for mark in MARKS.values() for seen in (mine, theirs))
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
    assert MARKS["other"] in await everything(client, other.token, second, [])
    clock.advance(hours=72)
    await renew_session(store, clock, other)
    # Whoever merged a stranger into the own book has no card of that stranger.
    assert MARKS["one"] not in await everything(client, other.token, second, [])
    assert await prove(store, clock, one, desk) == "person-merged"
    seen = await everything(client, other.token, second, [])
    assert MARKS["one"] in seen
    assert MARKS["other"] in seen
    # The grant of before covers nothing of it, also when its citizen confirmed it; a new one does.
    await sign_in_again(store, clock, second)
    assert await read(store, clock, second, other.patient_id) == "no-access"
    clock.advance(hours=1)
    await renew_session(store, clock, other)
    third = await make_doctor(store, clock, await make_facility(store, clock))
    grant = await granted(store, clock, third, other)
    assert isinstance(grant, Grant)
    assert MARKS["one"] in await everything(client, other.token, third, [other.patient_id])


async def test_s10_the_72_hours_hold_although_both_are_proven(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    one, other, _, second = await two_people(store, clock)
    officers, desk = await make_officers(store, clock), await make_desk(store, clock)
    await merged(store, officers, one.patient_id, other.patient_id, clock.now())
    clock.advance(hours=1)
    assert await prove(store, clock, one, desk) == "person-merged"
    assert await prove(store, clock, other, desk) is None
    assert MARKS["one"] not in await everything(client, other.token, second, [])
    clock.advance(hours=71)
    await renew_session(store, clock, other)
    assert MARKS["one"] in await everything(client, other.token, second, [])


async def test_s10_later_files_of_the_merged_person_are_guarded_as_the_older_ones(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    one, other, _, second = await two_people(store, clock)
    officers, desk = await make_officers(store, clock), await make_desk(store, clock)
    await merged(store, officers, one.patient_id, other.patient_id, clock.now())
    clock.advance(hours=1)
    assert await prove(store, clock, other, desk) is None
    new = [{**body, "id": f"later-{body['id']}"} for body in marked("TEPDENSAU")]
    await write(store, one.patient_id, new, clock.now())
    assert "TEPDENSAU" not in await everything(client, other.token, second, [])


async def test_s10_unmerge_gives_each_side_its_own_account_and_nothing_of_the_other(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    one, other, first, second = await two_people(store, clock)
    officers = await make_officers(store, clock)
    tables = ("ehr_resource", "ehr_history", "patient_identifier_rev", "phone", "device", "consent_grant")
    before = {p.patient_id: await dump(owner, p.patient_id, tables) for p in (one, other)}
    merge_id = await merged(store, officers, one.patient_id, other.patient_id, clock.now())
    clock.advance(minutes=5)
    await separated(store, officers, merge_id, clock.now())
    assert {p.patient_id: await dump(owner, p.patient_id, tables) for p in (one, other)} == before
    people = [one.patient_id, other.patient_id]
    mine = await everything(client, one.token, first, people)
    theirs = await everything(client, other.token, second, people)
    assert (MARKS["one"] in mine, MARKS["other"] in mine) == (True, False)
    assert (MARKS["one"] in theirs, MARKS["other"] in theirs) == (False, True)


async def test_s10_a_birth_link_never_crosses_a_merge_on_either_side(
    store: Store, clock: FrozenClock
) -> None:
    officers = await make_officers(store, clock)
    mother, _ = await make_person(store, clock)
    forged, _ = await make_person(store, clock, sex="male", birth_date="2026-11-01")
    child, _ = await make_person(store, clock, sex="male", birth_date="2019-05-05")
    async with store.transaction() as tx:
        await births.link(tx, forged, mother, None, clock.now())
        assert await births.link_in_force(tx, mother, forged)
    clock.advance(minutes=1)
    await merged(store, officers, forged, child, clock.now())
    async with store.transaction() as tx:
        assert not await births.link_in_force(tx, mother, forged)
        assert not await births.link_in_force(tx, mother, child)


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
