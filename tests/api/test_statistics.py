"""Reports of the department over HTTP: rounded, one set a day, safe in a spreadsheet, for analysts alone."""

import csv as reader
import io
from typing import Any

import httpx
import pytest

from ehr.intake.counting import count
from ehr.statistics import publishing
from identity.register.facilities import NewFacility, add_facility
from kernel.ids import uuid7
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_doctor, make_facility
from tests.support.record import write
from tests.support.statistics import count_all, make_resident, seen_with

REPORTS = ("coverage", "completeness", "cases", "freshness", "intake", "documents", "channels", "deliveries")
HOSTILE = "=HYPERLINK(1)"


async def analyst(store: Store, clock: FrozenClock) -> dict[str, str]:
    facility = await make_facility(store, clock, code="79000", name="Sở Y tế")
    return bearer((await make_doctor(store, clock, facility, role="department-analyst")).token)


async def ask(client: httpx.AsyncClient, headers: dict[str, str], name: str, **params: str) -> Any:
    response = await client.get(f"/v1/department/statistics/{name}", headers=headers, params=params)
    return response.json()


async def a_district(store: Store, clock: FrozenClock) -> str:
    """Thirty people, seven of them seen with I10 last week, and a sender with a name like a formula."""
    for n in range(30):
        person = await make_resident(store, clock.now(), "26734" if n < 20 else None)
        if n < 7:
            await write(store, person, [seen_with("I10", "2026-11-11")], clock.now())
    async with store.transaction() as tx:
        new = NewFacility(name=HOSTILE, short_name="TYT", discreet_name="Cơ sở", code="79111")
        sender = await add_facility(tx, new, clock.now())
        for status, reason, number in (
            ("imported", "", 40),
            ("rejected", "=bad-date", 10),
            ("document", "discharge-letter", 20),
            ("withheld", "", 35),
            ("channel", "api", 40),
            ("channel", "form", 25),
            ("axis-in-time", "", 10),
        ):
            await count(tx, sender.facility_id, uuid7(clock.now()), {(status, reason): number}, clock.now())  # type: ignore[arg-type]
    return str(sender.facility_id)


async def test_s30_reports_show_rounded_cells_and_sums_of_them(
    fresh_store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "chance_by", lambda _secret: lambda _cube, _key: 2)
    sender = await a_district(fresh_store, clock)
    headers = await analyst(fresh_store, clock)
    async with client_of(fresh_store, clock) as client:
        assert (await ask(client, headers, "coverage"))["code"] == "statistics-not-ready"
        await count_all(fresh_store, clock.now())
        found = {name: await ask(client, headers, name) for name in REPORTS}
        overview = (await client.get("/v1/department/statistics", headers=headers)).json()
        assert (await ask(client, headers, "all-about-everybody"))["code"] == "no-such-report"
        assert (await ask(client, headers, "coverage", day="2020-01-01"))["code"] == "statistics-not-ready"
    assert [one["day"] for one in overview["sets"]] == ["2026-11-21"]
    assert overview["groups"]["under-6"] == "Dưới 6 tuổi"

    def number(name: str, **of: str) -> Any:
        return [one for one in found[name]["figures"] if of.items() <= one["of"].items()]

    assert number("coverage", commune="26734", group="*", record="*")[0]["count"] == 20
    assert number("coverage", commune="26734", group="*", record="with")[0]["count"] == 5
    assert number("coverage", commune="", group="*", record="*")[0]["count"] == 10
    (case,) = number("cases", commune="26734", icd="I10")
    assert (case["count"], case["of"]["week"], "usual" in case) == (5, "2026-11-09", False)
    (fresh,) = number("freshness", facility=sender)
    assert (fresh["last_week"], fresh["weeks_ago"], fresh["count"]) == ("2026-11-16", 0, 40)
    assert number("intake", facility=sender, status="rejected", reason="=bad-date")[0]["count"] == 10
    assert number("documents", facility=sender, type="discharge-letter")[0]["count"] == 20
    silent = [one for one in found["documents"]["figures"] if one.get("title_vi") == "Sở Y tế"]
    assert {one["count"] for one in silent} == {0}, "who sends none is listed"
    assert "withheld" not in str(found), "what the gate stopped is not the department's"
    assert {one["count"] % 5 for name in REPORTS for one in found[name]["figures"]} == {0}


async def test_s30_a_day_is_published_once_and_read_alike_by_everybody(
    fresh_store: Store, clock: FrozenClock
) -> None:
    await a_district(fresh_store, clock)
    headers = await analyst(fresh_store, clock)
    await count_all(fresh_store, clock.now())
    async with client_of(fresh_store, clock) as client:
        before = [await ask(client, headers, name) for name in REPORTS]
        person = await make_resident(fresh_store, clock.now(), "26734")
        await write(fresh_store, person, [seen_with("I10", "2026-11-11")], clock.now())
        await count_all(fresh_store, clock.now())
        assert [await ask(client, headers, name) for name in REPORTS] == before


async def test_s35_no_cell_of_a_table_is_a_formula(fresh_store: Store, clock: FrozenClock) -> None:
    await a_district(fresh_store, clock)
    headers = await analyst(fresh_store, clock)
    await count_all(fresh_store, clock.now())
    async with client_of(fresh_store, clock) as client:
        for name in REPORTS:
            address = f"/v1/department/statistics/{name}/table.csv"
            response = await client.get(address, headers=headers)
            assert response.status_code == 200
            assert response.headers["content-type"].startswith("text/csv")
            assert f'filename="{name}-2026-11-21.csv"' in response.headers["content-disposition"]
            lines = list(reader.reader(io.StringIO(response.content.decode("utf-8-sig"))))
            assert len(lines) > 1
            if name == "channels":
                assert "61.5" in {line[-1] for line in lines}, "40 of 65 came by API"
            assert not [cell for line in lines for cell in line if cell[:1] in {"=", "+", "-", "@"}]


async def test_cases_far_above_the_weeks_before_carry_a_mark(
    fresh_store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "chance_by", lambda _secret: lambda _cube, _key: 2)
    store = fresh_store
    weeks = ["2026-09-07", "2026-09-14", "2026-09-21", "2026-09-28", "2026-10-05", "2026-10-12", "2026-10-19"]
    weeks += ["2026-10-26", "2026-11-02"]
    for n in range(20):
        person = await make_resident(store, clock.now(), "00001")
        seen = [seen_with("A90", day, day) for day in weeks if n < 5]
        await write(store, person, [*seen, seen_with("A90", "2026-11-10", "now")], clock.now())
    await count_all(store, clock.now())
    headers = await analyst(store, clock)
    async with client_of(store, clock) as client:
        whole = await ask(client, headers, "cases")
        running = await ask(client, headers, "cases", week="2026-11-21")
        earlier = await ask(client, headers, "cases", week="2026-09-21")
    (mark,) = [
        one
        for one in whole["figures"]
        if one["of"] == {"commune": "00001", "icd": "A90", "week": "2026-11-09"}
    ]
    assert (mark["count"], mark["usual"], mark["above_usual"]) == (20, 5, True)
    assert running["figures"] == []
    assert all("usual" not in one for one in earlier["figures"]), "too few weeks before to say what is usual"
