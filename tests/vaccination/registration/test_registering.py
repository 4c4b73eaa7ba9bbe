"""Registering for a campaign: who fits, places, the waiting list, relatives, the facility's list, closing."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from consent.decision import Job, decide_job
from identity.sessions import open_citizen_session
from kernel.clock import local_day
from store.database import Store, open_store
from store.postgres import Server
from tests.support.clock import FrozenClock
from tests.support.family import actor_now, make_child, make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, sign_in_again
from tests.support.record import write
from tests.support.registering import (
    CAMPAIGNS,
    DESK,
    ME,
    Site,
    answers,
    campaign_body,
    cancel,
    make_campaign,
    make_site,
    people,
    register,
    registered,
    run,
    state_of,
    told,
)
from tests.support.registry import make_officers, merged
from vaccination.registration.policy import CLOSE_JOB, SLOT_JOB
from vaccination.registration.retention import housekeeping
from vaccination.registration.service import own_list


@pytest.fixture
async def site(store: Store, clock: FrozenClock) -> Site:
    return await make_site(store, clock)


@pytest.fixture
async def second(server: Server, database: str, store: Store) -> AsyncIterator[Store]:
    """Another process of the program on the same database."""
    opened = await open_store(
        server.dsn("hb_api", database), role="hb_api", keys=store.keys, blobs=store.blobs
    )
    yield opened
    await opened.close()


async def rows_of(store: Store, campaign: dict[str, Any]) -> list[tuple[UUID, str]]:
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT registration_id, state FROM vaccination_registration WHERE campaign_id = $1",
            UUID(campaign["campaign_id"]),
        )
    return [(row["registration_id"], row["state"]) for row in rows]


async def both_ends_agree(store: Store, campaign: dict[str, Any]) -> bool:
    """Whether the person's end and the facility's end of every registration say the same."""
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT b.booking_id, b.state FROM slot_booking b JOIN slot s USING (facility_id, slot_id)"
            " WHERE s.group_id = $1",
            UUID(campaign["campaign_id"]),
        )
    return sorted((row["booking_id"], row["state"]) for row in rows) == sorted(await rows_of(store, campaign))


async def acts(store: Store, patient_id: UUID) -> list[str]:
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT entry FROM access_log WHERE patient_id = $1 ORDER BY seq", patient_id)
    found = [json.loads(row["entry"])["action"] for row in rows]
    return [one for one in found if one.startswith("vaccination:")]


# -- places and the waiting list


async def test_fifty_people_at_once_over_two_stores_for_ten_places(
    store: Store, second: Store, clock: FrozenClock, site: Site
) -> None:
    crowd = await people(store, clock, 50)
    async with client_of(store, clock) as one, client_of(second, clock) as other:
        campaign = await make_campaign(one, clock, site, 10)
        made = await asyncio.gather(
            *(register((one, other)[n % 2], who, campaign) for n, who in enumerate(crowd))
        )
        assert [answer.status_code for answer in made] == [201] * 50
        assert Counter(answer.json()["state"] for answer in made) == {"booked": 10, "waiting": 40}
        shown = await one.get(f"{CAMPAIGNS}/{campaign['campaign_id']}", headers=site.plans)
        assert [(slot["free"], slot["waiting"]) for slot in shown.json()["slots"]] == [(0, 40)]
    assert await both_ends_agree(store, campaign)


async def test_one_person_at_once_for_every_slot_of_a_campaign_gets_one(
    store: Store, second: Store, clock: FrozenClock, site: Site
) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as one, client_of(second, clock) as other:
        campaign = await make_campaign(one, clock, site, *[3] * 8)
        made = await asyncio.gather(*(register((one, other)[n % 2], person, campaign, n) for n in range(8)))
        assert Counter(answer.status_code for answer in made) == {201: 1, 409: 7}
        assert {answer.json()["code"] for answer in made if answer.status_code == 409} == {
            "vaccination-registered"
        }
    assert len(await rows_of(store, campaign)) == 1
    assert await both_ends_agree(store, campaign)


async def test_the_same_request_sent_again_is_the_same_registration(
    store: Store, clock: FrozenClock, site: Site
) -> None:
    person = await make_citizen(store, clock)
    headers = bearer(person.token) | {"Idempotency-Key": "01985e2c-7a00-7abc-8def-0123456789ab"}
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 5)
        made = [await register(client, headers, campaign) for _ in range(3)]
    assert {answer.status_code for answer in made} == {201}
    assert len({answer.json()["registration_id"] for answer in made}) == 1
    assert len(await rows_of(store, campaign)) == 1


async def test_who_waits_moves_up_in_turn_and_is_told_once(
    store: Store, clock: FrozenClock, site: Site
) -> None:
    crowd = await people(store, clock, 5)
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 2)
        idents = [(await registered(client, who, campaign))["registration_id"] for who in crowd]
        seen = [await state_of(client, *pair) for pair in zip(crowd, idents, strict=True)]
        assert seen == [("booked", None)] * 2 + [("waiting", 0), ("waiting", 1), ("waiting", 2)]
        # One of the line leaves: nobody moves up. One with a place leaves: the first of the line does.
        await cancel(client, crowd[3], idents[3])
        await cancel(client, crowd[0], idents[0])
        seen = [await state_of(client, *pair) for pair in zip(crowd, idents, strict=True)]
        assert seen == [
            ("cancelled", None),
            ("booked", None),
            ("booked", None),
            ("cancelled", None),
            ("waiting", 0),
        ]
        again = await cancel(client, crowd[0], idents[0])
        assert (again.status_code, again.json()["code"]) == (409, "booking-state")
    assert await told(store, clock, crowd[2].patient_id) == ["booked"]
    assert await told(store, clock, crowd[0].patient_id) == [], "who leaves knows it"
    assert await told(store, clock, crowd[4].patient_id) == []
    assert await acts(store, crowd[0].patient_id) == [
        "vaccination:registration:register",
        "vaccination:registration:cancel",
    ]
    assert await both_ends_agree(store, campaign)


async def test_twenty_leave_and_twenty_come_at_once_and_the_line_stays_in_order(
    store: Store, second: Store, clock: FrozenClock, site: Site
) -> None:
    crowd, late = await people(store, clock, 30), await people(store, clock, 20)
    async with client_of(store, clock) as one, client_of(second, clock) as other:
        campaign = await make_campaign(one, clock, site, 10)
        idents = [(await registered(one, who, campaign))["registration_id"] for who in crowd]
        leaving = [cancel((one, other)[n % 2], crowd[n], idents[n]) for n in range(20)]
        coming = [register((other, one)[n % 2], who, campaign) for n, who in enumerate(late)]
        done = await asyncio.gather(*leaving, *coming)
        assert {answer.status_code for answer in done} == {200, 201}
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT turn, state FROM slot_booking WHERE facility_id = $1 AND slot_id = $2",
            site.facility.facility_id,
            UUID(campaign["slots"][0]["slot_id"]),
        )
    states = {row["turn"]: row["state"] for row in rows}
    assert Counter(states.values()) == {"cancelled": 20, "booked": 10, "waiting": 20}
    assert [states[turn] for turn in range(21, 31)] == ["booked"] * 10, "who stood there before comes first"
    assert await both_ends_agree(store, campaign)


async def test_who_would_not_wait_is_refused_and_may_ask_for_another_slot(
    store: Store, clock: FrozenClock, site: Site
) -> None:
    first, person = await people(store, clock, 2)
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 1, 1)
        await registered(client, first, campaign)
        full = await register(client, person, campaign, may_wait=False)
        assert (full.status_code, full.json()["code"]) == (409, "slot-full")
        assert (await registered(client, person, campaign, number=1))["state"] == "booked"


async def test_after_cancelling_one_may_register_again_at_the_end_of_the_line(
    store: Store, clock: FrozenClock, site: Site
) -> None:
    first, other, person = await people(store, clock, 3)
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 1)
        idents = [
            (await registered(client, who, campaign))["registration_id"] for who in (first, person, other)
        ]
        await cancel(client, person, idents[1])
        clock.advance(seconds=1)
        again = await registered(client, person, campaign)
        assert again["waiting_before"] == 1
        listed = await client.get(ME, headers=bearer(person.token))
        assert [one["state"] for one in listed.json()["items"]] == ["waiting", "cancelled"]
        page = await client.get(ME, params={"limit": 1}, headers=bearer(person.token))
        following = {"limit": 1, "cursor": page.json()["next"]}
        rest = await client.get(ME, params=following, headers=bearer(person.token))
        assert [one["state"] for one in rest.json()["items"]] == ["cancelled"]
        assert rest.json()["next"] is None


# -- for whom it is, and what is answered


@pytest.mark.parametrize(
    ("birth_date", "limits", "code"),
    [
        # The slot is in three days: the age of that day counts, in calendar months.
        ("day", {"age_from_months": 9}, None),
        ("day-after", {"age_from_months": 9}, "vaccination-not-eligible"),
        ("day", {"age_until_months": 9}, "vaccination-not-eligible"),
        ("day-after", {"age_until_months": 9}, None),
        ("1985-03-12", {"sex": "male"}, "vaccination-not-eligible"),
        ("1985-03-12", {"sex": "female"}, None),
    ],
)
async def test_age_and_sex_are_those_of_the_campaign_on_the_day_of_the_slot(
    store: Store, clock: FrozenClock, site: Site, birth_date: str, limits: dict[str, Any], code: str | None
) -> None:
    on = local_day(clock.now() + timedelta(days=3))
    month = on.month - 9 + (12 if on.month <= 9 else 0)
    nine_months_old = on.replace(year=on.year - (on.month <= 9), month=month)
    births = {"day": nine_months_old, "day-after": nine_months_old + timedelta(days=1)}
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother, str(births.get(birth_date, birth_date)))
    headers = bearer(mother.token) | {"X-Patient-Id": str(child)}
    who: Any = mother if birth_date.startswith("1985") else headers
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 3, **limits)
        path = f"/v1/me/vaccination-campaigns/{campaign['campaign_id']}"
        seen = await client.get(path, headers=who if isinstance(who, dict) else bearer(who.token))
        assert [slot["fits"] for slot in seen.json()["slots"]] == ["no" if code else "yes"]
        answer = await register(client, who, campaign)
        assert answer.json().get("code") == code, answer.text


async def test_answers_bring_advice_are_sealed_and_never_refuse_anybody(
    store: Store, owner: Store, clock: FrozenClock, site: Site
) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 3)
        path = f"/v1/me/vaccination-campaigns/{campaign['campaign_id']}"
        form = (await client.get(path, headers=bearer(person.token))).json()["screening"]
        assert form["confirmed"] is False
        assert form["source"]
        said = answers(severe_reaction_before="yes", blood_thinner="unknown")
        for wrong in (said[1:], [*said, said[0]], [*said[1:], {"key": "shoe-size", "answer": "no"}]):
            refused = await register(client, person, campaign, answers=wrong)
            assert (refused.status_code, refused.json()["code"]) == (422, "screening-incomplete")
        made = await registered(client, person, campaign, answers=said, note="Dị ứng tôm")
        assert made["screening_confirmed"] is False
        assert made["verdict"] == "ask-first"
        assert [(one["key"], one["verdict"]) for one in made["advice"]] == [
            ("severe-reaction-before", "ask-first"),
            ("blood-thinner", "tell-staff"),
        ]
        assert (made["answers"], made["note"]) == (said, "Dị ứng tôm")
    async with owner.transaction() as tx:
        rows = await tx.fetch("SELECT t::text AS line FROM vaccination_registration t")
        assert not [row for row in rows if "tôm" in row["line"] or "blood-thinner" in row["line"]]


async def test_the_gate_stands_before_the_note(store: Store, clock: FrozenClock, site: Site) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 3)
        told_it = "Tôi đang uống ARV, HIV dương tính"
        refused = await register(client, person, campaign, note=told_it)
        assert (refused.status_code, refused.json()["code"]) == (422, "screening-withheld")
        assert told_it not in refused.text
    assert await rows_of(store, campaign) == []


@pytest.mark.parametrize(
    ("opens", "closes"), [(timedelta(hours=1), timedelta(days=2)), (timedelta(hours=-2), timedelta())]
)
async def test_before_and_after_its_time_a_campaign_takes_nobody(
    store: Store, clock: FrozenClock, site: Site, opens: timedelta, closes: timedelta
) -> None:
    person, now = await make_citizen(store, clock), clock.now()
    async with client_of(store, clock) as client:
        times = {"opens_at": (now + opens).isoformat(), "closes_at": (now + closes).isoformat()}
        campaign = await make_campaign(client, clock, site, 3, **times)
        listed = await client.get("/v1/me/vaccination-campaigns", headers=bearer(person.token))
        assert campaign["campaign_id"] not in [one["campaign_id"] for one in listed.json()["items"]]
        refused = await register(client, person, campaign)
        assert (refused.status_code, refused.json()["code"]) == (409, "campaign-closed")


async def test_a_slot_of_another_campaign_is_none(store: Store, clock: FrozenClock, site: Site) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        one, other = [await make_campaign(client, clock, site, 3) for _ in range(2)]
        for ident in (other["slots"][0]["slot_id"], str(UUID(int=7))):
            refused = await register(client, person, one, slot_id=ident)
            assert (refused.status_code, refused.json()["code"]) == (404, "slot-unknown")
        nowhere = await register(client, person, one | {"campaign_id": str(UUID(int=7))})
        assert (nowhere.status_code, nowhere.json()["code"]) == (404, "campaign-unknown")


# -- relatives


async def test_a_guardian_registers_a_child_and_hears_of_it(
    store: Store, clock: FrozenClock, site: Site
) -> None:
    mother, first = await people(store, clock, 2)
    child = await make_child(store, clock, mother)
    headers = bearer(mother.token) | {"X-Patient-Id": str(child)}
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 1)
        held = (await registered(client, first, campaign))["registration_id"]
        made = await registered(client, headers, campaign)
        assert (made["state"], made["by_relative"]) == ("waiting", True)
        assert (await client.get(ME, headers=bearer(mother.token))).json()["items"] == []
        await cancel(client, first, held)
        shown = await client.get(f"{ME}/{made['registration_id']}", headers=headers)
        assert shown.json()["state"] == "booked"
    assert await told(store, clock, child) == ["booked", "register"]
    assert await told(store, clock, mother.patient_id) == ["booked"], "who registered hears of the place"
    assert await acts(store, child) == ["vaccination:registration:register"]


async def test_s23_what_a_person_keeps_private_is_not_there_for_relatives(
    store: Store, clock: FrozenClock, site: Site
) -> None:
    person, proxy, first = await people(store, clock, 3)
    await make_proxy(store, clock, person, proxy, "appointments")
    acting = bearer(proxy.token) | {"X-Patient-Id": str(person.patient_id)}
    async with client_of(store, clock) as client:
        campaign, other = [await make_campaign(client, clock, site, 1) for _ in range(2)]
        held = (await registered(client, first, campaign))["registration_id"]
        own = await registered(client, person, campaign, is_private=True)
        assert (await client.get(ME, headers=acting)).json()["items"] == []
        for path in (f"{ME}/{own['registration_id']}", f"{ME}/{own['registration_id']}/cancel"):
            method = "POST" if path.endswith("cancel") else "GET"
            assert (await client.request(method, path, headers=acting)).status_code == 404
        refused = await register(client, acting, campaign)
        assert refused.json()["code"] == "vaccination-registration-not-taken"
        kept = await register(client, acting, other, is_private=True)
        assert kept.json()["code"] == "registration-private-own-only"
        assert (await registered(client, acting, other))["state"] == "booked"
        await cancel(client, first, held)
    assert await told(store, clock, person.patient_id) == ["booked", "register"]
    assert await told(store, clock, proxy.patient_id) == []


@pytest.mark.parametrize(
    ("campaign", "facility"),
    [
        ({"title": "Tiêm viêm gan B cho người điều trị ARV"}, {}),
        ({"place": "Phòng khám Tâm thần"}, {}),
        ({}, {"name": "Trung tâm Cai nghiện ma túy"}),
    ],
)
async def test_s23_a_registration_whose_place_tells_is_not_there_for_relatives(
    store: Store, clock: FrozenClock, campaign: dict[str, str], facility: dict[str, str]
) -> None:
    site = await make_site(store, clock, **facility)
    person, other, proxy, second = await people(store, clock, 4)
    for whose in (person, other):
        await make_proxy(store, clock, whose, proxy, "appointments")
    await make_proxy(store, clock, other, second, "appointments")
    async with client_of(store, clock) as client:
        made = await make_campaign(client, clock, site, 4, **campaign)
        own = await registered(client, person, made)
        assert own["is_private"], "the person reads that relatives do not see it"
        await not_there(client, on_behalf(proxy, person), own["registration_id"])
        # What a relative asked for, that relative sees, and no other.
        asked = (await registered(client, on_behalf(proxy, other), made))["registration_id"]
        for headers in (on_behalf(proxy, other), bearer(other.token)):
            assert await listed(client, headers) == [asked]
            assert (await client.get(f"{ME}/{asked}", headers=headers)).json()["is_private"] is False
        await not_there(client, on_behalf(second, other), asked)
        again = await register(client, on_behalf(second, other), made)
        assert again.json()["code"] == "vaccination-registration-not-taken"
    assert await told(store, clock, second.patient_id) == []


async def test_s23_a_facility_that_becomes_sensitive_takes_registrations_of_before_along(
    store: Store, owner: Store, clock: FrozenClock, site: Site
) -> None:
    other_site = await make_site(store, clock)
    person, proxy, second = await people(store, clock, 3)
    for relative in (proxy, second):
        await make_proxy(store, clock, person, relative, "appointments")
    async with client_of(store, clock) as client:
        idents = []
        asks = ((bearer(person.token), other_site), (bearer(person.token), site))
        for headers, where in (*asks, (on_behalf(proxy, person), site)):
            clock.advance(seconds=1)
            campaign = await make_campaign(client, clock, where, 1)
            idents.append((await registered(client, headers, campaign))["registration_id"])
        kept_on, own, asked = idents
        assert await listed(client, on_behalf(second, person)) == [asked, own, kept_on]
        async with owner.transaction() as tx:
            await tx.execute(
                "UPDATE facility SET name = 'Trung tâm Cai nghiện ma túy' WHERE facility_id = $1",
                site.facility.facility_id,
            )
        assert await listed(client, bearer(person.token)) == [asked, own, kept_on]
        assert await listed(client, on_behalf(proxy, person)) == [asked, kept_on]
        # A page is full of what is seen: neither a gap nor a cursor tells of what is left out.
        page = (await client.get(ME, params={"limit": 1}, headers=on_behalf(second, person))).json()
        assert ([one["registration_id"] for one in page["items"]], page["next"]) == ([kept_on], None)
        for ident in (own, asked):
            await not_there(client, on_behalf(second, person), ident)
    # Reminders ring for the person by all three, for the family by what every relative sees.
    async with store.transaction() as tx:
        jobs: list[tuple[Job, list[str]]] = [
            ("reminders", [asked, own, kept_on]),
            ("family-reminders", [kept_on]),
        ]
        for job, seen in jobs:
            access = await decide_job(tx, job, person.patient_id)
            rows = await own_list(tx, access, UUID(int=(1 << 128) - 1), 10)
            assert [str(row.registration_id) for row in rows] == seen


async def listed(client: httpx.AsyncClient, headers: dict[str, str]) -> list[str]:
    answer = await client.get(ME, headers=headers)
    return [one["registration_id"] for one in answer.json()["items"]]


async def not_there(client: httpx.AsyncClient, headers: dict[str, str], ident: str) -> None:
    """On no path of whoever sends these headers."""
    assert ident not in await listed(client, headers)
    assert (await client.get(f"{ME}/{ident}", headers=headers)).status_code == 404
    assert (await client.post(f"{ME}/{ident}/cancel", headers=headers)).status_code == 404


def on_behalf(who: Citizen, person: Citizen) -> dict[str, str]:
    return bearer(who.token) | {"X-Patient-Id": str(person.patient_id)}


async def test_a_proxy_without_the_scope_neither_registers_nor_sees(
    store: Store, clock: FrozenClock, site: Site
) -> None:
    person, proxy = await people(store, clock, 2)
    await make_proxy(store, clock, person, proxy, "read-record", "add-to-record", "consent")
    acting = bearer(proxy.token) | {"X-Patient-Id": str(person.patient_id)}
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 1)
        for answer in (await register(client, acting, campaign), await client.get(ME, headers=acting)):
            assert (answer.status_code, answer.json()["code"]) == (403, "not-in-your-care")


# -- the facility


async def test_the_list_of_a_day_names_who_comes_in_turn_and_each_finds_it_in_the_log(
    store: Store, clock: FrozenClock, site: Site
) -> None:
    crowd = await people(store, clock, 4)
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 2, 2)
        idents = [(await registered(client, who, campaign))["registration_id"] for who in crowd[:3]]
        idents.append((await registered(client, crowd[3], campaign, number=1))["registration_id"])
        await cancel(client, crowd[1], idents[1])
        day = {"day": local_day(clock.now() + timedelta(days=3)).isoformat()}
        pages, cursor = [], None
        while True:
            asked = day | {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await client.get(DESK, params=asked, headers=site.looks)).json()
            pages += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
        assert [one["registration_id"] for one in pages] == [idents[0], idents[2], idents[3]]
        assert [one["person_name"] for one in pages] == [crowd[0].name, crowd[2].name, crowd[3].name]
        assert {one["state"] for one in pages} == {"booked"}
        today = await client.get(DESK, headers=site.looks)
        assert today.json()["items"] == []
        elsewhere = await make_site(store, clock)
        other = await client.get(DESK, params=day, headers=elsewhere.looks)
        assert other.json()["items"] == []
        for extreme, status in (("0001-01-01", 409), ("9999-12-31", 200)):
            far = await client.get(DESK, params={"day": extreme}, headers=site.looks)
            assert far.status_code == status
    assert (await acts(store, crowd[0].patient_id))[-1] == "vaccination:registration:list"
    assert "vaccination:registration:list" not in await acts(store, crowd[1].patient_id)


async def test_the_facility_opens_answers_under_its_name_and_marks_who_came(
    store: Store, clock: FrozenClock, site: Site
) -> None:
    person = await make_citizen(store, clock)
    stranger = await make_site(store, clock)
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 1)
        said = answers(ill_now="yes")
        ident = (await registered(client, person, campaign, answers=said, note="Sốt nhẹ"))["registration_id"]
        path = f"{DESK}/{ident}"
        opened = (await client.get(path, headers=site.looks)).json()
        assert (opened["note"], opened["verdict"]) == ("Sốt nhẹ", "ask-first")
        assert [one["key"] for one in opened["answers"] if one["answer"] == "yes"] == ["ill-now"]
        for method, where, body in (("GET", path, None), ("POST", f"{path}/outcome", {"outcome": "absent"})):
            answer = await client.request(method, where, json=body, headers=stranger.looks)
            assert answer.json()["code"] == "vaccination-registration-unknown"
        early = await client.post(f"{path}/outcome", json={"outcome": "attended"}, headers=site.looks)
        assert (early.status_code, early.json()["code"]) == (409, "vaccination-day-not-there")
        clock.advance(days=3, hours=1)
        await sign_in_again(store, clock, site.nurse)
        for outcome in ("attended", "absent", "attended"):
            marked = await client.post(f"{path}/outcome", json={"outcome": outcome}, headers=site.looks)
            assert marked.json()["state"] == outcome
    assert await acts(store, person.patient_id) == [
        "vaccination:registration:register",
        "vaccination:registration:read",
        "vaccination:registration:attend",
        "vaccination:registration:miss",
        "vaccination:registration:attend",
    ]
    assert await both_ends_agree(store, campaign)


async def test_who_was_absent_and_registered_anew_comes_to_the_new_time_alone(
    store: Store, clock: FrozenClock, site: Site
) -> None:
    (person,) = await people(store, clock, 1)
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 1, 1)
        first = (await registered(client, person, campaign))["registration_id"]
        clock.advance(days=3)
        await sign_in_again(store, clock, site.nurse)
        async with store.transaction() as tx:
            opened = await open_citizen_session(tx, person.patient_id, person.actor.device_id, clock.now())
        person.token = opened.access_token
        said = {"outcome": "absent"}
        missed = await client.post(f"{DESK}/{first}/outcome", json=said, headers=site.looks)
        assert missed.json()["state"] == "absent"
        again = await register(client, person, campaign, 1)
        assert again.status_code == 201, again.text
        came = {"outcome": "attended"}
        old = await client.post(f"{DESK}/{first}/outcome", json=came, headers=site.looks)
        assert (old.status_code, old.json()["code"]) == (409, "vaccination-registered")
        new = again.json()["registration_id"]
        there = await client.post(f"{DESK}/{new}/outcome", json=came, headers=site.looks)
        assert there.json()["state"] == "attended"
    assert await both_ends_agree(store, campaign)


async def test_a_closed_campaign_calls_everybody_off_and_tells_each_once(
    store: Store, clock: FrozenClock, site: Site
) -> None:
    crowd = await people(store, clock, 5)
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 2, 2)
        for n, who in enumerate(crowd):
            await registered(client, who, campaign, number=n % 2)
        path = f"{CAMPAIGNS}/{campaign['campaign_id']}/close"
        stranger = await make_site(store, clock)
        assert (await client.post(path, headers=stranger.plans)).status_code == 404
        assert (await client.post(path, headers=site.looks)).status_code == 403
        closed = await client.post(path, headers=site.plans)
        assert closed.json()["state"] == "closed"
        refused = await register(client, await make_citizen(store, clock), campaign)
        assert refused.json()["code"] == "campaign-closed"
        assert (await client.post(path, headers=site.plans)).status_code == 200, "closing again says the same"
    ticks, facility_id = 0, site.facility.facility_id
    while await run(store, clock, facility_id, CLOSE_JOB, campaign["campaign_id"]) is not None:
        ticks += 1
    assert ticks == 2, "one slot at a time"
    assert {state for _, state in await rows_of(store, campaign)} == {"called-off"}
    assert await both_ends_agree(store, campaign)
    for who in crowd:
        assert await told(store, clock, who.patient_id) == ["called-off"]


async def test_one_slot_is_called_off_alone_and_more_places_move_the_line_up(
    store: Store, clock: FrozenClock, site: Site
) -> None:
    crowd = await people(store, clock, 4)
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 1, 1)
        idents = [(await registered(client, who, campaign))["registration_id"] for who in crowd[:3]]
        stays = (await registered(client, crowd[3], campaign, number=1))["registration_id"]
        base = f"{CAMPAIGNS}/{campaign['campaign_id']}/slots/{campaign['slots'][0]['slot_id']}"
        for capacity, code in ((2, None), (1, "slot-invalid")):
            answer = await client.post(f"{base}/capacity", json={"capacity": capacity}, headers=site.plans)
            assert answer.json().get("code") == code
        assert (await state_of(client, crowd[1], idents[1]))[0] == "booked"
        assert (await client.post(f"{base}/close", headers=site.plans)).status_code == 200
        assert [(await state_of(client, *pair))[0] for pair in zip(crowd, idents, strict=False)] == [
            "called-off"
        ] * 3
        assert (await state_of(client, crowd[3], stays))[0] == "booked"
        # Who was called off may take another slot.
        assert (await registered(client, crowd[0], campaign, number=1))["state"] == "waiting"


async def test_the_day_before_is_told_and_who_waited_in_vain_may_register_again(
    store: Store, clock: FrozenClock, site: Site
) -> None:
    first, person = await people(store, clock, 2)
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 1, 1)
        await registered(client, first, campaign)
        await registered(client, person, campaign)
    facility_id, slot = site.facility.facility_id, campaign["slots"][0]
    ref = f"{facility_id}:{slot['slot_id']}"
    clock.advance(days=2)
    starts_at = await run(store, clock, facility_id, SLOT_JOB, ref)
    assert starts_at is not None
    assert starts_at == clock.now() + timedelta(days=1)
    assert await told(store, clock, first.patient_id) == ["eve"]
    assert await told(store, clock, person.patient_id) == []
    clock.advance(days=1)
    assert await run(store, clock, facility_id, SLOT_JOB, ref) is None
    assert await told(store, clock, person.patient_id) == ["lapsed"]
    assert {state for _, state in await rows_of(store, campaign)} == {"booked", "lapsed"}
    assert await both_ends_agree(store, campaign)


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"antigens": ["dragon-pox"]}, "antigens"),
        ({"antigens": ["measles", "measles"]}, "antigens"),
        ({"age_from_months": 12, "age_until_months": 12}, "age_until_months"),
        ({"screening": "other"}, "screening"),
        ({"closes_at": "2020-01-01T00:00:00Z"}, "closes_at"),
    ],
)
async def test_a_campaign_that_does_not_hold_together_is_refused_by_its_field(
    store: Store, clock: FrozenClock, site: Site, more: dict[str, Any], where: str
) -> None:
    async with client_of(store, clock) as client:
        body = campaign_body(clock.now(), **more)
        answer = await client.post(CAMPAIGNS, json=body, headers=site.plans)
        assert (answer.status_code, answer.json()["code"]) == (422, "campaign-invalid")
        assert answer.json()["errors"][0]["where"] == where


async def test_registrations_go_after_their_time_at_both_ends(
    store: Store, clock: FrozenClock, site: Site
) -> None:
    person = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 1)
        await registered(client, person, campaign)
    ends_at = clock.now() + timedelta(days=3, hours=1)
    async with store.transaction() as tx:
        await housekeeping(tx, ends_at, 10_000)
    assert len(await rows_of(store, campaign)) == 1, "not before"
    async with store.transaction() as tx:
        await housekeeping(tx, ends_at + timedelta(seconds=1), 10_000)
    assert await rows_of(store, campaign) == []
    assert await both_ends_agree(store, campaign)


async def test_two_who_hold_what_the_other_waits_for_and_leave_at_once_wait_for_nobody(
    store: Store, second: Store, clock: FrozenClock, site: Site
) -> None:
    async with client_of(store, clock) as one, client_of(second, clock) as other:
        for _ in range(6):
            here, there = await people(store, clock, 2)
            campaigns = [await make_campaign(one, clock, site, 1) for _ in range(2)]
            held = [
                (await registered(one, who, campaign))["registration_id"]
                for who, campaign in zip((here, there), campaigns, strict=True)
            ]
            waits = [
                (await registered(one, who, campaign))["registration_id"]
                for who, campaign in zip((there, here), campaigns, strict=True)
            ]
            done = await asyncio.gather(cancel(one, here, held[0]), cancel(other, there, held[1]))
            assert [answer.status_code for answer in done] == [200, 200]
            assert (await state_of(one, there, waits[0]))[0] == "booked"
            assert (await state_of(one, here, waits[1]))[0] == "booked"


async def test_closing_and_registering_at_once_leave_nobody_standing(
    store: Store, second: Store, clock: FrozenClock, site: Site
) -> None:
    crowd = await people(store, clock, 12)
    async with client_of(store, clock) as one, client_of(second, clock) as other:
        campaign = await make_campaign(one, clock, site, 5)
        path = f"{CAMPAIGNS}/{campaign['campaign_id']}/close"
        coming = [register((one, other)[n % 2], who, campaign) for n, who in enumerate(crowd)]
        await asyncio.gather(*coming[:6], other.post(path, headers=site.plans), *coming[6:])
    while await run(store, clock, site.facility.facility_id, CLOSE_JOB, campaign["campaign_id"]) is not None:
        pass
    assert {state for _, state in await rows_of(store, campaign)} <= {"called-off"}
    assert await both_ends_agree(store, campaign)


async def test_a_dose_of_the_book_close_before_the_slot_is_named_to_who_may_see_it(
    store: Store, clock: FrozenClock, site: Site
) -> None:
    person, proxy = await people(store, clock, 2)
    await make_proxy(store, clock, person, proxy, "appointments")
    given = (local_day(clock.now()) - timedelta(days=10)).isoformat()
    dose = {
        "resourceType": "Immunization",
        "id": "d1",
        "status": "completed",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "94"}], "text": "MMR"},
        "occurrenceDateTime": given,
    }
    await write(store, person.patient_id, [dose], clock.now())
    acting = bearer(proxy.token) | {"X-Patient-Id": str(person.patient_id)}
    async with client_of(store, clock) as client:
        near, far = [await make_campaign(client, clock, site, 3, interval_days=days) for days in (28, 13)]
        made = await registered(client, person, near)
        assert [(one["antigen"], one["given"]) for one in made["recent"]] == [
            ("measles", given),
            ("rubella", given),
        ]
        assert (await registered(client, person, far))["recent"] == [], (
            "13 days before the slot is no less than 13"
        )
        seen = await client.get(f"{ME}/{made['registration_id']}", headers=acting)
        assert seen.status_code == 200
        assert (seen.json()["recent"], seen.json()["answers"]) == ([], None)
    assert (await acts(store, person.patient_id)).count("vaccination:registration:read") == 1


async def test_s10_after_a_merge_registration_and_news_are_the_survivors(
    store: Store, clock: FrozenClock, site: Site
) -> None:
    person, survivor, first = await people(store, clock, 3)
    officers = await make_officers(store, clock)
    async with client_of(store, clock) as client:
        campaign = await make_campaign(client, clock, site, 1)
        held = (await registered(client, first, campaign))["registration_id"]
        ident = (await registered(client, person, campaign))["registration_id"]
        await merged(store, officers, person.patient_id, survivor.patient_id, clock.now())
        async with store.transaction() as tx:
            sql = "UPDATE person_origin SET proven_at = visible_at, visible_at = $1"
            await tx.execute(sql, clock.now())
        await cancel(client, first, held)
        path = f"{DESK}/{ident}"
        opened = await client.get(path, headers=site.looks)
        assert (opened.json()["person_name"], opened.json()["state"]) == (survivor.name, "booked")
        clock.advance(minutes=1)
        async with store.transaction() as tx:
            # The survivor's card was seen at a desk since.
            sql = "UPDATE device SET proven_at = $1 WHERE patient_id = $2"
            await tx.execute(sql, clock.now(), survivor.patient_id)
        actor = await actor_now(store, clock, survivor)
        assert actor.origins == {person.patient_id}
        seen = await client.get(ME, headers=bearer(survivor.token))
        assert [one["registration_id"] for one in seen.json()["items"]] == [ident]
        twice = await register(client, survivor, campaign)
        assert twice.json()["code"] == "vaccination-registered"
        assert (await cancel(client, survivor, ident)).json()["state"] == "cancelled"
    assert await told(store, clock, survivor.patient_id) == ["booked"]
    assert await told(store, clock, person.patient_id) == []
    assert "vaccination:registration:read" in await acts(store, survivor.patient_id)
    assert await both_ends_agree(store, campaign)
