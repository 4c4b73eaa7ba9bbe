"""Check-ins and appointments that the family learns nothing of (security.md S23)."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from healthbook.dispatch import dispatch
from healthbook.housekeeping import do_chore
from healthbook.recovery.replay import REPLAY
from identity.models import Facility
from identity.units.models import NewUnit
from identity.units.service import add_unit
from kernel.ids import bucket_of, uuid7
from kernel.problems import Refused
from store.database import Store
from store.journal import Line
from store.outbox import claim_events
from tests.ehr.cases.test_after_a_merge import with_origin
from tests.support import booking
from tests.support.actors import routes
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.family import access_of, make_child, make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility, make_machine, make_person
from tests.support.registry import make_officers, merged, separated
from visits.identification import draw_code
from visits.presence import check_in_by_scan
from visits.safety import service
from visits.safety.models import Item
from visits.safety.service import KEPT_MAX

KEPT = "/v1/me/visit-safety"
SECRET = "Zzbimat"
READS = [r for r in routes() if r.method == "GET" and r.path.startswith("/v1/me") and "{" not in r.path]
# What moves by itself from one look to the next.
MOVING = {"/v1/me/identification-qr", "/v1/me/access-log"}


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


async def check_in(
    store: Store, clock: FrozenClock, person: UUID, facility: Facility, unit_id: UUID | None = None
) -> UUID:
    kiosk = await make_machine(store, clock, facility, "kiosk")
    code = draw_code(store.keys, person, clock.now())
    async with store.transaction() as tx:
        done = await check_in_by_scan(
            tx, store.keys, kiosk.actor, code.qr, unit_id=unit_id, request_id="r", now=clock.now()
        )
    assert not isinstance(done, Refused)
    return done.check_in_id


async def seen(client: httpx.AsyncClient, who: Citizen, person: UUID) -> dict[str, tuple[int, bytes]]:
    headers = bearer(who.token) | {"X-Patient-Id": str(person)}
    found = {}
    for route in READS:
        params = dict.fromkeys(route.query, "abc") if route.query else {}
        for optional in ("cursor", "limit"):
            params.pop(optional, None)
        answer = await client.get(route.path, params=params, headers=headers)
        found[route.path] = (answer.status_code, answer.content)
    return found


async def handle(store: Store, person: UUID, now: datetime) -> None:
    async with store.transaction() as tx:
        for event in await claim_events(tx, bucket_of(person), now, 500):
            await dispatch(tx, store.keys, event, now)


@pytest.mark.parametrize("relation", ["guardian", "proxy"])
@pytest.mark.parametrize("how", ["own-wish", "suspected-abuse", "unit", "facility"])
async def test_s23_no_path_of_a_relative_tells_of_a_check_in_that_is_kept(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, relation: str, how: Any
) -> None:
    relative = await make_citizen(store, clock)
    if relation == "guardian":
        person = await make_child(store, clock, relative, "2016-01-01")
    else:
        principal = await make_citizen(store, clock)
        person = principal.patient_id
        await make_proxy(store, clock, principal, relative, "read-record", "appointments", "reminders")
    await check_in(store, clock, person, await make_facility(store, clock))
    await handle(store, person, clock.now())
    before = await seen(client, relative, person)
    assert before["/v1/me/check-ins"][0] == 200
    what = "Tâm thần " if how == "facility" else ""
    hospital = await make_facility(store, clock, name=f"Viện {what}{SECRET}")
    unit_id = None
    if how == "unit":
        async with store.transaction() as tx:
            new = NewUnit(facility_id=hospital.facility_id, kind="department", name="Khoa tư vấn HIV")
            unit_id = await add_unit(tx, new, clock.now())
    item = await check_in(store, clock, person, hospital, unit_id)
    if how not in ("unit", "facility"):
        async with store.transaction() as tx:
            await service.flag(tx, person, "check-in", item, how, clock.now())
    await handle(store, person, clock.now())
    after = await seen(client, relative, person)
    for path, (status, body) in after.items():
        assert SECRET.encode() not in body, path
        assert str(item).encode() not in body, path
        if path not in MOVING and status == 200:
            assert body == before[path][1], path
    # Nor what rings on the relative's own phone.
    own = await client.get("/v1/me/notifications", headers=bearer(relative.token))
    assert SECRET not in own.text
    assert str(item) not in own.text


@pytest.mark.parametrize("relation", ["guardian", "proxy"])
async def test_s23_no_path_of_a_relative_tells_of_an_appointment_at_a_sensitive_facility(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, relation: str
) -> None:
    relative, person = await make_citizen(store, clock), await make_citizen(store, clock)
    if relation == "guardian":
        child = await make_child(store, clock, relative, "2016-01-01")
        person = replace(person, patient_id=child)
    else:
        await make_proxy(store, clock, person, relative, "read-record", "appointments", "reminders")
    acting = bearer(relative.token) | {"X-Patient-Id": str(person.patient_id)}
    plans = []
    for name in (None, f"Viện {SECRET}"):
        clinic = await booking.make_clinic(store, clock, name)
        plans.append(await booking.make_schedule(client, clock, clinic, 5, 5))
    await booking.booked(client, acting, plans[0])
    await handle(store, person.patient_id, clock.now())
    before = await seen(client, relative, person.patient_id)
    assert before[booking.ME][0] == 200
    made = await booking.booked(client, acting, plans[1])
    async with owner.transaction() as tx:
        sql = "UPDATE facility SET name = $2 WHERE facility_id = $1"
        await tx.execute(sql, clinic.facility.facility_id, f"Viện Tâm thần {SECRET}")
    await handle(store, person.patient_id, clock.now())
    after = await seen(client, relative, person.patient_id)
    for path, (status, body) in after.items():
        assert SECRET.encode() not in body, path
        assert made["appointment_id"].encode() not in body, path
        if path not in MOVING and status == 200:
            assert body == before[path][1], path
    own = await client.get("/v1/me/notifications", headers=bearer(relative.token))
    assert made["appointment_id"] not in own.text
    assert SECRET not in (await client.get("/v1/me/household", headers=bearer(relative.token))).text


async def test_a_person_keeps_a_check_in_and_shows_it_again(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    item = await check_in(store, clock, person.patient_id, await make_facility(store, clock))
    headers = bearer(person.token)
    for _ in range(2):
        assert (await client.put(f"{KEPT}/{item}", headers=headers)).status_code == 204
    (one,) = (await client.get(KEPT, headers=headers)).json()["items"]
    assert (one["item_id"], one["kind"]) == (str(item), "check-in")
    own = (await client.get("/v1/me/check-ins", headers=headers)).json()["items"]
    assert [row["check_in_id"] for row in own] == [str(item)], "the person sees it"
    assert (await client.delete(f"{KEPT}/{item}", headers=headers)).status_code == 204
    assert (await client.get(KEPT, headers=headers)).json()["items"] == []
    gone = await client.delete(f"{KEPT}/{item}", headers=headers)
    assert (gone.status_code, gone.json()["code"]) == (404, "visit-unknown")
    async with owner.transaction() as tx:
        told = await tx.fetchval(
            "SELECT count(*) FROM notification WHERE patient_id = $1 AND type LIKE '%kept%'",
            person.patient_id,
        )
    assert told == 0


async def test_nobody_keeps_what_is_not_theirs(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, other = await make_citizen(store, clock), await make_citizen(store, clock)
    item = await check_in(store, clock, other.patient_id, await make_facility(store, clock))
    for ident in (item, uuid7(clock.now())):
        refused = await client.put(f"{KEPT}/{ident}", headers=bearer(person.token))
        assert (refused.status_code, refused.json()["code"]) == (404, "visit-unknown")


async def test_s23_a_relative_neither_sees_sets_nor_lifts_a_flag(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother, "2016-01-01")
    item = await check_in(store, clock, child, await make_facility(store, clock))
    headers = bearer(mother.token) | {"X-Patient-Id": str(child)}
    for method, path in (("GET", KEPT), ("PUT", f"{KEPT}/{item}"), ("DELETE", f"{KEPT}/{item}")):
        refused = await client.request(method, path, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "not-in-your-care"), method


async def test_s23_a_clinician_keeps_one_or_all_of_today_with_a_ground(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    facility = await make_facility(store, clock)
    doctor = await make_doctor(store, clock, facility)
    person = await make_citizen(store, clock)
    await granted(store, clock, doctor, person)
    clock.advance(minutes=1)
    here = [await check_in(store, clock, person.patient_id, facility) for _ in range(2)]
    elsewhere = await check_in(store, clock, person.patient_id, await make_facility(store, clock))
    path = f"/v1/doctor/patients/{person.patient_id}/visit-flags"
    done = await client.post(path, json={"ground": "suspected-abuse"}, headers=bearer(doctor.token))
    assert done.status_code == 204, done.text
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT item_id, reason FROM visit_safety WHERE patient_id = $1", person.patient_id
        )
    flagged = {row["item_id"]: row["reason"] for row in rows}
    assert set(here) <= set(flagged)
    assert elsewhere not in flagged
    assert set(flagged.values()) == {"suspected-abuse"}
    body = {"ground": "shared-phone", "item_id": str(elsewhere)}
    assert (await client.post(path, json=body, headers=bearer(doctor.token))).status_code == 204
    listed = (await client.get(KEPT, headers=bearer(person.token))).json()["items"]
    assert str(elsewhere) in {one["item_id"] for one in listed}
    assert "suspected" not in str(listed), "the ground leaves in no answer"
    async with owner.transaction() as tx:
        logged = await tx.fetchval(
            "SELECT count(*) FROM access_log WHERE patient_id = $1 AND entry LIKE '%visit:safety:flag%'",
            person.patient_id,
        )
    assert logged == 2


async def test_a_doctor_without_access_is_refused_like_for_nobody(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    person = await make_citizen(store, clock)
    answers = [
        await client.post(
            f"/v1/doctor/patients/{ident}/visit-flags",
            json={"ground": "shared-phone"},
            headers=bearer(doctor.token),
        )
        for ident in (person.patient_id, uuid7(clock.now()))
    ]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(403, "no-access")}


async def test_what_a_sensitive_department_keeps_its_person_does_not_lift(
    store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    item = uuid7(clock.now())
    access = await access_of(store, person, "manage-record", clock.now())
    async with store.transaction() as tx:
        await service.flag(tx, person.patient_id, "booking", item, "sensitive-department", clock.now())
        assert await service.kept(tx, access) == []
        refused = await service.show(tx, access, item, clock.now())
        assert isinstance(refused, Refused)
        assert await service.flagged(tx, person.patient_id, [item]) == {item}


async def test_s23_a_unit_that_becomes_sensitive_takes_what_was_there_along(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    person, facility = await make_citizen(store, clock), await make_facility(store, clock)
    async with store.transaction() as tx:
        new = NewUnit(facility_id=facility.facility_id, kind="department", name="Khoa khám bệnh")
        unit_id = await add_unit(tx, new, clock.now())
        await add_unit(tx, msgspec.structs.replace(new, name="Khoa Nội"), clock.now())
        item = Item(uuid7(clock.now()), unit_id, facility.facility_id)
        assert await service.withheld(tx, person.patient_id, [item]) == frozenset()
    async with owner.transaction() as tx:
        await tx.execute("UPDATE facility_unit SET is_sensitive = true WHERE unit_id = $1", unit_id)
    async with store.transaction() as tx:
        assert await service.withheld(tx, person.patient_id, [item]) == {item.item_id}
        assert await service.withheld(tx, person.patient_id, []) == frozenset()


async def test_at_most_two_hundred_are_kept(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    item = await check_in(store, clock, person.patient_id, await make_facility(store, clock))
    access = await access_of(store, person, "manage-record", clock.now())
    async with store.transaction() as tx:
        for _ in range(KEPT_MAX):
            await service.flag(tx, person.patient_id, "booking", uuid7(clock.now()), "own-wish", clock.now())
        refused = await service.keep(tx, access, item, "own-wish", clock.now())
    assert isinstance(refused, Refused)
    assert refused.problem.code == "too-many-kept"


async def test_s12_a_restored_backup_keeps_it_again(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    item = uuid7(clock.now())

    def line(kind: Any, patient_id: UUID = person.patient_id) -> Line:
        ids = {"item_id": str(item), "kind": "check-in"}
        return Line(at=clock.now(), ids=ids, kind=kind, patient_id=patient_id, prev="00" * 32, seq=1)

    async with store.transaction() as tx:
        for _ in range(2):
            await REPLAY["visit-keep"](tx, line("visit-keep"), clock.now())
        assert await service.flagged(tx, person.patient_id, [item]) == {item}
        await REPLAY["visit-show"](tx, line("visit-show"), clock.now())
        assert await service.flagged(tx, person.patient_id, [item]) == frozenset()
        # The backup is older than the person.
        await REPLAY["visit-keep"](tx, line("visit-keep", uuid7(clock.now())), clock.now())


async def test_an_act_stands_in_the_journal(store: Store, owner: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    item = await check_in(store, clock, person.patient_id, await make_facility(store, clock))
    access = await access_of(store, person, "manage-record", clock.now())
    async with store.transaction() as tx:
        assert await service.keep(tx, access, item, "own-wish", clock.now()) is None
    await handle(store, person.patient_id, clock.now())
    async with store.transaction() as tx:
        assert await service.show(tx, access, item, clock.now()) is None
    await handle(store, person.patient_id, clock.now())
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT line FROM journal_line WHERE patient_id = $1 ORDER BY seq", person.patient_id
        )
    assert [json.loads(row["line"])["kind"] for row in rows][-2:] == ["visit-keep", "visit-show"]


async def test_a_flag_lies_beside_its_item_through_a_merge_and_back(store: Store, clock: FrozenClock) -> None:
    gone, _ = await make_person(store, clock)
    stays = await make_citizen(store, clock)
    item = await check_in(store, clock, gone, await make_facility(store, clock))
    officers = await make_officers(store, clock)
    merge_id = await merged(store, officers, gone, stays.patient_id, clock.now())
    clock.advance(hours=73)
    access = with_origin(stays.patient_id, gone)
    async with store.transaction() as tx:
        assert await service.keep(tx, access, item, "own-wish", clock.now()) is None
    await separated(store, officers, merge_id, clock.now())
    async with store.transaction() as tx:
        assert await service.flagged(tx, gone, [item]) == {item}
        assert await service.flagged(tx, stays.patient_id, [item]) == frozenset()


async def test_flags_go_long_after_their_items(store: Store, owner: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    async with store.transaction() as tx:
        await service.flag(tx, person.patient_id, "booking", uuid7(clock.now()), "own-wish", clock.now())
    for days, left in ((timedelta(days=800), 1), (timedelta(days=800, seconds=1), 0)):
        async with store.transaction() as tx:
            await do_chore(tx, "visit-safety", clock.now() + days)
        async with owner.transaction() as tx:
            count = await tx.fetchval(
                "SELECT count(*) FROM visit_safety WHERE patient_id = $1", person.patient_id
            )
        assert count == left
