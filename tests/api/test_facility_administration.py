"""Facilities that run themselves (S16): what one administrator may, what takes two, and who left."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, get_args
from uuid import UUID

import httpx
import pytest
from msgspec.structs import fields

from api.facility.administration import FacilityChange
from identity.facility_admin import activation
from identity.register import changes
from identity.register.changes import BY_ADMINISTRATORS, NewClient
from identity.register.facilities import code_of, facility_by_code
from identity.units.models import UnitKind
from kernel.clock import local_day
from store.database import Store
from tests.support.actors import make_operator
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.http import bearer, client_of
from tests.support.people import Doctor, make_citizen, make_doctor, make_facility, make_machine

REASON = "sắp xếp lại khoa phòng"


@dataclass
class House:
    """A facility with two administrators, and another facility's."""

    client: httpx.AsyncClient
    facility_id: UUID
    one: Doctor
    two: Doctor
    stranger: Doctor

    async def post(
        self, who: Doctor | str, path: str, body: dict[str, Any], **headers: str
    ) -> httpx.Response:
        token = who if isinstance(who, str) else who.token
        return await self.client.post(path, json=body, headers=bearer(token) | headers)

    async def get(self, who: Doctor, path: str, **params: Any) -> Any:
        answer = await self.client.get(path, params=params, headers=bearer(who.token))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def agreed(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Proposed by one administrator, confirmed by the other."""
        proposed = await self.post(self.one, path, body)
        assert proposed.status_code == 202, proposed.text
        change = f"/v1/admin/changes/{proposed.json()['change_id']}/confirm"
        alone = await self.post(self.one, change, {})
        assert alone.json()["code"] == "second-account-needed"
        done = await self.post(self.two, change, {})
        assert done.status_code == 201, done.text
        told: dict[str, Any] = done.json()
        return told


@pytest.fixture
async def house(store: Store, clock: FrozenClock) -> AsyncIterator[House]:
    facility, other = await make_facility(store, clock), await make_facility(store, clock)
    admins = [await make_doctor(store, clock, facility, role="facility-admin") for _ in range(2)]
    stranger = await make_doctor(store, clock, other, role="facility-admin")
    async with client_of(store, clock) as client:
        yield House(client, facility.facility_id, admins[0], admins[1], stranger)


async def test_one_administrator_keeps_the_departments(house: House) -> None:
    body = {"reason": REASON, "department": {"name": "Khoa Tâm thần", "discreet_name": "Phòng 7"}}
    made = await house.post(
        house.one, "/v1/facility/departments", body, **{"Idempotency-Key": "khoa-tam-than-0001"}
    )
    assert made.status_code == 201, made.text
    kept = made.json()
    assert (kept["kind"], kept["is_sensitive"]) == ("department", True)
    again = await house.post(
        house.one, "/v1/facility/departments", body, **{"Idempotency-Key": "khoa-tam-than-0001"}
    )
    assert again.json() == kept
    path = f"/v1/facility/departments/{kept['unit_id']}"
    renamed = {"reason": REASON, "department": {"name": "Khoa Nội", "specialty": "internal-medicine"}}
    changed = await house.client.put(path, json=renamed, headers=bearer(house.one.token))
    assert changed.json()["is_sensitive"], "a department that was sensitive stays so while it is open"
    foreign = await house.client.put(path, json=renamed, headers=bearer(house.stranger.token))
    assert foreign.json()["code"] == "unit-unknown"
    shown = await house.get(house.one, f"/v1/facilities/{house.facility_id}")
    assert [one["name"] for one in shown["departments"]] == ["Khoa Nội"]
    assert shown["specialties"] == ["internal-medicine"]
    wrong = {"reason": REASON, "department": {"name": "Khoa", "specialty": "astrology"}}
    assert (await house.post(house.one, "/v1/facility/departments", wrong)).json()[
        "code"
    ] == "specialty-unknown"
    assert (await house.post(house.stranger, path + "/close", {"reason": REASON})).status_code == 404
    assert (await house.post(house.one, path + "/close", {"reason": REASON})).status_code == 204
    assert (await house.post(house.one, path + "/close", {"reason": REASON})).json()["code"] == "unit-unknown"
    assert (await house.get(house.one, "/v1/facility/departments"))["items"] == []


async def test_an_emergency_unit_is_neither_renamed_nor_closed_by_one(house: House) -> None:
    new = {"facility_id": str(house.facility_id), "kind": "emergency", "name": "Khoa Cấp cứu"}
    made = await house.agreed("/v1/admin/facility-units", {"reason": REASON, "unit": new})
    path = f"/v1/facility/departments/{made['created_id']}"
    assert (await house.post(house.one, path + "/close", {"reason": REASON})).json()["code"] == "unit-unknown"
    body = {"reason": REASON, "department": {"name": "Khoa Khác"}}
    changed = await house.client.put(path, json=body, headers=bearer(house.one.token))
    assert changed.json()["code"] == "unit-unknown"


async def test_departments_are_paged_and_none_is_cut(house: House) -> None:
    for number in range(5):
        body = {"reason": REASON, "department": {"name": f"Khoa {number}"}}
        assert (await house.post(house.one, "/v1/facility/departments", body)).status_code == 201
    seen, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = await house.get(house.one, "/v1/facility/departments", limit=2, **more)
        seen += [one["name"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(seen) == [f"Khoa {number}" for number in range(5)]


async def test_s16_roles_are_given_to_existing_licences_only(
    house: House, store: Store, clock: FrozenClock
) -> None:
    other = await make_facility(store, clock)
    elsewhere = await make_doctor(store, clock, other)
    clerk = await make_doctor(store, clock, other, role="clerk")
    licence = await _licence(store, elsewhere)
    found = await house.post(house.one, "/v1/facility/licence-look-ups", {"licence": licence})
    assert found.json()["practitioner_id"] == str(elsewhere.practitioner_id)
    none = await house.post(house.one, "/v1/facility/licence-look-ups", {"licence": "KHÔNG-CÓ"})
    assert none.json()["code"] == "not-in-register"

    role = {"facility_id": str(house.facility_id), "role": "doctor"}
    async with store.transaction() as tx:
        await tx.execute(
            "UPDATE practitioner SET licence = NULL WHERE practitioner_id = $1", clerk.practitioner_id
        )
    body = {"reason": REASON, "practitioner_role": role | {"practitioner_id": str(clerk.practitioner_id)}}
    refused = await house.post(house.one, "/v1/admin/practitioner-roles", body)
    assert refused.json()["code"] == "licence-needed"
    body = {"reason": REASON, "practitioner_role": role | {"practitioner_id": str(elsewhere.practitioner_id)}}
    made = await house.agreed("/v1/admin/practitioner-roles", body)
    staff = (await house.get(house.two, "/v1/facility/staff"))["items"]
    assert made["created_id"] in {one["practitioner_role_id"] for one in staff}
    assert (await house.get(house.stranger, "/v1/facility/staff"))["items"] != staff


async def _licence(store: Store, doctor: Doctor) -> str | None:
    async with store.transaction() as tx:
        found: str | None = await tx.fetchval(
            "SELECT licence FROM practitioner WHERE practitioner_id = $1", doctor.practitioner_id
        )
    return found


async def test_who_waits_for_a_second_person_is_listed_to_the_facility_alone(house: House) -> None:
    new = {"facility_id": str(house.facility_id), "kind": "facility-system", "name": "HIS"}
    proposed = await house.post(house.one, "/v1/admin/facility-systems", {"reason": REASON, "client": new})
    change_id = proposed.json()["change_id"]
    [mine] = (await house.get(house.one, "/v1/facility/register-changes"))["items"]
    assert (mine["change_id"], mine["is_own"], mine["change"]["name"]) == (change_id, True, "HIS")
    [theirs] = (await house.get(house.two, "/v1/facility/register-changes"))["items"]
    assert not theirs["is_own"]
    assert (await house.get(house.stranger, "/v1/facility/register-changes"))["items"] == []


def test_a_waiting_proposal_shows_every_member_that_an_administrator_may_propose() -> None:
    for kind in BY_ADMINISTRATORS:
        proposed = {field.name: field.type for field in fields(changes._BODIES[kind])}
        assert set(proposed) <= {field.name for field in fields(FacilityChange)}, kind
    kinds = {*get_args(NewClient.__annotations__["kind"]), *get_args(UnitKind)}
    [shown] = [field.type for field in fields(FacilityChange) if field.name == "kind"]
    assert {value for kind in get_args(shown) for value in get_args(kind)} == kinds


async def test_a_system_is_made_renewed_and_ended_and_its_secret_shown_once(house: House) -> None:
    new = {"facility_id": str(house.facility_id), "kind": "facility-system", "name": "HIS"}
    made = await house.agreed("/v1/admin/facility-systems", {"reason": REASON, "client": new})
    token = await _token(house, made["created_id"], made["client_secret"])
    assert (await _acts(house, token)) != 401
    listed = await house.get(house.one, "/v1/facility/systems")
    assert made["client_secret"] not in str(listed)

    which = {"facility_id": str(house.facility_id), "client_id": made["created_id"]}
    renewed = await house.agreed("/v1/admin/facility-systems/secret", {"reason": REASON, "client": which})
    assert await _acts(house, token) == 401, "the sessions of the older secret end"
    assert (await _sign_in(house, made["created_id"], made["client_secret"])).status_code != 200
    token = await _token(house, made["created_id"], renewed["client_secret"])

    path = f"/v1/facility/systems/{made['created_id']}/end"
    assert (await house.post(house.stranger, path, {"reason": REASON})).json()["code"] == "not-in-register"
    assert (await house.post(house.one, path, {"reason": REASON})).status_code == 204
    assert await _acts(house, token) == 401
    assert (await _sign_in(house, made["created_id"], renewed["client_secret"])).status_code != 200


async def test_administrators_make_no_kiosk_here_and_nothing_of_another_facility(
    house: House, store: Store, clock: FrozenClock
) -> None:
    kiosk = {"facility_id": str(house.facility_id), "kind": "kiosk", "name": "Kiosk"}
    refused = await house.post(house.one, "/v1/admin/facility-systems", {"reason": REASON, "client": kiosk})
    assert refused.json()["code"] == "not-yours-to-change"
    foreign = {"facility_id": str(house.facility_id), "kind": "facility-system", "name": "HIS"}
    refused = await house.post(
        house.stranger, "/v1/admin/facility-systems", {"reason": REASON, "client": foreign}
    )
    assert refused.json()["code"] == "not-yours-to-change"
    machine = await make_machine(store, clock, await make_facility(store, clock))
    which = {"facility_id": str(house.facility_id), "client_id": str(machine.client_id)}
    body = {"reason": REASON, "client": which}
    proposed = await house.post(house.one, "/v1/admin/facility-systems/secret", body)
    done = await house.post(house.two, f"/v1/admin/changes/{proposed.json()['change_id']}/confirm", {})
    assert done.json()["code"] == "not-in-register", "another facility's machine"


async def _sign_in(house: House, client_id: str, secret: str) -> httpx.Response:
    body = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return await house.client.post("/v1/auth/token", json=body)


async def _token(house: House, client_id: str, secret: str) -> str:
    signed = await _sign_in(house, client_id, secret)
    assert signed.status_code == 200, signed.text
    return str(signed.json()["access_token"])


async def _acts(house: House, token: str) -> int:
    answer = await house.client.get("/v1/facility/referrals/sent", headers=bearer(token))
    return answer.status_code


async def test_s16_whoever_leaves_loses_every_grant_on_the_next_request(
    house: House, store: Store, clock: FrozenClock
) -> None:
    """No worker runs here: nothing has to be swept for the end to hold."""
    facility = await make_facility(store, clock)
    admins = [await make_doctor(store, clock, facility, role="facility-admin") for _ in range(2)]
    doctor, citizen = await make_doctor(store, clock, facility), await make_citizen(store, clock)
    await granted(store, clock, doctor, citizen)
    path = f"/v1/doctor/patients/{citizen.patient_id}/summary"
    assert (await house.client.get(path, headers=bearer(doctor.token))).status_code == 200
    ended = {
        "practitioner_role_id": str(doctor.practitioner_role_id),
        "facility_id": str(facility.facility_id),
    }
    proposed = await house.post(
        admins[0], "/v1/admin/practitioner-roles/end", {"reason": REASON, "practitioner_role": ended}
    )
    assert (await house.client.get(path, headers=bearer(doctor.token))).status_code == 200
    done = await house.post(admins[1], f"/v1/admin/changes/{proposed.json()['change_id']}/confirm", {})
    assert done.status_code == 201, done.text
    assert (await house.client.get(path, headers=bearer(doctor.token))).status_code == 401
    grants = await house.client.get("/v1/me/grants", headers=bearer(citizen.token))
    assert grants.status_code == 200


async def test_s16_an_administrator_who_left_administers_nothing(
    house: House, store: Store, clock: FrozenClock
) -> None:
    new = {"facility_id": str(house.facility_id), "kind": "facility-system", "name": "HIS"}
    proposed = await house.post(house.one, "/v1/admin/facility-systems", {"reason": REASON, "client": new})
    ended = {
        "practitioner_role_id": str(house.two.practitioner_role_id),
        "facility_id": str(house.facility_id),
    }
    body = {"reason": REASON, "practitioner_role": ended}
    end = await house.post(house.one, "/v1/admin/practitioner-roles/end", body)
    operator = await make_operator(store, clock)
    confirm = "/v1/admin/changes/{}/confirm"
    assert (await house.post(operator, confirm.format(end.json()["change_id"]), {})).status_code == 201
    late = await house.post(house.two, confirm.format(proposed.json()["change_id"]), {})
    assert late.status_code == 401
    body = {"reason": REASON, "department": {"name": "Khoa Sau"}}
    assert (await house.post(house.two, "/v1/facility/departments", body)).status_code == 401


async def test_the_printed_code_makes_the_first_administrator_over_http(
    house: House, store: Store, clock: FrozenClock
) -> None:
    facility = await make_facility(store, clock)
    async with store.transaction() as tx:
        code = (await activation.issue(tx, facility.facility_id, clock.now())).code
    body = {"code": code, "name": "Lê Thị Quản Trị"}
    made = await house.client.post("/v1/auth/facility-activations", json=body)
    assert made.status_code == 201, made.text
    told = made.json()
    assert set(told) == {"practitioner_id", "user_name", "initial_password", "totp_secret"}
    for wrong in (body, {"code": "A" * 26, "name": "X"}):
        refused = await house.client.post("/v1/auth/facility-activations", json=wrong)
        assert (refused.status_code, refused.json()["code"]) == (401, "facility-code-refused")
    async with store.transaction() as tx:
        late = (await activation.issue(tx, facility.facility_id, clock.now())).code
    clock.advance(days=31)
    refused = await house.client.post("/v1/auth/facility-activations", json={"code": late, "name": "X"})
    assert refused.json()["code"] == "facility-code-refused"


async def test_wrong_codes_of_one_network_are_counted_and_lock_out_no_right_one(
    house: House, store: Store, clock: FrozenClock
) -> None:
    body = {"code": "A" * 26, "name": "X"}
    codes = [
        (await house.client.post("/v1/auth/facility-activations", json=body)).json()["code"]
        for _ in range(62)
    ]
    assert codes[-1] == "too-many"
    assert set(codes) == {"facility-code-refused", "too-many"}
    async with store.transaction() as tx:
        code = (await activation.issue(tx, house.facility_id, clock.now())).code
    made = await house.client.post("/v1/auth/facility-activations", json={"code": code, "name": "X"})
    assert made.status_code == 201, made.text


async def test_details_of_the_own_facility_are_searched_at_once(
    house: House, store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    details = {
        "address": "Số 1, Phố Mẫu",
        "latitude": 12.345,
        "longitude": 107.5,
        "specialties": ["ophthalmology"],
        "hours": {"openings": [{"days": [1, 2, 3, 4, 5, 6, 7], "opens": "00:00", "closes": "24:00"}]},
    }
    kept = await house.client.put(
        "/v1/facility/directory",
        json={"reason": REASON, "details": details},
        headers=bearer(house.one.token),
    )
    assert kept.status_code == 200, kept.text
    near = {"lat": 12.345, "lon": 107.5, "specialty": "ophthalmology"}
    found = await house.client.get("/v1/facilities", params=near, headers=bearer(citizen.token))
    first = found.json()["items"][0]
    assert (first["facility_id"], first["metres"], first["open_now"]) == (str(house.facility_id), 0, True)
    half = await house.client.get("/v1/facilities", params={"lat": 12.3}, headers=bearer(citizen.token))
    assert half.json()["code"] == "position-half"
    for query in ({}, {"q": "bv"}):
        short = await house.client.get("/v1/facilities", params=query, headers=bearer(citizen.token))
        assert (short.status_code, short.json()["code"]) == (400, "search-too-short")
    none = await house.client.get(
        "/v1/facilities/" + "0" * 8 + "-0000-7000-8000-" + "0" * 12, headers=bearer(citizen.token)
    )
    assert none.json()["code"] == "facility-unknown"
    listed = await house.client.get("/v1/specialties", headers=bearer(citizen.token))
    assert {"code": "ophthalmology", "name": "Mắt"} in listed.json()["items"]
    places = await house.client.get("/v1/places/province", headers=bearer(citizen.token))
    assert places.json() == {"items": [], "next": None}


async def test_a_unit_by_two_people_is_judged_as_a_department_is(
    house: House, store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = {"facility_id": str(house.facility_id), "kind": "emergency", "name": "Cấp cứu"}
    for wrong, code in (
        ({"specialty": "astrology"}, "specialty-unknown"),
        ({"is_sensitive": True, "discreet_name": "Quầy HIV"}, "discreet-name-tells"),
    ):
        body = {"reason": REASON, "unit": unit | wrong}
        refused = await house.post(house.one, "/v1/admin/facility-units", body)
        assert (refused.status_code, refused.json()["code"]) == (400, code)
    good = unit | {"specialty": "emergency-medicine"}
    proposed = await house.post(house.one, "/v1/admin/facility-units", {"reason": REASON, "unit": good})
    confirm = f"/v1/admin/changes/{proposed.json()['change_id']}/confirm"
    monkeypatch.setattr("identity.units.service.UNITS_MAX", 0)
    full = await house.post(house.two, confirm, {})
    assert (full.status_code, full.json()["code"]) == (409, "units-full")
    monkeypatch.undo()
    made = await house.post(house.two, confirm, {})
    assert made.status_code == 201, made.text
    shown = await house.get(house.one, f"/v1/facilities/{house.facility_id}")
    assert shown["specialties"] == ["emergency-medicine"], "found under what its units are for"
    ended = {"facility_id": str(house.facility_id), "unit_id": made.json()["created_id"]}
    await house.agreed("/v1/admin/facility-units/end", {"reason": REASON, "unit": ended})
    shown = await house.get(house.one, f"/v1/facilities/{house.facility_id}")
    assert shown["specialties"] == []


async def test_another_code_of_a_facility_counts_from_its_day_on(
    house: House, store: Store, clock: FrozenClock
) -> None:
    """By two operators; the code before it ends the day before, and no other facility gets it meanwhile."""
    operators = [await make_operator(store, clock) for _ in range(2)]
    facility, other = await make_facility(store, clock), await make_facility(store, clock)
    today = local_day(clock.now())
    async with store.transaction() as tx:
        old, taken = [await code_of(tx, one.facility_id, today) for one in (facility, other)]
    day = today + timedelta(days=10)

    async def ask(code: str, day: date, system: str = "cskcb-5") -> httpx.Response:
        new = {"facility_id": str(facility.facility_id), "system": system, "code": code}
        body = {"reason": REASON, "facility_code": new | {"valid_from": day.isoformat()}}
        proposed = await house.post(operators[0], "/v1/admin/facility-codes", body)
        assert proposed.status_code == 202, proposed.text
        change = f"/v1/admin/changes/{proposed.json()['change_id']}/confirm"
        return await house.post(operators[1], change, {})

    assert (await ask("99ZX1", day)).status_code == 201
    async with store.transaction() as tx:
        on = [await code_of(tx, facility.facility_id, day + timedelta(days=n)) for n in (-1, 0)]
        assert on == [old, "99ZX1"]
        assert await facility_by_code(tx, "99ZX1", day - timedelta(days=1)) is None
        assert await facility_by_code(tx, old or "", day) is None
    for code, on_day, system, where in (
        (taken or "", day + timedelta(days=1), "cskcb-5", "register-entry-exists"),
        ("99ZX2", day, "cskcb-5", "register-entry-exists"),  # two codes would count from that day on
        ("99ZX2", today - timedelta(days=400), "cskcb-5", "register-entry-exists"),
        ("99ZX2", day, "qd1551-13", "not-in-register"),
    ):
        assert (await ask(code, on_day, system)).json()["code"] == where, (code, on_day)
    assert (await ask("9900000009991", day, "qd1551-13")).status_code == 201
    async with store.transaction() as tx:
        assert await code_of(tx, facility.facility_id, day) == "99ZX1"
    body = {"facility_id": str(house.facility_id), "system": "cskcb-5", "code": "99ZX3"}
    refused = await house.post(
        house.one,
        "/v1/admin/facility-codes",
        {"reason": REASON, "facility_code": body | {"valid_from": day.isoformat()}},
    )
    assert refused.status_code == 403, "operators alone"
