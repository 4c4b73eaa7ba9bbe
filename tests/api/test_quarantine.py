"""The quarantine over HTTP: officers place and return units, reviewers judge lines."""

from typing import Any

import httpx

from store.database import Store
from tests.ehr.intake.records import allergy, bundle, send
from tests.ehr.quarantine.test_reviews import medication
from tests.ehr.quarantine.test_units import conflicting
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, make_doctor, make_facility

WHY = {"reason": "đối chiếu giấy tờ"}


async def post(client: httpx.AsyncClient, path: str, token: str, body: dict[str, Any]) -> httpx.Response:
    return await client.post(f"/v1/registry/{path}", json=WHY | body, headers=bearer(token))


async def test_two_officers_place_a_unit_and_a_third_returns_another(
    store: Store, clock: FrozenClock
) -> None:
    sender, citizen = await make_facility(store, clock), await make_citizen(store, clock)
    officers = [
        await make_doctor(store, clock, await make_facility(store, clock), "registry-officer")
        for _ in range(2)
    ]
    first, second = (officer.token for officer in officers)
    admin = await make_doctor(store, clock, sender, "facility-admin")
    for ident in ("a1", "a2"):
        await send(store, clock, sender, conflicting(citizen, allergy("Latex", ident)), ident)
    async with client_of(store, clock) as client:
        path = f"/v1/registry/quarantine?facility_id={sender.facility_id}&limit=1"
        page = (await client.get(path, headers=bearer(first))).json()
        rest = (await client.get(f"{path}&cursor={page['next_cursor']}", headers=bearer(first))).json()
        one, two = (listed["items"][0]["quarantine_id"] for listed in (page, rest))
        assert citizen.name not in str(page)

        shown = (await post(client, f"quarantine/{one}/comparison", first, {})).json()
        chosen = {"patient_id": shown["known"][0]["patient_id"]}
        assert chosen == {"patient_id": str(citizen.patient_id)}
        proposed = await post(client, f"quarantine/{one}/resolution", first, chosen)
        assert proposed.json() == {"state": "proposed"}
        again = await post(client, f"quarantine/{one}/resolution", first, chosen)
        assert (again.status_code, again.json()["code"]) == (409, "second-officer-needed")
        assert (await post(client, f"quarantine/{one}/resolution", second, chosen)).json() == {
            "state": "resolved"
        }

        returned = await post(client, f"quarantine/{two}/return", first, {"code": "birth-date-wrong"})
        assert returned.json() == {"state": "returned"}
        gone = await post(client, f"quarantine/{two}/comparison", first, {})
        assert (gone.status_code, gone.json()["code"]) == (404, "not-waiting")
        back = (await client.get("/v1/facility/quarantine", headers=bearer(admin.token))).json()
        assert [item["code"] for item in back["items"]] == ["birth-date-wrong"]


async def test_a_reviewer_opens_and_releases_a_line(store: Store, clock: FrozenClock) -> None:
    sender, citizen = await make_facility(store, clock), await make_citizen(store, clock)
    reviewer = await make_doctor(store, clock, await make_facility(store, clock), "privacy-officer")
    await send(store, clock, sender, bundle(citizen, medication()))
    async with client_of(store, clock) as client:
        path = f"/v1/registry/reviews?facility_id={sender.facility_id}"
        (listed,) = (await client.get(path, headers=bearer(reviewer.token))).json()["items"]
        line = await post(client, f"reviews/{listed['quarantine_id']}/open", reviewer.token, {})
        assert line.json()["items"][0]["title"] == "Tenofovir 300mg"
        released = await post(client, f"reviews/{listed['quarantine_id']}/release", reviewer.token, {})
        assert released.json() == {"state": "released"}
        book = await client.get("/v1/me/medications", headers=bearer(citizen.token))
        assert "Tenofovir 300mg" in book.text
        again = await post(client, f"reviews/{listed['quarantine_id']}/withhold", reviewer.token, {})
        assert again.status_code == 404
