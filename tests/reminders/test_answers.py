"""Taken, skipped or later: kept once, late answers included, put off and counted by the week."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from kernel.clock import VIETNAM
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer
from tests.support.people import make_citizen, renew_session
from tests.support.reminding import Reminding, drug

TWICE = "1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]"
ANSWERS, ADHERENCE = "/v1/me/reminders/answers", "/v1/me/reminders/adherence"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=VIETNAM).astimezone(UTC)


async def planned(here: Reminding) -> str:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"))
    reminder_id: str = (await here.reminders())[0]["reminder_id"]
    return reminder_id


def said(reminder_id: str, due_at: datetime, act: str, when: datetime, **more: Any) -> dict[str, Any]:
    times = {"due_at": due_at.isoformat(), "at": when.isoformat()}
    return {"reminder_id": reminder_id, "act": act} | times | more


async def post(
    here: Reminding, *items: dict[str, Any], sent_at: datetime | None = None, token: str = "", **headers: str
) -> httpx.Response:
    token = token or await renew_session(here.store, here.clock, here.citizen)
    body = {"sent_at": (sent_at or here.clock.now()).isoformat(), "items": list(items)}
    return await here.client.post(ANSWERS, json=body, headers=bearer(token) | headers)


async def statuses(here: Reminding, *items: dict[str, Any], **more: Any) -> list[str]:
    answer = await post(here, *items, **more)
    assert answer.status_code == 200, answer.text
    return [one["status"] for one in answer.json()["items"]]


async def kept(here: Reminding) -> list[tuple[str, str]]:
    async with here.owner.transaction() as tx:
        rows = await tx.fetch("SELECT due_at, act FROM reminder_answer ORDER BY due_at")
    return [(f"{row[0].astimezone(VIETNAM):%d %H:%M}", row[1]) for row in rows]


async def counted(here: Reminding, weeks: int = 4) -> list[dict[str, Any]]:
    token = await renew_session(here.store, here.clock, here.citizen)
    answer = await here.client.get(ADHERENCE, params={"weeks": weeks}, headers=bearer(token))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["weeks"]
    return found


async def test_an_answer_is_kept_once_and_the_one_that_was_given_later_counts(here: Reminding) -> None:
    one = await planned(here)
    await here.until(at(22, 9))
    due = at(22, 7)
    taken, skipped = said(one, due, "taken", at(22, 7, 5)), said(one, due, "skipped", at(22, 7, 1))
    assert await statuses(here, taken) == ["recorded"]
    assert await statuses(here, taken) == ["recorded"], "sent twice"
    assert await statuses(here, skipped) == ["superseded"], "given before, comes after"
    assert await kept(here) == [("22 07:00", "taken")]
    both = [said(one, due, "skipped", at(22, 8)), said(one, due, "taken", at(22, 8, 1))]
    assert await statuses(here, *both) == ["superseded", "recorded"]
    assert await kept(here) == [("22 07:00", "taken")]


async def test_a_request_that_took_two_minutes_does_not_outlive_an_answer_given_after_it(
    here: Reminding,
) -> None:
    """The way of a request is no wrong clock: it would move the answer behind those that were given later."""
    one, due = await planned(here), at(22, 7)
    await here.until(at(22, 9))
    skipped, taken = said(one, due, "skipped", at(22, 8, 58)), said(one, due, "taken", at(22, 8, 59))
    assert await statuses(here, skipped, sent_at=at(22, 8, 58)) == ["recorded"]
    assert await statuses(here, skipped, sent_at=at(22, 8, 59)) == ["recorded"], "a repeat that was faster"
    assert await statuses(here, taken, sent_at=at(22, 9)) == ["recorded"]
    assert await statuses(here, skipped, sent_at=at(22, 9)) == ["superseded"]
    assert await kept(here) == [("22 07:00", "taken")]


async def test_a_phone_that_was_offline_answers_days_later_in_its_own_order(here: Reminding) -> None:
    """Its clock is three hours slow: what it says is put right by what it says of now."""
    one, slow = await planned(here), timedelta(hours=3)
    await here.until(at(24, 9))
    times = [at(22, 7), at(22, 20), at(23, 7), at(23, 20), at(24, 7)]
    items = [said(one, due, "taken", due + timedelta(minutes=2) - slow) for due in reversed(times)]
    assert await statuses(here, *items, sent_at=here.clock.now() - slow) == ["recorded"] * 5
    async with here.owner.transaction() as tx:
        rows = await tx.fetch("SELECT due_at, at FROM reminder_answer")
    assert {row[1] - row[0] for row in rows} == {timedelta(minutes=2)}


async def test_what_is_no_time_of_a_reminder_that_is_seen_is_unknown(here: Reminding) -> None:
    one = await planned(here)
    await here.until(at(22, 9))
    now = here.clock.now()
    strange = [
        said(str(uuid4()), at(22, 7), "taken", now),
        said(one, at(22, 7, 1), "taken", now),
        said(one, at(21, 7), "taken", now),
        said(one, at(24, 7), "taken", now),
    ]
    assert await statuses(here, *strange) == ["unknown"] * 4
    other = await make_citizen(here.store, here.clock)
    assert await statuses(here, said(one, at(22, 7), "taken", now), token=other.token) == ["unknown"]
    assert await kept(here) == []
    soon = said(one, at(22, 20), "taken", at(22, 18))
    await here.until(at(22, 18))
    assert await statuses(here, soon) == ["recorded"], "taken before it rings"


async def test_what_is_malformed_is_refused_and_a_crowd_is_too(here: Reminding) -> None:
    now = here.clock.now()
    good = said(str(uuid4()), now, "taken", now)
    bad: list[list[dict[str, Any]]] = [
        [],
        [good] * 101,
        [good | {"act": "forgotten"}],
        [good | {"due_at": "2026-11-22T07:00:00"}],
        [good | {"act": "later", "minutes": 4}],
        [good | {"act": "later", "minutes": 241}],
        [good | {"note": "x"}],
    ]
    for items in bad:
        assert (await post(here, *items)).status_code == 400, items


async def test_later_rings_again_once_and_not_where_it_was_taken_meanwhile(here: Reminding) -> None:
    one = await planned(here)
    await here.until(at(22, 7, 2))
    assert await statuses(here, said(one, at(22, 7), "later", at(22, 7, 2), minutes=20)) == ["recorded"]
    await here.until(at(22, 20, 2))
    rung = [("medicine-due", "21 20:00"), ("medicine-due", "22 07:00")]
    assert await here.told("medicine-due") == [
        *rung,
        ("medicine-due", "22 07:22"),
        ("medicine-due", "22 20:00"),
    ]
    assert await statuses(here, said(one, at(22, 20), "later", at(22, 20, 2))) == ["recorded"]
    await here.until(at(22, 20, 10))
    assert await statuses(here, said(one, at(22, 20), "taken", at(22, 20, 10))) == ["recorded"]
    await here.until(at(22, 22))
    assert len(await here.told("medicine-due")) == 4


async def test_a_week_counts_what_came_and_what_was_said_of_it(here: Reminding) -> None:
    one = await planned(here)
    await here.until(at(24, 6))
    items = [
        said(one, at(22, 7), "taken", at(22, 7)),
        said(one, at(23, 7), "skipped", at(23, 7)),
        said(one, at(23, 20), "taken", at(23, 21)),
    ]
    assert await statuses(here, *items) == ["recorded"] * 3
    weeks = await counted(here)
    assert [week["starts_on"] for week in weeks] == ["2026-11-23", "2026-11-16"]
    figures = [
        {name: week["medicines"][0][name] for name in ("due", "taken", "skipped", "unanswered")}
        for week in weeks
    ]
    assert figures == [
        {"due": 2, "taken": 1, "skipped": 1, "unanswered": 0},
        {"due": 3, "taken": 1, "skipped": 0, "unanswered": 2},
    ]
    assert weeks[0]["medicines"][0]["title"] == "Zinzol 5 mg"
    assert [week["starts_on"] for week in await counted(here, weeks=1)] == ["2026-11-23"]


async def test_adherence_is_the_person_s_and_a_childs_guardians_alone(here: Reminding) -> None:
    mother = here.citizen
    child = await make_child(here.store, here.clock, mother)
    proxy = await make_citizen(here.store, here.clock)
    await make_proxy(here.store, here.clock, mother, proxy, "read-record", "reminders")
    token = await renew_session(here.store, here.clock, mother)
    for headers, status in (({}, 200), ({"X-Patient-Id": str(child)}, 200)):
        answer = await here.client.get(ADHERENCE, headers=bearer(token) | headers)
        assert answer.status_code == status
    token = await renew_session(here.store, here.clock, proxy)
    strange = bearer(token) | {"X-Patient-Id": str(mother.patient_id)}
    assert (await here.client.get(ADHERENCE, headers=strange)).status_code == 403
    assert (
        await post(
            here,
            said(str(uuid4()), at(22, 7), "taken", at(22, 7)),
            token=token,
            **{"X-Patient-Id": str(mother.patient_id)},
        )
    ).status_code == 403


async def test_what_is_put_off_again_and_again_leaves_one_timer_and_what_is_answered_none(
    here: Reminding,
) -> None:
    code = await here.send(drug(TWICE))
    await here.dispense(code, (1, "10"))
    await here.until(at(21, 20, 5))
    (one,) = await here.reminders()
    for minutes in (60, 90, 120, 90):
        await put_off(here, one["reminder_id"], at(21, 20), minutes)
        here.clock.advance(seconds=1)
        assert len(await later_timers(here)) == 1
    await here.until(at(21, 21, 40))
    assert (await here.told("medicine-due", repeats=True))[-1] == ("medicine-due", "21 21:35")
    await put_off(here, one["reminder_id"], at(21, 20), 60)
    assert len(await later_timers(here)) == 1
    here.clock.advance(seconds=1)
    await put_off(here, one["reminder_id"], at(21, 20), None)
    assert await later_timers(here) == []


async def test_a_timer_that_another_time_waits_for_stays(here: Reminding) -> None:
    for name in ("Zinzol 5 mg", "Alfazol 5 mg"):
        code = await here.send(drug(TWICE, name=name))
        await here.dispense(code, (1, "10"))
    await here.until(at(21, 20, 5))
    first, second = [one["reminder_id"] for one in await here.reminders()]
    for ident in (first, second):
        await put_off(here, ident, at(21, 20), 60)
    here.clock.advance(seconds=1)
    await put_off(here, first, at(21, 20), None)
    assert len(await later_timers(here)) == 1


async def put_off(here: Reminding, ident: str, due_at: datetime, minutes: int | None) -> None:
    """minutes None: it is taken."""
    act, more = ("taken", {}) if minutes is None else ("later", {"minutes": minutes})
    assert await statuses(here, said(ident, due_at, act, here.clock.now(), **more)) == ["recorded"]


async def later_timers(here: Reminding) -> list[str]:
    async with here.owner.transaction() as tx:
        return [row[0] for row in await tx.fetch("SELECT ref FROM due_queue WHERE kind = 'reminder-later'")]
