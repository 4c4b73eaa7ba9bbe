"""What broken glass shows of a record, and who hears of it (security.md S24, S23, S18)."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from healthbook.dispatch import dispatch
from kernel.access import Label
from kernel.ids import bucket_of
from store.database import Store
from store.models import Event
from store.outbox import claim_events
from tests.support.clock import FrozenClock
from tests.support.consent import count
from tests.support.emergency import Unit, make_unit
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, sign_in_again
from tests.support.record import write

PARTS = (
    "summary",
    "timeline",
    "allergies",
    "conditions",
    "medications",
    "immunizations",
    "results",
    "vital-signs",
    "procedures",
    "encounters",
    "imaging-reports",
    "documents",
    "search?q=KEEN",
    "summary.pdf",
    "ips",
)


@pytest.fixture
async def unit(store: Store, clock: FrozenClock) -> Unit:
    return await make_unit(store, clock)


def lab(ident: str, title: str, day: str, code: str, category: str = "laboratory") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": ident,
        "status": "final",
        "category": [{"coding": [{"code": category}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": title},
        "effectiveDateTime": f"{day}T08:00:00+07:00",
        "valueString": "A",
    }


RECORD: list[dict[str, Any]] = [
    lab("old", "Xét nghiệm cũ", "2020-01-02", "1558-6"),
    lab("new", "Xét nghiệm mới", "2026-10-02", "2345-7"),
    lab("blood", "Nhóm máu", "2010-01-02", "883-9"),
    lab("pregnant", "Đang mang thai", "2026-10-01", "82810-3", "exam"),
    lab("smoking", "Hút thuốc lá", "2026-10-01", "72166-2", "social-history"),
    {"resourceType": "Device", "id": "pacer", "status": "active", "type": {"text": "Máy tạo nhịp"}},
    {
        "resourceType": "Condition",
        "id": "heart",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"text": "Suy tim"},
        "onsetDateTime": "2011-02-03",
    },
    {
        "resourceType": "Immunization",
        "id": "shot",
        "status": "completed",
        "vaccineCode": {"text": "Vắc xin sởi"},
        "occurrenceDateTime": "2026-01-02",
    },
    {
        "resourceType": "DocumentReference",
        "id": "paper",
        "status": "current",
        "type": {"text": "Giấy ra viện"},
        "date": "2026-09-02T08:00:00+07:00",
        "content": [{"attachment": {"contentType": "text/plain"}}],
    },
]
HIDDEN = {
    "resourceType": "Condition",
    "id": "secret",
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"text": "KEEN BIMAT"},
    "onsetDateTime": "2026-02-03",
}


async def whole(unit: Unit, citizen: Citizen) -> dict[str, httpx.Response]:
    await sign_in_again(unit.store, unit.clock, unit.doctor)
    async with client_of(unit.store, unit.clock) as client:
        base = f"/v1/doctor/patients/{citizen.patient_id}"
        return {part: await client.get(f"{base}/{part}", headers=bearer(unit.doctor.token)) for part in PARTS}


async def test_s24_the_safety_set_is_there_and_nothing_beside_it(unit: Unit, citizen: Citizen) -> None:
    """Old blood group and implant are there, old laboratory is not; papers, vaccines and habits are not."""
    await write(unit.store, citizen.patient_id, RECORD, unit.clock.now())
    await unit.opened(citizen)
    answers = await whole(unit, citizen)
    assert {part: answer.status_code for part, answer in answers.items()} == dict.fromkeys(PARTS, 200)
    text = "".join(answers[part].text for part in PARTS if part != "summary.pdf")
    for shown in ("Xét nghiệm mới", "Nhóm máu", "Máy tạo nhịp", "Suy tim", "Đang mang thai"):
        assert shown in text, shown
    for absent in ("Xét nghiệm cũ", "Vắc xin sởi", "Giấy ra viện", "Hút thuốc lá"):
        assert absent not in text, absent


async def test_s24_what_the_person_leaves_out_is_absent_with_its_facts(unit: Unit, citizen: Citizen) -> None:
    from consent.emergency import queries

    await write(unit.store, citizen.patient_id, RECORD, unit.clock.now())
    await unit.opened(citizen)
    async with unit.store.transaction() as tx:
        left_out = ["blood-group", "implants", "pregnancy", "problems"]
        await queries.set_withheld(tx, citizen.patient_id, left_out, unit.clock.now())
    answers = await whole(unit, citizen)
    text = "".join(answers[part].text for part in PARTS if part != "summary.pdf")
    assert "Xét nghiệm mới" in text
    for absent in ("Nhóm máu", "Máy tạo nhịp", "Đang mang thai", "Suy tim"):
        assert absent not in text, absent


@pytest.mark.parametrize("label", [Label.HIV, Label.PSY, Label.RESTRICTED])
async def test_s24_sensitive_seeds_leave_no_trace_without_a_co_sign(
    store: Store, unit: Unit, citizen: Citizen, label: Label
) -> None:
    """The same answers, byte for byte, as a record that never held it; with the co-signature it is there."""
    plain = await make_citizen(store, unit.clock)
    for one in (citizen, plain):
        await write(store, one.patient_id, RECORD, unit.clock.now())
    await write(store, citizen.patient_id, [HIDDEN], unit.clock.now(), labels=int(label))
    made = [await unit.opened(one) for one in (citizen, plain)]
    with_it, without = await whole(unit, citizen), await whole(unit, plain)
    for part in PARTS:
        assert "BIMAT" not in with_it[part].text, part
        assert with_it[part].headers.get("etag", "") != "" or part in ("summary.pdf", "ips"), part
    for part in ("conditions", "search?q=KEEN"):
        assert with_it[part].json() == without[part].json(), part
    unit.clock.advance(minutes=1)
    await unit.sign(made[0].emergency_id, "labels", labels=label)
    shown = await whole(unit, citizen)
    assert "BIMAT" in shown["conditions"].text


async def drain(store: Store, patient_id: UUID, now: Any) -> list[Event]:
    """Every event of a person's bucket through its handler, as the worker does."""
    async with store.transaction() as tx:
        events = [
            one for one in await claim_events(tx, bucket_of(patient_id), now) if one.patient_id == patient_id
        ]
        for event in events:
            await dispatch(tx, store.keys, event, now)
    return events


async def test_s18_a_living_person_reported_dead_hears_of_broken_glass(
    store: Store, owner: Store, unit: Unit, citizen: Citizen
) -> None:
    async with owner.transaction() as tx:
        await tx.execute(
            "UPDATE citizen SET state = 'death-reported' WHERE patient_id = $1", citizen.patient_id
        )
    await unit.opened(citizen)
    await drain(store, citizen.patient_id, unit.clock.now())
    said = "SELECT count(*) FROM notification WHERE patient_id = $1 AND type = 'emergency-access'"
    assert await count(owner, said, citizen.patient_id) == 1


async def test_s24_the_first_read_of_a_day_is_told_once(
    store: Store, owner: Store, unit: Unit, citizen: Citizen
) -> None:
    await unit.opened(citizen)
    for _ in range(2):
        await whole(unit, citizen)
    await drain(store, citizen.patient_id, unit.clock.now())
    said = "SELECT count(*) FROM notification WHERE patient_id = $1 AND type = 'emergency-read'"
    assert await count(owner, said, citizen.patient_id) == 1


async def test_s24_every_read_is_logged_under_the_opening(owner: Store, unit: Unit, citizen: Citizen) -> None:
    made = await unit.opened(citizen)
    answers = await whole(unit, citizen)
    served = sum(
        answer.status_code == 200 for part, answer in answers.items() if part not in ("summary.pdf", "ips")
    )
    sql = (
        "SELECT count(*) FROM access_log WHERE patient_id = $1 AND entry::json->>'basis' = 'break-glass'"
        " AND entry::json->'grant'->>'id' = $2 AND entry::json->>'purpose' = 'BTG'"
    )
    assert await count(owner, sql, citizen.patient_id, str(made.emergency_id)) >= served == len(PARTS) - 2
