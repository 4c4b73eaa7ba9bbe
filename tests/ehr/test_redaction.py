"""A row that an Access withholds leaves no trace in any read: no item, no count, no page, no size."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ehr.reads import search, sections, summary, timeline, trend
from kernel.access import RECORD_TYPES, Access, Label, RecordType
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen
from tests.support.record import granted, own, write

SECTIONS: tuple[Any, ...] = (
    *("allergies", "problems", "medications", "immunizations", "results", "vital-signs", "procedures"),
    *("encounters", "imaging", "documents"),
)
MARK = "zqx"


def coded(kind: str, name: str, code: str, when: str | None, **more: Any) -> dict[str, Any]:
    concept = {"coding": [{"system": "urn:test", "code": code, "display": f"{MARK} {name}"}]}
    body: dict[str, Any] = {"resourceType": kind, "id": name} | more
    if kind == "Observation":
        body |= {"status": "final", "code": concept, "category": [{"coding": [{"code": "laboratory"}]}]}
        body |= {"valueQuantity": {"value": 5.10, "unit": "mmol/L"}}
        body |= {"effectiveDateTime": when} if when else {}
    elif kind == "Condition":
        body |= {"code": concept, "clinicalStatus": {"coding": [{"code": more.get("clinical", "resolved")}]}}
        body |= {"onsetDateTime": when} if when else {}
    elif kind == "AllergyIntolerance":
        body |= {"code": concept, "clinicalStatus": {"coding": [{"code": "active"}]}}
    elif kind == "MedicationRequest":
        body |= {"status": "completed", "medicationCodeableConcept": concept}
        body |= {"authoredOn": when} if when else {}
    elif kind == "Encounter":
        body |= {"status": "finished", "class": {"code": "AMB"}, "type": [concept]}
        body |= {"period": {"start": when}} if when else {}
    elif kind == "DocumentReference":
        body |= {"status": "current", "type": concept, "content": [{"attachment": {}}]}
        body |= {"date": when} if when else {}
    body.pop("clinical", None)
    return body


async def everything(store: Store, access: Access, now: datetime) -> list[str]:
    """The bytes of every read there is."""
    async with store.transaction() as tx:
        built = [await summary.read(tx, store.keys, access, now)]
        built += [await timeline.read(tx, access, None, 100, now)]
        built += [await sections.read(tx, access, section, None, 3, now) for section in SECTIONS]
        built += [
            await trend.read(tx, access, "SHARED", now),
            await search.read(tx, access, MARK, None, 100, now),
        ]
    return [each.body.decode() + json.dumps(each.shown) for each in built]


async def bare(store: Store, clock: FrozenClock) -> UUID:
    return (await make_citizen(store, clock)).patient_id


# One written plan of a record: which kinds, how dated, which of them are withheld by label.
ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "Observation",
                "Condition",
                "AllergyIntolerance",
                "MedicationRequest",
                "Encounter",
                "DocumentReference",
            ]
        ),
        st.sampled_from([None, "2019", "2025-07", "2026-11-02", "2026-11-05T08:00:00Z"]),
        st.booleans(),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=ENTRIES)
async def test_withheld_rows_leave_every_read_byte_equal(
    store: Store, clock: FrozenClock, entries: list[tuple[str, str | None, bool]]
) -> None:
    now = clock.now()
    person = await bare(store, clock)
    bodies = [
        (coded(kind, f"r{n}", "SHARED" if kind == "Observation" else f"C{n}", when), hidden)
        for n, (kind, when, hidden) in enumerate(entries)
    ]
    access = granted(person)
    await write(store, person, [b for b, hidden in bodies if not hidden], now)
    before = await everything(store, access, now)
    await write(store, person, [b for b, hidden in bodies if hidden], now, labels=int(Label.PSY))
    assert await everything(store, access, now) == before


async def test_a_hidden_diagnosis_does_not_title_its_visit(store: Store, clock: FrozenClock) -> None:
    person, now = await bare(store, clock), clock.now()
    visit = coded("Encounter", "v", "VISIT", "2026-11-02T08:00:00Z")
    visit["diagnosis"] = [{"condition": {"reference": "Condition/d"}, "use": {"coding": [{"code": "CC"}]}}]
    diagnosis = coded("Condition", "d", "F20", "2026-11-02", encounter={"reference": "Encounter/v"})
    await write(store, person, [visit], now)
    await write(store, person, [diagnosis], now, labels=int(Label.PSY))
    assert "zqx d" in "".join(await everything(store, own(person), now))
    assert "zqx d" not in "".join(await everything(store, granted(person), now))
    types: frozenset[RecordType] = frozenset({"Encounter"})
    narrow = granted(person, types=types, withheld=Label.NONE)
    assert "zqx d" not in "".join(await everything(store, narrow, now))


async def test_things_of_a_hidden_visit_stand_by_themselves(store: Store, clock: FrozenClock) -> None:
    person, now = await bare(store, clock), clock.now()
    lab = coded(
        "Observation", "lab", "SHARED", "2026-11-02T09:00:00Z", encounter={"reference": "Encounter/v"}
    )
    await write(store, person, [coded("Encounter", "v", "VISIT", "2026-11-02T08:00:00Z")], now, labels=4)
    await write(store, person, [lab], now)
    async with store.transaction() as tx:
        built = await timeline.read(tx, granted(person), None, None, now)
    entries = json.loads(built.body)["items"]
    assert [(e["kind"], e["date"]) for e in entries] == [("day", "2026-11-02")]
    assert "VISIT" not in built.body.decode()


async def test_types_outside_the_grant_do_not_exist(store: Store, clock: FrozenClock) -> None:
    person, now = await bare(store, clock), clock.now()
    await write(
        store,
        person,
        [coded("Condition", "c", "X", "2026-11-02"), coded("Observation", "o", "SHARED", None)],
        now,
    )
    for wanted in ("Condition", "Observation.laboratory"):
        types: frozenset[RecordType] = frozenset({wanted} & RECORD_TYPES)  # type: ignore[arg-type]
        text = "".join(await everything(store, granted(person, types=types), now))
        assert ("zqx c" in text, "zqx o" in text) == (wanted == "Condition", wanted != "Condition")


async def test_date_range_with_partial_dates_and_safety_lists(store: Store, clock: FrozenClock) -> None:
    person, now = await bare(store, clock), clock.now()
    await write(
        store,
        person,
        [
            coded("Observation", "in-the-year", "A", "2026"),
            coded("Observation", "in-the-month", "B", "2026-05"),
            coded("Observation", "last-day", "C", "2026-05-31"),
            coded("Observation", "day-after", "D", "2026-06-01"),
            coded("Observation", "day-before", "E", "2026-05-09"),
            # 17:30 UTC is half past midnight of the next day in Vietnam.
            coded("Observation", "night-after", "F", "2026-05-31T17:30:00Z"),
            coded("Observation", "undated", "G", None),
            coded("Condition", "old-resolved", "H", "2010"),
            coded("Condition", "old-active", "I", "2010", clinical="active"),
            coded("AllergyIntolerance", "old-allergy", "J", None),
            {
                "resourceType": "Immunization",
                "id": "old-dose",
                "status": "completed",
                "vaccineCode": {"text": f"{MARK} old-dose"},
                "occurrenceDateTime": "1990",
            },
        ],
        now,
    )
    access = granted(person, since=date(2026, 5, 10), until=date(2026, 5, 31))
    text = "".join(await everything(store, access, now))
    seen = {"in-the-year", "in-the-month", "last-day", "old-active", "old-allergy", "old-dose"}
    gone = {"day-after", "day-before", "night-after", "undated", "old-resolved"}
    assert {name for name in seen | gone if f"{MARK} {name}" in text} == seen


async def test_a_grant_over_the_whole_calendar_shows_every_day(store: Store, clock: FrozenClock) -> None:
    person = await bare(store, clock)
    await write(store, person, [coded("Condition", "Đau bụng", "R10", "2026-05-20")], clock.now())
    access = granted(person, since=date.min, until=date.max)
    assert any("Đau bụng" in body for body in await everything(store, access, clock.now()))


async def test_an_expired_course_is_not_exempt_from_the_range(store: Store, clock: FrozenClock) -> None:
    person, now = await bare(store, clock), clock.now()
    course = coded("MedicationRequest", "course", "M", "2020-01-01")
    course |= {"status": "active"}
    course["dosageInstruction"] = [{"timing": {"repeat": {"boundsPeriod": {"end": "2020-01-10"}}}}]
    lasting = coded("MedicationRequest", "lasting", "N", "2020-01-01") | {"status": "active"}
    await write(store, person, [course, lasting], now)
    access = granted(person, since=date(2026, 1, 1))
    text = "".join(await everything(store, access, now))
    assert ("zqx course" in text, "zqx lasting" in text) == (False, True)
    own_summary = (await everything(store, own(person), datetime(2026, 1, 1, tzinfo=UTC)))[0]
    assert "zqx course" not in own_summary


async def test_s13_no_address_of_a_document_ever_leaves(store: Store, clock: FrozenClock) -> None:
    person, now = await bare(store, clock), clock.now()
    paper = coded("DocumentReference", "paper", "P", "2026-11-02")
    paper["content"] = [{"attachment": {"contentType": "application/pdf", "url": "https://pacs.test/secret"}}]
    await write(store, person, [paper], now)
    for access in (own(person), granted(person)):
        assert "pacs.test" not in "".join(await everything(store, access, now))


async def test_disputed_and_mistaken_entries_leave_every_read(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    person, now = await bare(store, clock), clock.now()
    mistake = {"verificationStatus": {"coding": [{"code": "entered-in-error"}]}}
    await write(store, person, [coded("Condition", "mistake", "M", "2026") | mistake], now)
    await write(store, person, [coded("Condition", "foreign", "N", "2026")], now)
    async with owner.transaction() as tx:
        await tx.execute(
            "UPDATE ehr_resource SET state = 'disputed' WHERE patient_id = $1 AND code = 'N'", person
        )
    assert MARK not in "".join(await everything(store, own(person), now))
    assert MARK not in "".join(await everything(store, granted(person), now))
