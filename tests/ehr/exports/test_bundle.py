"""The whole record as a Bundle: everything the Access lets out, and no trace of the rest."""

import json
from typing import Any

import pytest

from ehr.exports import bundle as exporting
from ehr.exports import papers
from ehr.reads import summary
from kernel.access import Access, Label
from store.database import Store
from tests.ehr.exports.test_ips import document, references
from tests.support.clock import FrozenClock
from tests.support.exports import pdf_pages
from tests.support.people import make_citizen
from tests.support.record import bundle, granted, own, write

SECRET = "Bimat"


async def whole(store: Store, access: Access, clock: FrozenClock) -> dict[str, Any]:
    async with store.transaction() as tx:
        gathered = await exporting.gather(tx, store.keys, access, clock.now())
    made: dict[str, Any] = json.loads(exporting.build(gathered, clock.now()).body)
    return made


async def papers_of(store: Store, access: Access, clock: FrozenClock) -> str:
    """The text of both papers."""
    async with store.transaction() as tx:
        built = await summary.read(tx, store.keys, access, clock.now())
        gathered = await papers.gather_book(tx, access, built, clock.now())
    pages = pdf_pages(papers.build_book(gathered, clock.now()).body)
    pages += pdf_pages(papers.build_sheet(gathered.summary, [], clock.now()).body)
    return "\n".join(pages)


def of_type(made: dict[str, Any], rtype: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in made["entry"] if e["resource"]["resourceType"] == rtype]


async def test_every_row_leaves_under_our_ids(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    sent = bundle("synthea-sof-felipa-ddecf886f34f")
    await write(store, person.patient_id, sent, clock.now())
    made = await whole(store, own(person.patient_id, "export-record"), clock)
    urls = {entry["fullUrl"] for entry in made["entry"]}
    assert len(urls) == len(made["entry"])
    clinical = [body for body in sent if body["resourceType"] not in exporting.SUPPORTING]
    assert len([e for e in made["entry"] if e["resource"]["resourceType"] not in exporting.SUPPORTING]) == (
        len(clinical) + 1
    )
    for entry in made["entry"]:
        assert set(references(entry["resource"])) <= urls
        assert "div" not in entry["resource"].get("text", {})


def seeded() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows that may leave, and rows that may not; the first name the second in every way they can."""
    hidden_ref = {"reference": "Observation/h", "display": f"{SECRET} tải lượng"}
    place = {"reference": "Organization/o", "display": f"{SECRET} phòng khám"}
    coded = {"text": "Đường huyết"}
    shown = [
        {
            "resourceType": "DiagnosticReport",
            "id": "r",
            "status": "final",
            "code": coded,
            "result": [hidden_ref, {"reference": "Observation/s"}],
            "text": {"status": "generated", "div": f"<div>{SECRET}</div>"},
            "presentedForm": [{"contentType": "text/plain", "data": "YQ=="}],
        },
        {
            "resourceType": "Observation",
            "id": "s",
            "status": "final",
            "code": coded,
            "valueQuantity": {"value": 5.1, "unit": "mmol/L"},
            "derivedFrom": [hidden_ref],
            "hasMember": [{"display": f"{SECRET} không địa chỉ"}],
            "focus": [hidden_ref],
            "encounter": {"reference": "Encounter/h2", "display": f"{SECRET} khám"},
        },
        {
            "resourceType": "Provenance",
            "id": "p",
            "target": [hidden_ref],
            "recorded": "2026-11-01T00:00:00Z",
            "agent": [{"who": {"display": f"{SECRET} bác sĩ"}}],
        },
        {
            "resourceType": "Provenance",
            "id": "p2",
            "target": [hidden_ref, {"reference": "Observation/s"}],
            "recorded": "2026-11-01T00:00:00Z",
            "agent": [{"who": {"display": "BS An"}}],
        },
        {"resourceType": "Organization", "id": "o", "name": f"{SECRET} phòng khám"},
        {
            "resourceType": "Composition",
            "id": "c",
            "status": "final",
            "date": "2026-11-01T00:00:00Z",
            "title": "Tóm tắt",
            "section": [
                {"title": f"{SECRET} phần", "entry": [hidden_ref], "text": {"status": "x", "div": SECRET}},
                {"title": "Xét nghiệm", "entry": [{"reference": "Observation/s"}]},
            ],
        },
    ]
    hidden = [
        {
            "resourceType": "Observation",
            "id": "h",
            "status": "final",
            "code": {"text": f"{SECRET} tải lượng"},
            "performer": [place],
        },
        {
            "resourceType": "Encounter",
            "id": "h2",
            "status": "finished",
            "class": {"code": "AMB"},
            "type": [{"text": f"{SECRET} khám"}],
            "serviceProvider": place,
        },
    ]
    return shown, hidden


async def test_nothing_that_leaves_tells_of_what_does_not(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    shown, hidden = seeded()
    await write(store, person.patient_id, shown, clock.now())
    await write(store, person.patient_id, hidden, clock.now(), labels=int(Label.HIV))
    access = granted(person.patient_id, action="read-summary")
    made = await whole(store, access, clock)
    told = [json.dumps(made, ensure_ascii=False), json.dumps(await document(store, access, clock))]
    assert not [text for text in told if SECRET in text]
    assert SECRET not in await papers_of(store, access, clock)
    assert len(of_type(made, "Provenance")) == 1
    assert of_type(made, "Organization") == []
    (report,) = of_type(made, "DiagnosticReport")
    assert len(report["result"]) == 1
    (kept,) = of_type(made, "Composition")
    assert [one["title"] for one in kept["section"]] == ["Xét nghiệm"]
    # The person's own export has all of it.
    mine = await whole(store, own(person.patient_id, "export-record"), clock)
    assert len(of_type(mine, "Observation")) == 2
    assert len(of_type(mine, "Organization")) == 1
    assert len(of_type(mine, "Provenance")) == 2


async def test_a_number_keeps_its_zeros(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    body = {
        "resourceType": "Observation",
        "id": "z",
        "status": "final",
        "code": {"text": "Creatinin"},
        "valueQuantity": {"value": 1.5, "unit": "mg/dL"},
    }
    await write(store, person.patient_id, [body], clock.now())
    async with store.transaction() as tx:
        await tx.execute(
            "UPDATE ehr_resource SET doc = replace(doc, '1.5', '1.50') WHERE patient_id = $1",
            person.patient_id,
        )
        gathered = await exporting.gather(tx, store.keys, own(person.patient_id), clock.now())
    assert b'"value":1.50' in exporting.build(gathered, clock.now()).body.replace(b" ", b"")


@pytest.mark.parametrize(
    "extra",
    [
        {"extension": [{"url": "urn:x", "valueReference": {"type": "Condition", "display": SECRET}}]},
        {"extension": [{"url": "urn:x", "valueReference": {"display": SECRET}}]},
        {"stage": [{"assessment": [{"type": "Observation", "display": SECRET}]}]},
    ],
)
async def test_s23_a_reference_that_is_only_a_name_does_not_leave(
    store: Store, clock: FrozenClock, extra: dict[str, Any]
) -> None:
    person = await make_citizen(store, clock)
    body = {"resourceType": "Condition", "id": "c", "code": {"text": "Đau đầu"}} | extra
    body |= {"clinicalStatus": {"coding": [{"code": "active"}]}}
    await write(store, person.patient_id, [body], clock.now())
    access = granted(person.patient_id, action="read-summary")
    assert SECRET not in json.dumps(await whole(store, access, clock), ensure_ascii=False)
    assert SECRET not in json.dumps(await document(store, access, clock), ensure_ascii=False)
