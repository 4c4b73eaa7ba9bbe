"""Wishes: the person's own words, shown only where they are ticked for, and taken back at once."""

from typing import Any

import httpx
import pytest

from store.database import Store
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.emergency_card import signed
from tests.support.exports import pdf_pages, step_up
from tests.support.http import bearer
from tests.support.people import Citizen, Doctor

WISHES = "/v1/me/wishes"
SAID = "Không thở máy kéo dài khi không còn hồi phục"


async def state(
    client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen, kind: str, **said: Any
) -> httpx.Response:
    body = {"choice": None, "text": "", "shown_to_doctors": False, "shown_on_paper": False} | said
    facts = {
        "kind": kind,
        "choice": body["choice"] or "",
        "text": body["text"],
        "shown_to_doctors": "yes" if body["shown_to_doctors"] else "no",
        "shown_on_paper": "yes" if body["shown_on_paper"] else "no",
    }
    body["signed"] = body.get("signed") or signed(citizen, "wish", clock.now(), facts)
    return await client.put(f"{WISHES}/{kind}", json=body, headers=bearer(citizen.token))


async def seen(client: httpx.AsyncClient, doctor: Doctor, citizen: Citizen) -> httpx.Response:
    path = f"/v1/doctor/patients/{citizen.patient_id}/wishes"
    return await client.get(path, headers=bearer(doctor.token))


async def test_a_wish_is_a_signed_version_and_both_ticks_are_the_persons(
    store: Store, owner: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    first = await state(client, clock, citizen, "treatment-limits", text=SAID)
    assert (first.status_code, first.json()["version"]) == (200, 1)
    second = await state(client, clock, citizen, "treatment-limits", text=SAID + " nữa")
    assert second.json()["version"] == 2
    listed = (await client.get(WISHES, headers=bearer(citizen.token))).json()
    assert [one["text"] for one in listed["items"]] == [SAID + " nữa"]
    assert "không phải văn bản pháp lý" in listed["notice_vi"]
    async with owner.transaction() as tx:
        dumped = await tx.fetchval("SELECT string_agg(w::text, ' ') FROM wish w")
    assert "thở máy" not in dumped


async def test_s11_a_wish_needs_the_step_up_key_over_every_word_and_taking_back_does_not(
    client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    facts = {
        "kind": "trusted-person",
        "choice": "",
        "text": "Chị Hai",
        "shown_to_doctors": "no",
        "shown_on_paper": "no",
    }
    for act in (
        signed(citizen, "wish", clock.now(), facts, refresh_key=True),
        signed(citizen, "wish", clock.now(), facts | {"shown_to_doctors": "yes"}),
        signed(citizen, "wish", clock.now(), facts | {"text": "Chị Ba"}),
        signed(citizen, "emergency-card", clock.now(), facts),
    ):
        refused = await state(client, clock, citizen, "trusted-person", text="Chị Hai", signed=act)
        assert refused.json()["code"] == "step-up-refused"
    assert (await state(client, clock, citizen, "trusted-person", text="Chị Hai")).status_code == 200
    gone = await client.delete(f"{WISHES}/trusted-person", headers=bearer(citizen.token))
    assert gone.status_code == 204
    again = await client.delete(f"{WISHES}/trusted-person", headers=bearer(citizen.token))
    assert again.json()["code"] == "wish-unknown"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("organ-donation", {"text": "có"}),
        ("treatment-limits", {"text": "  "}),
        ("trusted-person", {"choice": "yes", "text": "x"}),
    ],
)
async def test_a_wish_says_what_its_kind_needs(
    client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen, kind: str, said: dict[str, Any]
) -> None:
    assert (await state(client, clock, citizen, kind, **said)).json()["code"] == "wish-empty"


async def test_a_doctor_sees_only_the_ticked_wish_under_a_grant_and_nothing_after_it_is_taken_back(
    store: Store, client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen, doctor: Doctor
) -> None:
    await state(client, clock, citizen, "treatment-limits", text=SAID, shown_to_doctors=True)
    await state(client, clock, citizen, "organ-donation", choice="yes")
    assert (await seen(client, doctor, citizen)).json()["code"] == "no-access"
    grant = await steps.granted(store, clock, doctor, citizen)
    shown = (await seen(client, doctor, citizen)).json()
    assert [(one["kind"], one["text"]) for one in shown["items"]] == [("treatment-limits", SAID)]
    assert "không phải văn bản pháp lý" in shown["notice_vi"]
    await client.delete(f"{WISHES}/treatment-limits", headers=bearer(citizen.token))
    none = await seen(client, doctor, citizen)
    assert none.json()["items"] == []
    assert none.json()["notice_vi"] == shown["notice_vi"]
    await steps.revoke(store, clock, citizen, grant.grant_id)
    assert (await seen(client, doctor, citizen)).json()["code"] == "no-access"


async def test_a_doctors_look_at_wishes_stands_in_the_log(
    store: Store,
    owner: Store,
    client: httpx.AsyncClient,
    clock: FrozenClock,
    citizen: Citizen,
    doctor: Doctor,
) -> None:
    await steps.granted(store, clock, doctor, citizen)
    await seen(client, doctor, citizen)
    sql = "SELECT count(*) FROM access_log WHERE patient_id = $1 AND entry LIKE '%record:wishes:read%'"
    assert await steps.count(owner, sql, citizen.patient_id) == 1


async def test_the_printed_book_has_a_wish_only_where_it_is_ticked(
    client: httpx.AsyncClient, clock: FrozenClock, citizen: Citizen
) -> None:
    await state(client, clock, citizen, "treatment-limits", text=SAID)

    async def printed() -> str:
        headers = bearer(citizen.token) | step_up(citizen, "book", clock.now())
        response = await client.get("/v1/me/exports/book.pdf", headers=headers)
        assert response.status_code == 200
        return " ".join(" ".join(pdf_pages(response.content)).split())

    plain = await printed()
    assert "Nguyện vọng" not in plain
    assert "thở máy" not in plain
    await state(client, clock, citizen, "treatment-limits", text=SAID, shown_on_paper=True)
    told = await printed()
    assert SAID in told
    assert "không phải văn bản pháp lý" in told
