"""What a carer reads of the notice that nobody answered: the medicines of that time and nothing else."""

from datetime import timedelta

import httpx
import pytest

from kernel.access import Label
from tests.reminders.test_unanswered import CARER, answer, as_child, at, mark_rows, planned, rung
from tests.support.family import make_proxy
from tests.support.http import bearer
from tests.support.people import Citizen, make_citizen, renew_session
from tests.support.reminding import Reminding

PATH = "/v1/me/reminders/unanswered"


async def read(
    here: Reminding, who: Citizen, whose: Citizen | None = None, path: str = PATH
) -> httpx.Response:
    token = await renew_session(here.store, here.clock, who)
    of = {"X-Patient-Id": str(whose.patient_id)} if whose else {}
    return await here.client.get(path, headers=bearer(token) | of)


async def titles(here: Reminding, who: Citizen, whose: Citizen | None = None) -> list[tuple[str, list[str]]]:
    done = await read(here, who, whose)
    assert done.status_code == 200, done.text
    return [(one["due_at"], [m["title"] for m in one["medicines"]]) for one in done.json()["items"]]


async def carer(here: Reminding, *scopes: str) -> Citizen:
    made = await make_citizen(here.store, here.clock)
    await make_proxy(here.store, here.clock, here.citizen, made, *scopes)  # type: ignore[arg-type]
    return made


async def test_a_proxy_for_reminders_reads_what_the_notice_is_about_and_nothing_else(here: Reminding) -> None:
    daughter, neighbour = await carer(here, "reminders"), await carer(here, "vitals")
    await planned(here)
    await here.until(at(21, 20, 45))
    assert await titles(here, daughter, here.citizen) == [], "nobody was told yet"
    await here.until(at(21, 21, 5))
    assert await rung(here, CARER, who=daughter) == ["21 21:00"]
    (one,) = (await read(here, daughter, here.citizen)).json()["items"]
    assert one["due_at"] == "2026-11-21T13:00:00Z"
    assert [m["title"] for m in one["medicines"]] == ["Zinzol 5 mg"]
    assert "2 lần/ngày" in one["medicines"][0]["dosage"][0]
    for path in ("/v1/me/reminders", "/v1/me/reminders/plan", "/v1/me/medications", "/v1/me/summary"):
        assert (await read(here, daughter, here.citizen, path)).json()["code"] == "not-in-your-care"
    assert (await read(here, neighbour, here.citizen)).json()["code"] == "not-in-your-care"
    log = (await read(here, here.citizen, path="/v1/me/access-log")).text
    assert daughter.name in log, "the person sees who looked"


async def test_what_was_answered_meanwhile_or_told_to_somebody_else_is_not_shown(here: Reminding) -> None:
    daughter = await carer(here, "reminders")
    await planned(here)
    await here.until(at(21, 21, 5))
    son = await carer(here, "reminders")
    assert await titles(here, son, here.citizen) == [], "it was before his time"
    assert len(await titles(here, daughter, here.citizen)) == 1
    assert len(await titles(here, here.citizen)) == 1
    await answer(here, at(21, 20), "taken")
    for who, whose in ((daughter, here.citizen), (here.citizen, None)):
        assert await titles(here, who, whose) == []


@pytest.mark.parametrize("label", [Label.SDV, Label.RESTRICTED, Label.PSY, Label.HIV])
async def test_s23_of_a_time_with_two_medicines_the_sensitive_one_is_not_shown(
    here: Reminding, label: Label
) -> None:
    daughter = await carer(here, "reminders", "read-record")
    await planned(here, "Alfazol 5 mg")
    await mark_rows(here, label)
    await planned(here)
    await here.until(at(21, 21, 5))
    assert [names for _, names in await titles(here, daughter, here.citizen)] == [["Zinzol 5 mg"]]
    assert [sorted(names) for _, names in await titles(here, here.citizen)] == [
        ["Alfazol 5 mg", "Zinzol 5 mg"]
    ]
    await mark_rows(here, label)
    assert await titles(here, daughter, here.citizen) == [], "it is kept from her now"


async def test_a_guardian_reads_it_for_a_child_and_a_day_later_it_is_gone(here: Reminding) -> None:
    mother, kid = await as_child(here)
    await planned(kid)
    await here.until(at(21, 21, 5))
    assert [names for _, names in await titles(here, mother, kid.citizen)] == [["Zinzol 5 mg"]]
    here.clock.set(at(21, 21, 5) + timedelta(days=2))
    assert await titles(here, mother, kid.citizen) == []
    stranger = await make_citizen(here.store, here.clock)
    assert (await read(here, stranger, kid.citizen)).json()["code"] == "not-your-book"
