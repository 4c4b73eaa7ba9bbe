"""A practitioner in danger: no name reaches the person, and the log stays what it was (security.md S27)."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from audit.chain import GENESIS, digest, link
from audit.protection.service import PROTECTION_LIFE, alias_of, aliases
from consent.delegations.queries import Delegation
from identity import practitioners
from identity.register import changes
from identity.register.changes import Applied, EndedProtection, ProtectedPractitioner
from kernel.access import RECORD_TYPES
from kernel.problems import Refused
from notifications.service import set_push_target
from store.database import Store
from tests.consent.test_role_caps import delegate
from tests.security.test_s18_deaths import work
from tests.support.clock import FrozenClock
from tests.support.consent import code_of, granted
from tests.support.emergency import make_unit, place_in
from tests.support.episode import episode
from tests.support.http import bearer, client_of
from tests.support.people import (
    Citizen,
    Doctor,
    make_citizen,
    make_doctor,
    make_facility,
)
from tests.support.record import write
from tests.support.walk import Walker, telling, walk

NAME = "Đặng Thị Kín Đáo"
LOG = "/v1/me/access-log"
# Whom the person let in face to face stands there by name: the person chose that name (docs/consent.md).
# "Who can see me" is no such page by itself: who broke the glass and to whom a doctor handed on is on it too.
CHOSEN = {
    "/v1/me/who-can-see-me",
    "/v1/me/grants",
    "/v1/me/grants/{grant_id}",
    "/v1/me/access-requests/{request_id}",
    # Its lines of grants and requests: tests/api/test_rights.py looks at the others.
    "/v1/me/exports/everything",
}


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


async def protected(
    store: Store, clock: FrozenClock, doctor: Doctor, *, end: bool = False, by: Doctor | None = None
) -> Applied | Refused:
    """Two privacy officers of the doctor's facility agree."""
    facility_id = doctor.actor.facility_id
    assert facility_id is not None
    facility = type("Facility", (), {"facility_id": facility_id})
    one, two = [await make_doctor(store, clock, facility, "privacy-officer") for _ in range(2)]  # type: ignore[arg-type]
    asked = EndedProtection if end else ProtectedPractitioner
    body = asked(practitioner_id=doctor.practitioner_id, facility_id=facility_id)
    kind: changes.ChangeKind = "practitioner-protection-end" if end else "practitioner-protection"
    async with store.transaction() as tx:
        made = await changes.propose(tx, (by or one).actor, kind, body, "bị đe dọa", clock.now())
    if isinstance(made, Refused):
        return made
    prepared = await practitioners.prepare_credential(store.keys, clock.now(), None)
    async with store.transaction() as tx:
        alone = await changes.confirm(tx, store.keys, (by or one).actor, made, prepared, clock.now())
        assert code_of(alone) == "second-account-needed"
        return await changes.confirm(tx, store.keys, two.actor, made, prepared, clock.now())


async def read_by(client: httpx.AsyncClient, doctor: Doctor, citizen: Citizen, status: int = 200) -> None:
    path = f"/v1/doctor/patients/{citizen.patient_id}/summary"
    assert (await client.get(path, headers=bearer(doctor.token))).status_code == status


async def log_of(client: httpx.AsyncClient, citizen: Citizen, **query: Any) -> dict[str, Any]:
    answered = await client.get(LOG, params=query, headers=bearer(citizen.token))
    assert answered.status_code == 200, answered.text
    page: dict[str, Any] = answered.json()
    return page


async def rows(client: httpx.AsyncClient, citizen: Citizen, doctor: Doctor) -> list[dict[str, Any]]:
    """The whole rows of this doctor, as an app exports them."""
    page = await log_of(client, citizen, proofs="true", actor="practitioner")
    return [one for one in page["items"] if str(doctor.practitioner_id) in one["row"]]


CHAIN = ("seq", "row", "prev", "h", "salt", "at", "action", "outcome")


async def test_s27_a_protected_doctor_is_an_alias_and_chain_and_proofs_are_what_they_were(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock), name=NAME)
    one, other = await make_citizen(store, clock), await make_citizen(store, clock)
    for citizen in (one, other):
        await granted(store, clock, doctor, citizen)
        await read_by(client, doctor, citizen)
    before = await rows(client, one, doctor)
    assert all(NAME in row["line"] and row["actor_name"] == NAME for row in before)

    assert isinstance(await protected(store, clock, doctor), Applied)
    masked, of_other = await rows(client, one, doctor), await rows(client, other, doctor)
    assert [{key: row[key] for key in CHAIN} for row in masked] == [
        {key: row[key] for key in CHAIN} for row in before
    ]
    text = json.dumps([masked, of_other], ensure_ascii=False)
    assert NAME not in text
    assert str(doctor.actor.licence) not in text
    assert {row["actor_salt"] for row in masked} == {None}
    (alias,), (alias_of_other,) = ({row["actor_alias"] for row in page} for page in (masked, of_other))
    assert alias == alias_of(store.keys, one.patient_id, doctor.practitioner_id)
    assert alias != alias_of_other
    assert all(alias in row["line"] and row["line"].startswith("BS (được bảo vệ danh tính") for row in masked)
    assert all(row["facility_name"] and row["actor_role"] == "doctor" for row in masked)

    # Every row still follows from the one before it, with nothing but what the person holds.
    prev = GENESIS
    for row in reversed((await log_of(client, one, proofs="true", limit="100"))["items"]):
        assert bytes.fromhex(row["prev"]) == prev
        prev = link(prev, row["seq"], digest(row["row"].encode()))
        assert bytes.fromhex(row["h"]) == prev

    assert isinstance(await protected(store, clock, doctor, end=True), Applied)
    after = await rows(client, one, doctor)
    assert after == before


async def test_s27_a_protection_is_renewed_each_year_or_ends(store: Store, clock: FrozenClock) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock), name=NAME)
    citizen = await make_citizen(store, clock)

    async def is_hidden() -> bool:
        async with store.transaction() as tx:
            found = await aliases(tx, store.keys, citizen.patient_id, [doctor.practitioner_id], clock.now())
        return doctor.practitioner_id in found

    await protected(store, clock, doctor)
    for days, hidden in ((PROTECTION_LIFE.days - 1, True), (1, False)):
        clock.advance(days=days)
        assert await is_hidden() == hidden
    await protected(store, clock, doctor)
    clock.advance(days=300)
    await protected(store, clock, doctor)
    clock.advance(days=300)
    assert await is_hidden()


async def test_s27_no_reading_route_and_no_message_of_the_person_names_a_protected_doctor(
    store: Store, owner: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock), name=NAME)
    citizen = await make_citizen(store, clock)
    async with store.transaction() as tx:
        await set_push_target(tx, store.keys, citizen.actor, "fid", f"fid-{citizen.patient_id}", clock.now())
    await write(store, citizen.patient_id, episode("MOT", "2026-11-01", "MOT"), clock.now())
    await read_by(client, doctor, citizen, 403)
    grant = await granted(store, clock, doctor, citizen, types=RECORD_TYPES)
    await read_by(client, doctor, citizen)
    await work(store, clock, citizen)
    seen = Walker(client, clock, "citizen", citizen.token, citizen, known={"grant_id": [str(grant.grant_id)]})
    marks = NAME, str(doctor.actor.licence)
    assert LOG in telling(await walk(seen), *marks)
    await protected(store, clock, doctor)
    told = await walk(seen)
    assert any(one.body.startswith(b"%PDF") for one in told)
    assert telling(told, *marks) <= CHOSEN
    async with owner.transaction() as tx:
        sent = await tx.fetch("SELECT * FROM notification WHERE patient_id = $1", citizen.patient_id)
        pushed = await tx.fetch("SELECT * FROM delivery WHERE patient_id = $1", citizen.patient_id)
    assert {row["type"] for row in sent} >= {"record-read"}
    assert pushed
    assert NAME not in f"{sent} {pushed}"


@pytest.mark.parametrize("who", ["broke the glass", "was handed a part"])
async def test_s27_whom_nobody_chose_stands_by_an_alias_everywhere(
    store: Store, owner: Store, clock: FrozenClock, client: httpx.AsyncClient, who: str
) -> None:
    """A doctor who faces somebody violent in an emergency unit, and a nurse whom a doctor let in."""
    unit, citizen = await make_unit(store, clock), await make_citizen(store, clock)
    async with store.transaction() as tx:
        await set_push_target(tx, store.keys, citizen.actor, "fid", f"fid-{citizen.patient_id}", clock.now())
    if who == "broke the glass":
        hidden = await make_doctor(store, clock, unit.facility, name=NAME)
        await place_in(store, hidden, unit.facility, unit.unit_id)
        made = await unit.opened(citizen, hidden)
        known = {"emergency_id": [str(made.emergency_id)]}
    else:
        hidden = await make_doctor(store, clock, unit.facility, "nurse", name=NAME)
        grant = await granted(store, clock, unit.colleague, citizen, types=RECORD_TYPES)
        known = {"grant_id": [str(grant.grant_id)]}
        assert isinstance(await delegate(store, clock, unit.colleague, hidden, citizen), Delegation)
    await read_by(client, hidden, citizen)
    await work(store, clock, citizen)
    seen = Walker(client, clock, "citizen", citizen.token, citizen, known=known)
    marks = NAME, str(hidden.actor.licence)
    shown = telling(await walk(seen), *marks)
    listed = "/v1/me/emergency-access" if who == "broke the glass" else "/v1/me/exports/everything"
    assert shown >= {LOG, "/v1/me/who-can-see-me", listed}
    await protected(store, clock, hidden)
    told = await walk(seen)
    assert telling(told, *marks) == set()
    alias = alias_of(store.keys, citizen.patient_id, hidden.practitioner_id)
    assert {LOG, "/v1/me/who-can-see-me"} <= telling(told, alias)
    async with owner.transaction() as tx:
        sent = await tx.fetch("SELECT * FROM notification WHERE patient_id = $1", citizen.patient_id)
        sent += await tx.fetch("SELECT * FROM delivery WHERE patient_id = $1", citizen.patient_id)
    assert sent
    assert NAME not in str(sent)


async def test_s27_only_privacy_officers_of_the_own_house_and_operators_protect(
    store: Store, clock: FrozenClock
) -> None:
    home, away = await make_facility(store, clock), await make_facility(store, clock)
    doctor = await make_doctor(store, clock, home)
    stranger = await make_doctor(store, clock, away, "privacy-officer")
    admin = await make_doctor(store, clock, home, "facility-admin")
    for actor in (stranger, admin, doctor):
        assert code_of(await protected(store, clock, doctor, by=actor)) == "not-yours-to-change"
    # Of a facility where the doctor does not work, nobody asks.
    body = ProtectedPractitioner(practitioner_id=doctor.practitioner_id, facility_id=away.facility_id)
    async with store.transaction() as tx:
        made = await changes.propose(
            tx, stranger.actor, "practitioner-protection", body, "bị đe dọa", clock.now()
        )
    assert isinstance(made, UUID)
    second = await make_doctor(store, clock, away, "privacy-officer")
    prepared = await practitioners.prepare_credential(store.keys, clock.now(), None)
    async with store.transaction() as tx:
        answered = await changes.confirm(tx, store.keys, second.actor, made, prepared, clock.now())
    assert code_of(answered) == "not-in-register"


async def test_s27_the_health_department_names_a_protected_doctor_to_who_disputes_and_to_nobody_else(
    store: Store, owner: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    house = await make_facility(store, clock)
    doctor = await make_doctor(store, clock, house, name=NAME)
    analyst = await make_doctor(store, clock, await make_facility(store, clock), "department-analyst")
    officer = await make_doctor(store, clock, house, "privacy-officer")
    one, other = await make_citizen(store, clock), await make_citizen(store, clock)
    for citizen in (one, other):
        await read_by(client, doctor, citizen, 403)
    before = await rows(client, one, doctor)
    await protected(store, clock, doctor)
    body = {"seq": before[0]["seq"], "reason": "not-my-carer"}
    made = await client.post("/v1/me/access-reports", json=body, headers=bearer(one.token))
    path = f"/v1/department/access-reports/{made.json()['report_id']}/unmask"
    reason = {"reason": "tranh chấp đang được giải quyết"}
    # Not the facility's officer, and not without a reason.
    assert (await client.post(path, json=reason, headers=bearer(officer.token))).status_code == 403
    assert (await client.post(path, json={"reason": ""}, headers=bearer(analyst.token))).status_code == 400
    assert (await rows(client, one, doctor))[0]["actor_name"] is None
    assert (await client.post(path, json=reason, headers=bearer(analyst.token))).status_code == 200

    assert await rows(client, one, doctor) == before
    assert {row["actor_name"] for row in await rows(client, other, doctor)} == {None}
    log = (await log_of(client, one))["items"]
    assert [row["actor_role"] for row in log if row["action"] == "report:actor:unmask"] == [
        "department-analyst"
    ]
    await work(store, clock, one)
    async with owner.transaction() as tx:
        told = await tx.fetch("SELECT type FROM notification WHERE patient_id = $1", one.patient_id)
        written = await tx.fetch("SELECT entry FROM admin_event WHERE entry LIKE '%report:actor:unmask%'")
    assert "case-update" in {row["type"] for row in told}
    assert len(written) == 1
    assert NAME not in str(written)
