"""People find a facility to ask, from what the public register says."""

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, make_facility
from visits.directory.service import PAGE


async def test_a_facility_is_found_by_name_without_tones_and_by_code(
    store: Store, clock: FrozenClock
) -> None:
    facility, citizen = await make_facility(store, clock), await make_citizen(store, clock)
    async with store.transaction() as tx:
        await tx.execute(
            "UPDATE facility SET name = 'Trạm Y tế xã Đồng Ỷ Lười' WHERE facility_id = $1",
            facility.facility_id,
        )
        code = await tx.fetchval(
            "SELECT code FROM facility_code WHERE facility_id = $1 AND system = 'cskcb-5'",
            facility.facility_id,
        )
    own = {"facility_id": str(facility.facility_id), "name": "Trạm Y tế xã Đồng Ỷ Lười", "code": code}
    async with client_of(store, clock) as client:
        for words in ("dong y luoi", "ĐỒNG ỷ", " Tram  y te xa dong y ", code, code.lower()):
            found = await client.get("/v1/facilities", params={"q": words}, headers=bearer(citizen.token))
            assert found.status_code == 200, found.text
            told = [{key: one[key] for key in own} for one in found.json()["items"]]
            assert own in told, words
        for words in ("dong y luoi nao", "khong co o dau"):
            found = await client.get("/v1/facilities", params={"q": words}, headers=bearer(citizen.token))
            assert found.json()["items"] == []


async def test_no_place_has_a_code_of_another_form(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        for code in ("%00", "A%00", "a%0A", "%25", "X" * 13):
            found = await client.get(f"/v1/places/commune/{code}", headers=bearer(citizen.token))
            assert (found.status_code, found.json()) == (200, {"items": []}), code
        for query in ({"parent": "\0"}, {"parent": "x\0y"}, {"on": "9999-12-31"}):
            found = await client.get("/v1/places/commune", params=query, headers=bearer(citizen.token))
            assert found.status_code in {200, 400}, (query, found.text)
        for query in ({"commune": "\0"}, {"specialty": "\0"}, {"q": "tram\0yte"}):
            found = await client.get("/v1/facilities", params=query, headers=bearer(citizen.token))
            assert found.status_code in {200, 400}, (query, found.text)


async def test_the_longest_names_are_paged_too(store: Store, clock: FrozenClock) -> None:
    citizen, longest = await make_citizen(store, clock), "zế" * 100
    for _ in range(PAGE + 2):
        await make_facility(store, clock, name=longest)
    asked = {"q": "zeze"}
    seen = []
    async with client_of(store, clock) as client:
        for _ in range(4):
            page = await client.get("/v1/facilities", params=asked, headers=bearer(citizen.token))
            assert page.status_code == 200, page.text
            seen += [one["facility_id"] for one in page.json()["items"]]
            if page.json()["next"] is None:
                break
            asked["cursor"] = page.json()["next"]
    assert len(seen) == len(set(seen)) == PAGE + 2
