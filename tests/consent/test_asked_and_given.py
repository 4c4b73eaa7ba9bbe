"""What a practitioner asked, and what the person made of it, as the asking side sees both."""

from datetime import UTC, date, datetime
from typing import Any

import httpx

from consent.models import Grant
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import approve, asked
from tests.support.http import bearer
from tests.support.people import Citizen, Doctor, new_number


async def state_of(client: httpx.AsyncClient, doctor: Doctor, request_id: object) -> dict[str, Any]:
    answered = await client.get(f"/v1/doctor/access-requests/{request_id}", headers=bearer(doctor.token))
    found: dict[str, Any] = answered.json()
    return found


async def test_what_was_asked_stands_beside_the_state_whoever_was_asked(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    wish: dict[str, Any] = {
        "types": frozenset({"Condition", "AllergyIntolerance"}),
        "since": date(2026, 1, 1),
        "duration_seconds": 3600,
        "kind": "national-id",
    }
    for number in (citizen.number, new_number()):
        request = await asked(store, clock, doctor, value=number, **wish)
        state = await state_of(client, doctor, request.request_id)
        assert (state["state"], state["given"], state["grant_id"]) == ("waiting", None, None)
        assert state["asked"] == {
            "purpose": "TREAT",
            "types": ["AllergyIntolerance", "Condition"],
            "since": "2026-01-01",
            "until": None,
            "duration_seconds": 3600,
        }


async def test_what_the_person_left_out_shows_and_nothing_of_labels(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, doctor: Doctor, citizen: Citizen
) -> None:
    request = await asked(store, clock, doctor, citizen)
    grant = await approve(
        store,
        clock,
        doctor,
        citizen,
        request.request_id,
        types=frozenset({"AllergyIntolerance"}),
        since=date(2026, 1, 1),
        duration_seconds=3600,
    )
    assert isinstance(grant, Grant)
    state = await state_of(client, doctor, request.request_id)
    assert len(state["asked"]["types"]) > 1
    given = state["given"]
    assert set(given) == {"types", "since", "until", "starts_at", "ends_at"}
    assert (given["types"], given["since"], given["until"]) == (["AllergyIntolerance"], "2026-01-01", None)
    assert datetime.fromisoformat(given["ends_at"]).astimezone(UTC) == grant.ends_at
