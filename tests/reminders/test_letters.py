"""A referral letter whose receiver booked a day: its person is reminded before it, and of no other letter."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from kernel.access import Label
from kernel.clock import VIETNAM, local_day
from kernel.problems import Refused
from tests.ehr.referrals.test_referrals import RECEIVER, SENDER, Road
from tests.reminders.test_followed import look, rename
from tests.reminders.test_unanswered import as_child, mark_rows
from tests.support import booking
from tests.support.family import access_of, make_proxy
from tests.support.http import bearer
from tests.support.people import make_citizen, make_doctor, make_facility, renew_session, sign_in_again
from tests.support.reminding import Reminding
from visits.booking.models import Ask
from visits.booking.service import book_by_referral


def at(month: int, day: int, hour: int) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=VIETNAM).astimezone(UTC)


async def on_the_road(here: Reminding) -> Road:
    places = {code: await make_facility(here.store, here.clock, code=code) for code in (SENDER, RECEIVER)}
    staff = {
        code: await make_doctor(here.store, here.clock, place, role="clerk") for code, place in places.items()
    }
    road = Road(here.store, here.clock, here.client, here.citizen, places, staff)
    await road.visit(SENDER)
    await here.work()
    return road


async def move(here: Reminding, road: Road, state: str, *, is_looked: bool = True, **more: str) -> None:
    await sign_in_again(here.store, here.clock, road.staff[RECEIVER])
    async with here.owner.transaction() as tx:
        ident = await tx.fetchval("SELECT referral_id::text FROM referral")
    assert await road.move(RECEIVER, ident, state, **more) == ""
    await here.work()
    if is_looked:
        await look(here)


async def letters(here: Reminding, **headers: str) -> list[dict[str, Any]]:
    found = await here.reminders(await renew_session(here.store, here.clock, here.citizen), **headers)
    return [one for one in found if one["came_from"]["what"] == "referral"]


async def test_a_booked_day_of_a_letter_is_told_before_it_and_a_letter_alone_is_not(here: Reminding) -> None:
    road = await on_the_road(here)
    await look(here)
    assert await letters(here) == [], "it names no day"
    await move(here, road, "booked", booked_for="2026-12-01")
    (one,) = await letters(here)
    assert (one["kind"], one["on_days"], one["times"]) == ("revisit", ["2026-11-28", "2026-11-30"], ["08:00"])
    assert one["came_from"]["facility_name"] == road.places[RECEIVER].name
    assert one["came_from"]["text"] == ["Hẹn khám theo phiếu chuyển: ngày 01/12/2026"]
    await look(here)
    assert await letters(here) == [one], "looked at again"
    await move(here, road, "booked", booked_for="2026-12-05")
    (moved,) = await letters(here)
    assert (moved["reminder_id"], moved["on_days"]) == (one["reminder_id"], ["2026-12-02", "2026-12-04"])
    await here.until(at(12, 6, 12))
    assert [when for _, when in await here.told("revisit-due")] == ["02 08:00", "04 08:00"]


async def test_a_booking_is_followed_by_itself(here: Reminding) -> None:
    road = await on_the_road(here)
    await here.until(at(11, 21, 12))
    await move(here, road, "booked", is_looked=False, booked_for="2026-12-01")
    await here.until(at(11, 28, 12))
    assert [when for _, when in await here.told("revisit-due")] == ["28 08:00"]


async def test_who_was_seen_is_told_no_more(here: Reminding) -> None:
    road = await on_the_road(here)
    await move(here, road, "booked", booked_for="2026-12-01")
    await move(here, road, "seen")
    await here.until(at(12, 2, 12))
    assert await here.told("revisit-due") == []


async def test_s23_a_guardian_hears_of_no_letter_to_a_facility_that_is_sensitive_as_a_whole(
    here: Reminding,
) -> None:
    mother, kid = await as_child(here)
    road = await on_the_road(kid)
    await move(kid, road, "booked", booked_for="2026-12-01")
    of_child = {"X-Patient-Id": str(kid.citizen.patient_id)}
    assert len(await letters(here, **of_child)) == 1
    receiver = road.places[RECEIVER]
    try:
        await rename(here, receiver, "Bệnh viện Tâm thần")
        assert await letters(here, **of_child) == []
        await here.until(at(12, 2, 12))
        assert len(await kid.told("revisit-due")) == 2
        assert await here.told("dependent-reminder", patient_id=mother.patient_id) == []
    finally:
        await rename(here, receiver, receiver.name)


@pytest.mark.parametrize(("label", "told"), [(Label.NONE, 2), (Label.SDV, 0)])
async def test_s23_a_guardian_hears_of_it_but_of_what_is_kept_from_the_family(
    here: Reminding, label: Label, told: int
) -> None:
    mother, kid = await as_child(here)
    road = await on_the_road(kid)
    await mark_rows(kid, label)
    await move(kid, road, "booked", booked_for="2026-12-01")
    of_child = {"X-Patient-Id": str(kid.citizen.patient_id)}
    assert len(await letters(here, **of_child)) == bool(told)
    await here.until(at(12, 2, 12))
    assert len(await kid.told("revisit-due")) == 2
    assert len(await here.told("dependent-reminder", patient_id=mother.patient_id)) == told


async def test_an_adults_proxy_does_not_see_it(here: Reminding) -> None:
    daughter = await make_citizen(here.store, here.clock)
    await make_proxy(here.store, here.clock, here.citizen, daughter, "read-record")
    await move(here, await on_the_road(here), "booked", booked_for="2026-12-01")
    token = await renew_session(here.store, here.clock, daughter)
    of = {"X-Patient-Id": str(here.citizen.patient_id)}
    answer = await here.client.get("/v1/me/reminders", headers=bearer(token) | of)
    assert answer.status_code == 200
    assert "phiếu chuyển" not in answer.text


@pytest.mark.parametrize("first", ["facility", "phone"])
async def test_a_day_that_facility_and_phone_both_book_by_one_letter_rings_once(
    here: Reminding, first: str
) -> None:
    road = await on_the_road(here)
    clinic = await booking.make_clinic(here.store, here.clock)
    plan = await booking.make_schedule(here.client, here.clock, clinic, 2)
    day = local_day(datetime.fromisoformat(plan["slots"][0]["starts_at"])).isoformat()
    async with here.owner.transaction() as tx:
        letter = await tx.fetchval("SELECT referral_id FROM referral")
    for who in ("facility", "phone") if first == "facility" else ("phone", "facility"):
        if who == "facility":
            await move(here, road, "booked", booked_for=day)
            continue
        access = await access_of(here.store, here.citizen, "manage-appointments", here.clock.now())
        ask = Ask(
            facility_id=UUID(plan["facility_id"]),
            schedule_id=UUID(plan["schedule_id"]),
            slot_id=UUID(plan["slots"][0]["slot_id"]),
        )
        async with here.store.transaction() as tx:
            made = await book_by_referral(tx, access, ask, letter, "r", here.clock.now())
        assert not isinstance(made, Refused)
        await here.work()
    await look(here)
    shown = await here.reminders(await renew_session(here.store, here.clock, here.citizen))
    standing = [
        one["came_from"]["what"] for one in shown if one["kind"] == "revisit" and one["state"] != "ended"
    ]
    assert standing == ["referral"]
