"""Reminders of one's own: words and measurements, sealed, gated, for oneself and for a child."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from identity.births import service as births
from kernel.clock import VIETNAM
from tests.support.http import bearer
from tests.support.people import make_person, renew_session
from tests.support.reminding import Reminding

CUSTOM = "/v1/me/reminders/custom"
KEY = "01985e2c-7a00-7abc-8def-0123456789ab"
WATER = {"text": "Uống đủ nước", "times": ["14:00", "09:30"]}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=VIETNAM).astimezone(UTC)


async def ask(here: Reminding, how: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    token = await renew_session(here.store, here.clock, here.citizen)
    more: dict[str, Any] = {} if body is None else {"json": body}
    return await here.client.request(how, path, headers=bearer(token) | headers, **more)


async def make(here: Reminding, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    made = await ask(here, "POST", CUSTOM, body, **headers)
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def test_words_of_ones_own_ring_on_time_and_are_kept_sealed(here: Reminding) -> None:
    one = await make(here, WATER | {"days": 2})
    assert (one["kind"], one["title"], one["came_from"]["what"]) == ("custom", "Uống đủ nước", "own")
    assert (one["times"], one["doses_left"]) == (["09:30", "14:00"], 4)
    (listed,) = await here.reminders()
    assert listed == one
    async with here.owner.transaction() as tx:
        kept = await tx.fetchval("SELECT r::text FROM reminder_own r")
        ringing = await tx.fetchval("SELECT r::text FROM reminder r")
    assert "nước" not in kept
    assert "nước" not in ringing
    await here.until(at(25, 12))
    told = [when for _, when in await here.told("custom-reminder")]
    assert told == ["21 09:30", "21 14:00", "22 09:30", "22 14:00"]


async def test_a_measurement_rings_on_its_weekdays(here: Reminding) -> None:
    """The 21st is a Saturday."""
    body = {"measure": "blood-pressure", "times": ["07:00"], "weekdays": [7, 3], "days": 10}
    one = await make(here, body)
    assert (one["kind"], one["title"], one["what"]) == ("measurement", "Đo huyết áp", "blood-pressure")
    await here.until(at(30, 12))
    assert [when for _, when in await here.told("measurement-due")] == ["22 07:00", "25 07:00", "29 07:00"]


async def test_named_days_ring_and_then_it_is_over(here: Reminding) -> None:
    await make(here, {"text": "Lấy kết quả", "times": ["08:00"], "on_days": ["2026-11-24", "2026-11-22"]})
    await here.until(at(26, 12))
    assert [when for _, when in await here.told("custom-reminder")] == ["22 08:00", "24 08:00"]
    (one,) = await here.reminders()
    assert (one["state"], one["end_reason"]) == ("ended", "used-up")


async def test_a_change_replaces_words_and_times_and_a_deletion_takes_the_words(here: Reminding) -> None:
    one = await make(here, WATER)
    path = f"{CUSTOM}/{one['reminder_id']}"
    other = {"text": "Đi bộ", "times": ["17:00"], "every_days": 2}
    done = await ask(here, "PUT", path, other)
    assert (done.json()["title"], done.json()["times"], done.json()["every_days"]) == ("Đi bộ", ["17:00"], 2)
    await here.until(at(24, 12))
    assert [when for _, when in await here.told("custom-reminder")] == ["21 17:00", "23 17:00"]
    assert (await ask(here, "DELETE", path)).status_code == 204
    assert await here.reminders() == []
    async with here.owner.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM reminder_own") == 0
        assert await tx.fetchval("SELECT end_reason FROM reminder") == "cancelled"
    await here.until(at(26, 20))
    assert len(await here.told("custom-reminder")) == 2
    again = await ask(here, "DELETE", path)
    assert (again.status_code, again.json()["code"]) == (404, "no-such-reminder")


async def test_own_times_stay_changeable_after_they_were_set_in_the_list(here: Reminding) -> None:
    one = await make(here, WATER)
    done = await here.change(one["reminder_id"], times=["06:00"], days=None)
    assert done.json()["times"] == ["06:00"]
    changed = await ask(here, "PUT", f"{CUSTOM}/{one['reminder_id']}", WATER)
    assert changed.json()["times"] == ["09:30", "14:00"]


async def test_a_pause_and_a_stop_hold_for_every_kind(here: Reminding) -> None:
    one = await make(here, WATER)
    ident = one["reminder_id"]
    assert (await here.change(ident, act="pause")).json()["state"] == "paused"
    await here.until(at(21, 15))
    assert {outcome for _, outcome in await here.outcomes()} == {"paused"}
    assert (await here.change(ident, act="stop")).json()["next_at"] is None
    resumed = (await here.change(ident, act="resume")).json()
    assert (resumed["state"], resumed["next_at"]) == ("active", "2026-11-22T02:30:00Z")


async def test_a_repeat_with_one_key_makes_one(here: Reminding) -> None:
    first = await make(here, WATER, **{"Idempotency-Key": KEY})
    again = await make(here, WATER, **{"Idempotency-Key": KEY})
    assert again["reminder_id"] == first["reminder_id"]
    assert len(await here.reminders()) == 1


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"text": None}, "own-reminder-invalid"),
        ({"text": "   "}, "own-reminder-invalid"),
        ({"on_days": ["2026-11-20"]}, "own-reminder-invalid"),
        ({"on_days": ["9999-12-31"]}, "own-reminder-invalid"),
        ({"starts_on": "2126-11-20"}, "own-reminder-invalid"),
        ({"starts_on": "9999-12-31", "days": 366}, "own-reminder-invalid"),
        ({"starts_on": "0001-01-01"}, "own-reminder-invalid"),
        ({"on_days": ["0001-01-01", "2026-12-01"]}, "own-reminder-invalid"),
        ({"days": 1, "times": ["08:00"]}, "own-reminder-invalid"),
        ({"text": "Uống thuốc ARV điều trị HIV"}, "own-reminder-withheld"),
        ({"times": []}, "invalid-field"),
        ({"times": ["24:00"]}, "invalid-field"),
        ({"weekdays": [8]}, "invalid-field"),
        ({"every_days": 0}, "invalid-field"),
        ({"text": "x" * 201}, "invalid-field"),
        ({"note": "x"}, "invalid-field"),
    ],
)
async def test_what_cannot_be_is_refused_and_leaves_nothing(
    here: Reminding, more: dict[str, Any], code: str
) -> None:
    refused = await ask(here, "POST", CUSTOM, WATER | more)
    status = 400 if code == "invalid-field" else 422
    assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    async with here.owner.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM reminder") == 0


async def test_there_are_only_so_many(here: Reminding, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reminders.own.service.OWN_MAX", 1)
    await make(here, WATER)
    refused = await ask(here, "POST", CUSTOM, WATER)
    assert (refused.status_code, refused.json()["code"]) == (409, "own-reminders-too-many")


async def test_a_mother_reminds_her_child_and_hears_of_it(here: Reminding) -> None:
    mother = here.citizen
    child, _ = await make_person(
        here.store, here.clock, number="079216123456", name="Trần Bé Thử", birth_date="2016-03-12"
    )
    async with here.store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, here.clock.now())
    acting = {"X-Patient-Id": str(child)}
    one = await make(here, {"text": "Đánh răng", "times": ["19:30"]}, **acting)
    assert await here.reminders() == []
    token = await renew_session(here.store, here.clock, mother)
    assert [item["title"] for item in await here.reminders(token, **acting)] == ["Đánh răng"]
    refused = await ask(here, "POST", CUSTOM, WATER | {"is_private": True}, **acting)
    assert (refused.status_code, refused.json()["code"]) == (422, "private-reminder-own-only")
    await here.until(at(21, 20))
    assert await here.told(patient_id=mother.patient_id) == [("dependent-reminder", "21 19:30")]
    own = await ask(here, "PUT", f"{CUSTOM}/{one['reminder_id']}", WATER)
    assert own.json()["code"] == "no-such-reminder"


async def test_s23_what_a_child_keeps_private_reaches_no_guardian(here: Reminding) -> None:
    mother = here.citizen
    child, _ = await make_person(
        here.store, here.clock, number="079216123456", name="Trần Bé Thử", birth_date="2014-03-12"
    )
    async with here.store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, here.clock.now())
    acting = {"X-Patient-Id": str(child)}
    one = await make(here, {"text": "Gọi tổng đài", "times": ["19:30"]}, **acting)
    async with here.owner.transaction() as tx:
        await tx.execute("UPDATE reminder_own SET is_private = true")
    token = await renew_session(here.store, here.clock, mother)
    assert await here.reminders(token, **acting) == []
    gone = await ask(here, "DELETE", f"{CUSTOM}/{one['reminder_id']}", **acting)
    assert gone.json()["code"] == "no-such-reminder"
    await here.until(at(21, 20))
    assert await here.told(patient_id=mother.patient_id) == []
    assert await here.told("custom-reminder", patient_id=child) == [("custom-reminder", "21 19:30")]
