"""A practitioner gives access back before its time: the own only, once, and the person sees it."""

from uuid import UUID, uuid4

import httpx

from consent.delegations import service as delegations
from consent.delegations.queries import Delegation
from consent.models import Grant
from identity.models import Facility
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import TRACE, asked, granted, read, revoke
from tests.support.http import bearer, code_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility


async def give_back(client: httpx.AsyncClient, doctor: Doctor, grant_id: UUID) -> httpx.Response:
    return await client.delete(f"/v1/doctor/grants/{grant_id}", headers=bearer(doctor.token))


async def grants_of(client: httpx.AsyncClient, citizen: Citizen) -> list[dict[str, object]]:
    found: list[dict[str, object]] = (
        await client.get("/v1/me/grants", headers=bearer(citizen.token))
    ).json()["items"]
    return found


async def test_the_list_of_own_grants_is_narrowed_to_one_person(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    other = await make_citizen(store, clock)
    mine = await granted(store, clock, doctor, citizen)
    await granted(store, clock, doctor, other)

    async def named(patient_id: UUID) -> list[str]:
        address = f"/v1/doctor/grants?patient_id={patient_id}"
        found = (await client.get(address, headers=bearer(doctor.token))).json()
        return [one["grant_id"] for one in found["items"]]

    assert await named(citizen.patient_id) == [str(mine.grant_id)]
    assert await named(uuid4()) == []


async def test_what_was_given_back_opens_nothing_and_stands_in_list_and_log(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    grant = await granted(store, clock, doctor, citizen)
    (mine,) = (await client.get("/v1/doctor/grants", headers=bearer(doctor.token))).json()["items"]
    assert mine["name"] == citizen.name
    for _ in range(2):
        assert (await give_back(client, doctor, grant.grant_id)).status_code == 204
    assert await read(store, clock, doctor, citizen.patient_id) == "no-access"
    assert (await client.get("/v1/doctor/grants", headers=bearer(doctor.token))).json()["items"] == []
    (past,) = await grants_of(client, citizen)
    assert (past["state"], past["end_reason"], past["live"]) == ("given-back", "given-back", False)
    log = (await client.get("/v1/me/access-log", headers=bearer(citizen.token))).json()["items"]
    lines = [one["line"] for one in log if "trả lại quyền xem sổ" in one["line"]]
    assert len(lines) == 1
    assert doctor.actor.name in lines[0]


async def test_nobody_elses_is_told_from_one_that_is_not_there(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    people: tuple[Doctor, Citizen, Facility],
) -> None:
    doctor, citizen, facility = people
    colleague = await make_doctor(store, clock, facility)
    grant = await granted(store, clock, doctor, citizen)
    theirs, none = (
        await give_back(client, colleague, grant.grant_id),
        await give_back(client, doctor, uuid4()),
    )
    assert (code_of(theirs), code_of(none)) == ("grant-unknown", "grant-unknown")
    assert theirs.json() | {"instance": ""} == none.json() | {"instance": ""}
    assert not isinstance(await read(store, clock, doctor, citizen.patient_id), str)


async def test_a_grant_at_another_facility_is_not_of_this_session(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    elsewhere = await make_doctor(store, clock, await make_facility(store, clock))
    grant = await granted(store, clock, elsewhere, citizen)
    assert code_of(await give_back(client, doctor, grant.grant_id)) == "grant-unknown"


async def test_an_old_list_ends_the_version_that_took_its_place(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    first = await granted(store, clock, doctor, citizen)
    second: Grant = await granted(store, clock, doctor, citizen)
    assert second.supersedes == first.grant_id
    assert (await give_back(client, doctor, first.grant_id)).status_code == 204
    assert await read(store, clock, doctor, citizen.patient_id) == "no-access"


async def test_what_the_person_took_back_stays_taken_back(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    grant = await granted(store, clock, doctor, citizen)
    await revoke(store, clock, citizen, grant.grant_id)
    assert (await give_back(client, doctor, grant.grant_id)).status_code == 204
    (past,) = await grants_of(client, citizen)
    assert past["end_reason"] == "revoked"


async def test_names_stand_only_beside_what_opens_now(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    await asked(store, clock, doctor, citizen)
    assert (await client.get("/v1/doctor/grants", headers=bearer(doctor.token))).json()["items"] == []
    await granted(store, clock, doctor, citizen)
    (mine,) = (await client.get("/v1/doctor/grants", headers=bearer(doctor.token))).json()["items"]
    assert mine["name"] == citizen.name


async def delegated(
    store: Store, clock: FrozenClock, doctor: Doctor, nurse: Doctor, citizen: Citizen
) -> Delegation:
    async with store.transaction() as tx:
        made = await delegations.delegate(
            tx,
            doctor.actor,
            citizen.patient_id,
            nurse.actor.licence or "",
            None,
            trace_id=TRACE,
            now=clock.now(),
        )
    assert isinstance(made, Delegation), made
    return made


async def test_a_nurse_gives_back_what_was_handed_on_and_the_doctor_keeps_the_grant(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    people: tuple[Doctor, Citizen, Facility],
) -> None:
    doctor, citizen, facility = people
    nurse = await make_doctor(store, clock, facility, "nurse")
    await granted(store, clock, doctor, citizen)
    made = await delegated(store, clock, doctor, nurse, citizen)
    (hers,) = (await client.get("/v1/doctor/grants", headers=bearer(nurse.token))).json()["items"]
    assert (hers["grant_id"], hers["name"], hers["delegations"]) == (
        str(made.delegation_id),
        citizen.name,
        None,
    )
    (his,) = (await client.get("/v1/doctor/grants", headers=bearer(doctor.token))).json()["items"]
    (handed,) = his["delegations"]
    assert (handed["delegation_id"], handed["nurse"]) == (str(made.delegation_id), nurse.actor.name)
    assert not isinstance(await read(store, clock, nurse, citizen.patient_id), str)
    for _ in range(2):
        assert (await give_back(client, nurse, made.delegation_id)).status_code == 204
    assert await read(store, clock, nurse, citizen.patient_id) == "no-access"
    assert not isinstance(await read(store, clock, doctor, citizen.patient_id), str)
    assert (await client.get("/v1/doctor/grants", headers=bearer(nurse.token))).json()["items"] == []
    (his,) = (await client.get("/v1/doctor/grants", headers=bearer(doctor.token))).json()["items"]
    assert his["delegations"] == []
    log = (await client.get("/v1/me/access-log", headers=bearer(citizen.token))).json()["items"]
    ended = [one for one in log if one["action"] == "consent:delegation:end"]
    assert [one["actor_name"] for one in ended] == [nurse.actor.name], "once, under the nurse's own name"


async def test_a_nurse_gives_back_nothing_of_the_doctor_s(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    people: tuple[Doctor, Citizen, Facility],
) -> None:
    doctor, citizen, facility = people
    nurse, other = [await make_doctor(store, clock, facility, "nurse") for _ in range(2)]
    grant = await granted(store, clock, doctor, citizen)
    made = await delegated(store, clock, doctor, nurse, citizen)
    assert code_of(await give_back(client, nurse, grant.grant_id)) == "grant-unknown"
    assert code_of(await give_back(client, other, made.delegation_id)) == "grant-unknown"
    assert not isinstance(await read(store, clock, nurse, citizen.patient_id), str)
