"""What people say of their own health: who may, how it is shown, and that no facility's row is touched."""

from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from identity import budgets
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer, client_of, code_of
from tests.support.people import Citizen, make_citizen
from tests.support.record import hospital, write

PLACE = "/v1/me/statements"
PENICILLIN = {"kind": "allergy", "name": "Penicillin", "code": "1", "reaction": "Nổi mề đay"}
EVERY_KIND: list[dict[str, Any]] = [
    PENICILLIN,
    {"kind": "disease", "code": "2", "since": "2015", "note": "Đang uống thuốc"},
    {"kind": "operation", "name": "Mổ ruột thừa", "since": "1998"},
    {"kind": "family-history", "relative": "Mẹ", "code": "3"},
    {"kind": "risk-factor", "code": "1", "state": "stopped", "amount": "10 điếu mỗi ngày"},
    {"kind": "disability", "code": "1"},
    {"kind": "medicine", "name": "Trà giảo cổ lam", "origin": "herbal", "dosage": "Mỗi ngày một ấm"},
    {"kind": "blood-group", "value": "O+"},
    {"kind": "birth", "facts": [{"code": "CANNANG", "value": "3200"}, {"code": "LOAIDE", "value": "1"}]},
    {"kind": "reproductive-health", "facts": [{"code": "SOCON_HIENSONG", "value": "2"}]},
]


async def say(
    client: httpx.AsyncClient, who: Citizen, body: dict[str, Any], **headers: str
) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post(PLACE, json=body, headers=bearer(who.token) | named)


async def said(client: httpx.AsyncClient, who: Citizen, **headers: str) -> list[dict[str, Any]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    found = await client.get(PLACE, headers=bearer(who.token) | named)
    assert found.status_code == 200, found.text
    items: list[dict[str, Any]] = found.json()["items"]
    return items


async def section(client: httpx.AsyncClient, who: Citizen, name: str) -> list[dict[str, Any]]:
    found = await client.get(f"/v1/me/{name}", headers=bearer(who.token))
    assert found.status_code == 200, found.text
    items: list[dict[str, Any]] = found.json()["items"]
    return items


async def test_every_kind_is_taken_listed_and_shown_as_declared(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        for body in EVERY_KIND:
            made = await say(client, citizen, body)
            assert made.status_code == 201, (body, made.text)
            assert "name" not in made.json()
        listed = await said(client, citizen)
        summary = (await client.get("/v1/me/summary", headers=bearer(citizen.token))).json()
        family = await section(client, citizen, "family-history")
    assert sorted(one["kind"] for one in listed) == sorted(body["kind"] for body in EVERY_KIND)
    items = [item for part in summary["sections"] for item in part["items"]]
    shown = {item["title"] for item in items if item.get("self_declared")}
    assert {"Penicillin", "Tăng huyết áp", "Mổ ruột thừa", "Hút thuốc lá", "Trà giảo cổ lam"} <= shown
    assert all(item["recorded_by"] == "người bệnh" and "facility_name" not in item for item in items)
    assert [(one["value"], one["self_declared"]) for one in summary["person"]["blood_groups"]] == [
        ("O+", True)
    ]
    assert [(one["title"], one["lines"]) for one in family] == [("Đái tháo đường", ["Mẹ"])]
    birth = next(one["item"] for one in listed if one["kind"] == "birth")
    assert [(part["title"], part["value"]) for part in birth["parts"]] == [
        ("Cân nặng lúc sinh", "3200"),
        ("Hình thức đẻ", "Đẻ mổ"),
    ]


async def test_the_choices_offer_every_kind_and_no_drug_use(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        found = (await client.get(f"{PLACE}/choices", headers=bearer(citizen.token))).json()["items"]
    by_kind = {one["kind"]: one for one in found}
    assert set(by_kind) == {body["kind"] for body in EVERY_KIND}
    assert [one["code"] for one in by_kind["risk-factor"]["codes"]] == ["1", "2", "4"]
    assert len(by_kind["disease"]["codes"]) == 15
    assert len(by_kind["reproductive-health"]["facts"]) == 13


DRUGS = "statement-drug-use"
GATE = "statement-not-taken"
WRONG = "statement-invalid"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "risk-factor", "code": "3", "state": "yes"}, DRUGS),
        ({"kind": "risk-factor", "code": "03", "state": "no"}, DRUGS),
        ({"kind": "risk-factor", "name": "Dùng ma tuý", "state": "stopped"}, DRUGS),
        ({"kind": "disease", "name": "Nhiễm HIV"}, GATE),
        ({"kind": "disease", "name": "H I V âm tính"}, GATE),
        ({"kind": "disease", "name": "Cai nghiện ma túy"}, GATE),
        ({"kind": "medicine", "name": "Tenofovir 300 mg", "origin": "own"}, GATE),
        ({"kind": "allergy", "name": "Tôm", "note": "Đang uống Efavirenz"}, GATE),
        ({"kind": "allergy"}, WRONG),
        ({"kind": "allergy", "name": "Tôm", "dosage": "1 viên"}, WRONG),
        ({"kind": "disease", "code": "16"}, WRONG),
        ({"kind": "disease", "code": "2", "since": "2026-02-30"}, WRONG),
        ({"kind": "disease", "code": "2", "since": "2027"}, WRONG),
        ({"kind": "disease", "code": "2", "since": "2020", "until": "2019"}, WRONG),
        ({"kind": "birth", "facts": [{"code": "CANNANG", "value": "ba cân"}]}, WRONG),
        ({"kind": "birth", "facts": [{"code": "SOLAN_DEMO", "value": "1"}]}, WRONG),
    ],
)
async def test_what_the_book_does_not_take_is_refused_without_its_words(
    store: Store, clock: FrozenClock, body: dict[str, Any], code: str
) -> None:
    citizen = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        refused = await say(client, citizen, body)
        assert (refused.status_code, refused.json()["code"]) == (422, code), refused.text
        for words in (body.get("name"), body.get("note")):
            assert words is None or words not in refused.text
        assert await said(client, citizen) == []
    async with store.transaction() as tx:
        kept = await tx.fetchval(
            "SELECT count(*) FROM ehr_resource WHERE patient_id = $1", citizen.patient_id
        )
    assert kept == 0


async def test_s3_what_a_facility_sent_stays_byte_for_byte_beside_the_same_statement(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    sent = {
        "resourceType": "Condition",
        "id": "c1",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "category": [{"coding": [{"code": "problem-list-item"}]}],
        "code": {"text": "Tăng huyết áp"},
        "recordedDate": "2026-01-05",
    }
    await write(store, citizen.patient_id, [sent], clock.now(), source=hospital(), unit="u")
    body = {"kind": "disease", "name": "Tăng huyết áp", "since": "2026-01-05"}
    sql = (
        "SELECT version, doc, item, deleted, twin FROM ehr_resource WHERE patient_id = $1 AND source_id = 'a'"
    )
    async with store.transaction() as tx:
        before = await tx.fetchrow(sql, citizen.patient_id)
    async with client_of(store, clock) as client:
        made = (await say(client, citizen, body)).json()
        both = await section(client, citizen, "conditions")
        gone = await client.post(f"{PLACE}/{made['statement_id']}/withdraw", headers=bearer(citizen.token))
        assert gone.json()["status"] == "withdrawn"
        left = await section(client, citizen, "conditions")
    async with store.transaction() as tx:
        assert await tx.fetchrow(sql, citizen.patient_id) == before
    assert sorted((one["title"], one.get("self_declared", False)) for one in both) == [
        ("Tăng huyết áp", False),
        ("Tăng huyết áp", True),
    ]
    assert [one.get("self_declared", False) for one in left] == [False]


async def test_a_repeat_makes_one_statement_and_one_blood_group_is_all(
    store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        first, second = [await say(client, citizen, PENICILLIN, Idempotency_Key="a" * 20) for _ in range(2)]
        assert (first.status_code, first.json()) == (second.status_code, second.json())
        assert len(await said(client, citizen)) == 1
        group = {"kind": "blood-group", "value": "A+"}
        assert (await say(client, citizen, group)).status_code == 201
        assert (await say(client, citizen, group)).json()["code"] == "statement-exists"


async def test_an_amendment_keeps_what_was_said_in_the_history(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        made = (await say(client, citizen, PENICILLIN)).json()
        place = f"{PLACE}/{made['statement_id']}"
        same = await client.put(place, json=PENICILLIN, headers=bearer(citizen.token))
        assert same.json()["version"] == 1
        other = PENICILLIN | {"name": "Amoxicillin"}
        changed = await client.put(place, json=other, headers=bearer(citizen.token))
        assert (changed.status_code, changed.json()["version"]) == (200, 2)
        wrong = await client.put(place, json={"kind": "disease", "code": "1"}, headers=bearer(citizen.token))
        assert wrong.json()["code"] == "statement-invalid"
        assert [one["item"]["title"] for one in await said(client, citizen)] == ["Amoxicillin"]
        await client.post(f"{place}/withdraw", headers=bearer(citizen.token))
        again = await client.put(place, json=other, headers=bearer(citizen.token))
        assert again.json()["code"] == "statement-not-found"
    async with store.transaction() as tx:
        old = await tx.fetchval(
            "SELECT doc FROM ehr_history WHERE patient_id = $1 AND rtype = $2 AND version = 1",
            citizen.patient_id,
            "AllergyIntolerance",
        )
    assert "Penicillin" in old


async def test_a_guardian_and_a_named_proxy_speak_and_nobody_else(store: Store, clock: FrozenClock) -> None:
    father, daughter, son = [await make_citizen(store, clock) for _ in range(3)]
    child = await make_child(store, clock, daughter, "2020-03-12")
    await make_proxy(store, clock, father, daughter, "read-record", "add-to-record")
    await make_proxy(store, clock, father, son, "read-record")
    body = PENICILLIN | {"said_by": "child"}
    async with client_of(store, clock) as client:
        made = await say(client, daughter, body, X_Patient_Id=str(father.patient_id))
        assert made.status_code == 201, made.text
        assert (await say(client, daughter, PENICILLIN, X_Patient_Id=str(child))).status_code == 201
        for stranger in (son, await make_citizen(store, clock)):
            refused = await say(client, stranger, PENICILLIN, X_Patient_Id=str(father.patient_id))
            assert refused.status_code == 403
        (own,) = await said(client, father)
        assert own["item"]["recorded_by"] in {"con", "con trai", "con gái"}
        (by_guardian,) = await said(client, daughter, X_Patient_Id=str(child))
        assert by_guardian["item"]["recorded_by"] == "người giám hộ"
        assert [
            one["may_change"] for one in await said(client, son, X_Patient_Id=str(father.patient_id))
        ] == [False]
        log = await client.get("/v1/me/access-log", headers=bearer(father.token))
        assert "khai thêm một mục vào sổ" in log.text
        assert daughter.name in log.text
        # The father takes back what the daughter said; she does not take back what he said.
        mine = (await say(client, father, {"kind": "operation", "name": "Mổ mắt"})).json()
        hers = await client.post(
            f"{PLACE}/{mine['statement_id']}/withdraw",
            headers=bearer(daughter.token) | {"X-Patient-Id": str(father.patient_id)},
        )
        assert hers.json()["code"] == "statement-not-yours"
        his = await client.post(f"{PLACE}/{own['statement_id']}/withdraw", headers=bearer(father.token))
        assert his.json()["status"] == "withdrawn"


async def test_what_is_said_of_a_person_in_a_day_has_a_limit(
    store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "STATEMENTS_DAY", replace(budgets.STATEMENTS_DAY, limit=2))
    citizen = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        codes = [
            (await say(client, citizen, {"kind": "operation", "name": f"Mổ {n}"})).status_code
            for n in range(3)
        ]
    assert codes == [201, 201, 429]


async def test_s14_one_key_for_two_books_is_no_repeat(store: Store, clock: FrozenClock) -> None:
    """The book is a part of what is asked: a mother's key of one child does not swallow the other's entry."""
    mother = await make_citizen(store, clock)
    children = [await make_child(store, clock, mother) for _ in range(2)]
    async with client_of(store, clock) as client:
        answers = [
            await say(client, mother, PENICILLIN, X_Patient_Id=str(child), Idempotency_Key="k" * 20)
            for child in children
        ]
    assert [code_of(answer) for answer in answers] == [None, "idempotency-key-reused"]
