"""Lists: search, trends, pages, timeline."""

import json
from datetime import date
from typing import Any
from uuid import UUID

from ehr.reads import queries, search, sections, timeline, trend
from ehr.reads.models import Built
from kernel.paging import decode_cursor
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen
from tests.support.record import bundle, own, write
from tests.support.sql import nodes, plan_of


def body(built: Built) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(built.body)
    return answer


def problem(name: str, when: str | None, **code: Any) -> dict[str, Any]:
    coding = {"system": "http://hl7.org/fhir/sid/icd-10", "code": "I10"} | code
    found = {"resourceType": "Condition", "id": name, "code": {"coding": [coding]}}
    return found | ({"onsetDateTime": when} if when else {})


def lab(name: str, value: str, unit: str, when: str | None, high: str) -> str:
    date = f'"effectiveDateTime": "{when}",' if when else ""
    return f"""{{"resourceType": "Observation", "id": "{name}", "status": "final", {date}
        "code": {{"coding": [{{"system": "http://loinc.org", "code": "2345-7"}}]}},
        "valueQuantity": {{"value": {value}, "unit": "{unit}"}},
        "referenceRange": [
            {{"low": {{"value": 3.9, "unit": "{unit}"}}, "high": {{"value": {high}, "unit": "{unit}"}}}}]}}"""


async def person(store: Store, clock: FrozenClock) -> UUID:
    return (await make_citizen(store, clock)).patient_id


async def test_search_without_tone_marks_finds_the_other_name_too(store: Store, clock: FrozenClock) -> None:
    who, now = await person(store, clock), clock.now()
    await write(store, who, [problem("a", "2020", code="E11.9"), problem("b", "2021")], now)
    for words in ("tieu duong", "TIỂU ĐƯỜNG", "Đái  tháo", "dai thao duong", "e11"):
        async with store.transaction() as tx:
            found = body(await search.read(tx, own(who), words, None, None, now))
        assert [item["title"] for item in found["items"]] == ["Đái tháo đường típ 2"], words


async def test_search_words_are_letters_not_patterns(store: Store, clock: FrozenClock) -> None:
    who, now = await person(store, clock), clock.now()
    await write(store, who, [problem("a", "2020")], now)
    for words in ("%%", "__", "\\\\", "  "):
        async with store.transaction() as tx:
            assert body(await search.read(tx, own(who), words, None, None, now))["items"] == []


async def test_trend_keeps_each_result_with_its_own_range_and_its_zeros(
    store: Store, clock: FrozenClock
) -> None:
    from ehr.extract import extract
    from ehr.store import write_unit
    from tests.support.record import hospital, our_id

    who, now = await person(store, clock), clock.now()
    texts = [
        lab("a", "5.10", "mmol/L", "2024-01-01", "6.1"),
        lab("b", "6.00", "mmol/L", "2025-01-01", "5.6"),
        lab("c", "99", "mg/dL", "2025-06-01", "100"),
        lab("d", "5.0", "mmol/L", None, "5.6"),
    ]
    rows = [
        extract("Observation", t.encode(), id=our_id("a", str(n)), refer=lambda _: None)
        for n, t in enumerate(texts)
    ]
    async with store.transaction() as tx:
        await write_unit(tx, who, hospital(), rows, unit=None, now=now)
    async with store.transaction() as tx:
        series = body(await trend.read(tx, own(who), "2345-7", now))["series"]
    by_unit = {
        s["unit"]: [(p["date"], p["value"], p["range"]["high"], p["flag"]) for p in s["points"]]
        for s in series
    }
    assert by_unit == {
        "mmol/L": [
            ("2024-01-01", "5.10", "6.1", "normal"),
            ("2025-01-01", "6.00", "5.6", "high"),
            (None, "5.0", "5.6", "normal"),
        ],
        "mg/dL": [("2025-06-01", "99", "100", "normal")],
    }


async def test_blood_pressure_is_two_series(store: Store, clock: FrozenClock) -> None:
    who, now = await person(store, clock), clock.now()
    await write(store, who, bundle("synthea-sof-felipa-ddecf886f34f"), now)
    async with store.transaction() as tx:
        series = body(await trend.read(tx, own(who), "55284-4", now))["series"]
    assert {s["title"] for s in series} == {"Huyết áp tâm thu", "Huyết áp tâm trương"}


async def test_pages_are_stable_while_rows_arrive(store: Store, clock: FrozenClock) -> None:
    who, now = await person(store, clock), clock.now()
    old = [problem(f"p{n}", f"20{n:02d}-01-01") for n in range(10, 20)] + [problem("undated", None)]
    await write(store, who, old, now)
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        async with store.transaction() as tx:
            page = body(await sections.read(tx, own(who), "problems", cursor, 4, now))
        seen += [item["id"] for item in page["items"]]
        cursor, pages = page["next"], pages + 1
        # Newer and older rows between the pages.
        await write(store, who, [problem(f"new{pages}", "2026-01-01"), problem(f"older{pages}", "1950")], now)
    assert len(seen) == len(set(seen)) == 11 + 2
    assert pages == 4


async def test_a_cursor_holds_only_what_the_last_row_shows(store: Store, clock: FrozenClock) -> None:
    who, now = await person(store, clock), clock.now()
    await write(store, who, [problem("a", "2020-01-01"), problem("b", "2021-01-01")], now)
    async with store.transaction() as tx:
        page = body(await sections.read(tx, own(who), "problems", None, 1, now))
    _, ident = decode_cursor(page["next"], tuple[int, str])
    assert ident == page["items"][0]["id"]


async def test_timeline_titles_a_visit_with_its_main_disease(store: Store, clock: FrozenClock) -> None:
    who, now = await person(store, clock), clock.now()
    visit = {
        "resourceType": "Encounter",
        "id": "v",
        "status": "finished",
        "class": {"code": "AMB"},
        "period": {"start": "2026-10-01T08:00:00+07:00"},
        "diagnosis": [
            {"condition": {"reference": "Condition/admission"}, "rank": 1},
            {"condition": {"reference": "Condition/main"}, "use": {"coding": [{"code": "CC"}]}},
        ],
    }
    advice = {
        "resourceType": "CarePlan",
        "id": "advice",
        "status": "active",
        "title": "Lời dặn",
        "description": "Uống nhiều nước",
        "encounter": {"reference": "Encounter/v"},
    }
    inside = {"encounter": {"reference": "Encounter/v"}}
    await write(
        store,
        who,
        [
            visit,
            advice,
            problem("main", "2026-10-01", code="J20") | inside,
            problem("admission", "2026-10-01", code="R05") | inside,
            problem("year", "2019"),
            problem("day", "2018-03-04"),
            problem("none", None),
        ],
        now,
    )
    async with store.transaction() as tx:
        entries = body(await timeline.read(tx, own(who), None, None, now))["items"]
        visits = body(await sections.read(tx, own(who), "encounters", None, None, now))["items"]
    assert [(e["kind"], e["title"], e["date"]) for e in entries] == [
        ("encounter", "Viêm phế quản cấp", "2026-10-01T08:00:00+07:00"),
        ("day", "2019", "2019"),
        ("day", "2018-03-04", "2018-03-04"),
        ("undated", "Không rõ ngày", None),
    ]
    assert len(entries[0]["items"]) == 3
    assert visits[0]["encounter"]["main_diagnosis"] == "Viêm phế quản cấp"
    assert visits[0]["plans"][0]["text"] == "Uống nhiều nước"
    assert len(visits[0]["diagnoses"]) == 2


async def test_a_visit_with_more_than_it_shows_logs_what_it_shows(store: Store, clock: FrozenClock) -> None:
    who, now = await person(store, clock), clock.now()
    visit = {"resourceType": "Encounter", "id": "v", "status": "finished", "class": {"code": "AMB"}}
    visit |= {"period": {"start": "2026-10-01"}}
    inside = {"encounter": {"reference": "Encounter/v"}}
    many = [problem(f"p{n}", "2026-10-01") | inside for n in range(timeline.VISIT_ITEMS_MAX + 5)]
    await write(store, who, [visit, *many], now)
    async with store.transaction() as tx:
        built = await timeline.read(tx, own(who), None, None, now)
    (entry,) = body(built)["items"]
    assert (len(entry["items"]), entry["more"]) == (timeline.VISIT_ITEMS_MAX, True)
    in_the_body = {entry["encounter"]["id"], *(item["id"] for item in entry["items"])}
    assert {ident for _, ident in built.shown} == in_the_body


async def test_timeline_pages_reach_everything_once(store: Store, clock: FrozenClock) -> None:
    who, now = await person(store, clock), clock.now()
    await write(store, who, bundle("synthea-sof-felipa-ddecf886f34f"), now)
    visits, cursor, first = [], None, True
    while first or cursor:
        async with store.transaction() as tx:
            page = body(await timeline.read(tx, own(who), cursor, 7, now))
        visits += [e["encounter"]["id"] for e in page["items"] if e["kind"] == "encounter"]
        cursor, first = page["next"], False
    assert len(visits) == len(set(visits)) == 52


async def test_the_timeline_of_one_kind_pages_through_the_visits_it_came_from(
    store: Store, clock: FrozenClock
) -> None:
    who, now = await person(store, clock), clock.now()
    await write(store, who, bundle("synthea-sof-felipa-ddecf886f34f"), now)
    wanted = timeline.Wanted(kind="immunizations", since=date(2012, 1, 1), until=date(2018, 12, 31))
    entries, cursor, first = [], None, True
    while first or cursor:
        async with store.transaction() as tx:
            page = body(await timeline.read(tx, own(who), cursor, 2, now, wanted))
        entries += page["items"]
        cursor, first = page["next"], False
    assert entries
    assert {item["kind"] for one in entries for item in one["items"]} == {"Immunization"}
    assert all(one["items"] for one in entries), "a visit without any is none of them"
    days = [one["date"][:10] for one in entries]
    assert days == sorted(days, reverse=True)
    assert all("2012-01-01" <= day <= "2018-12-31" for day in days)


async def test_lists_walk_their_own_indexes(owner: Store) -> None:
    wanted = {
        queries.SECTION_PAGE: "ehr_resource_by_section",
        queries.DOCUMENT_PAGE: "ehr_resource_by_section",
        queries.TREND: "ehr_resource_by_code",
        queries.TIMELINE_HEADS: "ehr_resource_by_time",
        queries.VISIT_ITEMS: "ehr_resource_by_encounter",
        queries.CHANGES: "ehr_resource_by_seq",
        queries.SOURCES: "ehr_resource_by_fold",
        queries.NEGATIVES: "ehr_resource_none_known",
    }
    for statement, index in wanted.items():
        async with owner.transaction() as tx:
            plan = await plan_of(tx, statement.sql)
        names = [node.get("Index Name") for node in nodes(plan) if node.get("Alias") == "r"]
        assert index in {node.get("Index Name") for node in nodes(plan)}, (index, names)


async def test_the_summary_of_a_long_record_needs_no_walk_through_it(owner: Store) -> None:
    """Each part by the index that ends where the part ends: what the record holds besides does not count."""
    async with owner.transaction() as tx:
        plan = await plan_of(tx, queries.SUMMARY.sql)
    names = {node.get("Index Name") for node in nodes(plan)}
    wanted = {"by_series", "by_problem", "past_problem", "by_section", "by_code"}
    assert {f"ehr_resource_{name}" for name in wanted} <= names
    assert not [n for n in nodes(plan) if n["Node Type"] == "Seq Scan" and "ehr" in n["Relation Name"]]
