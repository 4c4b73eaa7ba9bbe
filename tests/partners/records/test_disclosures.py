"""A partner gets exactly what was ticked, signed, with one receipt; the person reads what left."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import httpx
import jwt
import pytest
from jsonschema import Draft202012Validator
from jwt import PyJWKSet

from consent.apps.models import AppConsent
from consent.apps.policy import pairwise_subject
from ehr.visibility import hidings
from healthbook.housekeeping import do_chore
from kernel.access import PARTNER_GROUPS, Label, PartnerGroup
from kernel.problems import Refused
from partners.disclosures.queries import OF_PERSON
from store.database import Store
from tests.ehr.intake.records import allergy, bundle, send
from tests.ehr.intake.test_packages import person_fields
from tests.support import packages
from tests.support.clock import FrozenClock
from tests.support.exports import pdf_pages
from tests.support.http import bearer, client_of
from tests.support.oauth import Partner, client_by_id, let_in, make_partner
from tests.support.people import Citizen, make_citizen, make_facility
from tests.support.record import our_id, own, write
from tests.support.shared import ROOT

PATH = "/v1/partner/disclosures"
PAPER = "/v1/partner/encounter-papers"
CODE = "79061"
TABLES = ("XML1", "XML2", "XML3", "XML4", "XML5", "XML7", "XML8", "XML13", "XML14")
PREGNANCY = ("MA_DINH_CHI_THAI", "NGUYENNHAN_DINHCHI", "THOIGIAN_DINHCHI", "TUOI_THAI")
SCHEMA = json.loads((ROOT / "openapi" / "partner-record.schema.json").read_bytes())
ALL = frozenset(PARTNER_GROUPS)


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


@pytest.fixture(scope="module")
async def facility(store: Store) -> Any:
    return await make_facility(store, FrozenClock(), code=CODE, name="Bệnh viện Trao Đổi")


async def treated(store: Store, clock: FrozenClock, facility: Any) -> Citizen:
    """Somebody with a visit of every table, and an allergy."""
    person = await make_citizen(store, clock, name="Nguyễn Thị Trao")
    linked = {name: {"MA_LK": f"SYN.{person.number}"} for name in TABLES}
    card = {"MA_THE_BHYT": f"GD479{person.number[-10:]}"}
    # A paper that speaks of a pregnancy is labelled, and no partner reads it.
    linked["XML7"] |= dict.fromkeys(PREGNANCY, "")
    linked["XML1"] |= person_fields(person, CODE) | card
    package = packages.package(packages.tables_of("4750", TABLES, linked), facility=CODE)
    (row,) = await send(store, clock, facility, package)
    assert row.status == "imported", row
    await send(store, clock, facility, bundle(person, allergy()))
    return person


async def connected(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    person: Citizen,
    groups: frozenset[PartnerGroup] = ALL,
) -> tuple[Partner, AppConsent]:
    partner = await make_partner(store, clock)
    await partner.sign_in(client)
    entered = await client_by_id(store, partner.client_id)
    return partner, await let_in(store, clock, person, entered, groups=groups)


def asked(consent: AppConsent, *groups: str, msg_id: str = "79061-0001", **more: Any) -> dict[str, Any]:
    return {
        "msg_id": msg_id,
        "consent": str(consent.reference),
        "groups": list(groups) or list(PARTNER_GROUPS),
    } | more


async def pull(
    client: httpx.AsyncClient, partner: Partner, body: dict[str, Any], path: str = PATH
) -> httpx.Response:
    return await client.post(path, json=body, headers=partner.headers("POST", path))


async def verified(client: httpx.AsyncClient, partner: Partner, answer: httpx.Response) -> dict[str, Any]:
    """The payload, checked by libraries that are none of ours: PyJWT for the signature, jsonschema."""
    assert answer.status_code == 200, answer.text
    handed = answer.json()
    published = (await client.get("/.well-known/partner-keys.json")).json()
    keys = {one.key_id: one.key for one in PyJWKSet.from_dict(published).keys}
    head = jwt.get_unverified_header(handed["record"])
    assert (head["alg"], head["typ"]) == ("ES256", "ssk-partner-record+jws")
    claims: dict[str, Any] = jwt.decode(
        handed["record"],
        keys[head["kid"]],
        algorithms=["ES256"],
        audience=str(partner.client_id),
        issuer="http://localhost",
        options={"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "iss", "aud", "sub"]},
    )
    payload = base64.urlsafe_b64decode(handed["record"].split(".")[1] + "==")
    assert hashlib.sha256(payload).hexdigest() == handed["payload_sha256"]
    assert claims["receipt"] == handed["receipt"]
    Draft202012Validator(SCHEMA).validate(claims["record"])
    return claims


async def test_all_four_groups_say_what_the_facility_sent(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, facility: Any
) -> None:
    person = await treated(store, clock, facility)
    partner, consent = await connected(client, store, clock, person)
    claims = await verified(client, partner, await pull(client, partner, asked(consent)))
    assert claims["consent"] == str(consent.reference)
    # As the token's answer named the person, under every consent.
    assert claims["sub"] == pairwise_subject(store.keys, partner.client_id, person.patient_id)
    assert claims["groups"] == list(PARTNER_GROUPS)
    assert str(person.patient_id) not in json.dumps(claims)
    record = claims["record"]
    known = record["administrative"]
    assert (known["name"], known["birth_date"], known["sex"]) == (
        person.name,
        person.birth_date,
        person.sex,
    )
    assert known["personal_number"] == person.number
    assert known["phone"] == person.phone_number
    assert known["ethnic_group"] == {"code": "01", "code_system": "urn:vn:so-suc-khoe:ethnic-group"}
    assert known["insurance_numbers"] == [f"GD479{person.number[-10:]}"]
    assert known["insurance_cards"] == [
        {"valid_from": "2026-01-01", "valid_until": "2026-12-31", "initial_facility_code": "79001"}
    ]
    assert [one["title"] for one in record["history"]["allergies"]] == ["Penicillin"]
    assert {"K29.7", "I10"} <= {one.get("code") for one in record["history"]["diseases"]}
    (told,) = record["encounters"]
    assert told["facility"] == "Bệnh viện Trao Đổi"
    assert told["form_of_care"] == {
        "text": "Điều trị nội trú",
        "code": "03",
        "code_system": "urn:vn:so-suc-khoe:care-kind",
    }
    assert told["discharge_status"]["text"] == "Ra viện"
    assert told["result"]["text"] == "Đỡ"
    assert [one["code"] for one in told["diagnoses"] if one.get("main")] == ["K29.7"]
    assert told["blood_group"] == "O+"
    assert told["weight_kg"] == "58.50"
    (glucose,) = [one for one in told["results"] if one["title"] == "Glucose"]
    assert (glucose["value"], glucose["unit"]) == ("7.20", "mmol/L")
    assert told["medicines"][0]["dosage"] == ["1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]"]
    assert told["procedures"]
    (summary,) = record["summaries"]
    assert summary["encounter_id"] == told["encounter_id"]
    assert summary["course"] == "Diễn biến ổn"
    assert summary["results"] == "Xét nghiệm ổn"
    assert "Nội khoa" in summary["treatment"]
    assert "Ăn nhạt" in summary["advice"]
    assert summary["revisits"]
    assert summary["doctors"] == ["BS. Giả Định"]


@pytest.mark.parametrize("group", PARTNER_GROUPS)
async def test_one_group_holds_nothing_of_another(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, facility: Any, group: PartnerGroup
) -> None:
    person = await treated(store, clock, facility)
    partner, consent = await connected(client, store, clock, person, frozenset({group}))
    record = (await verified(client, partner, await pull(client, partner, asked(consent, group))))["record"]
    names = {
        "administrative": "administrative",
        "history": "history",
        "encounters": "encounters",
        "summary": "summaries",
    }
    assert record.keys() - {"schema"} == {names[group]}
    assert record[names[group]]
    other = next(one for one in PARTNER_GROUPS if one != group)
    beyond = await pull(client, partner, asked(consent, group, other, msg_id="79061-0002"))
    assert (beyond.status_code, beyond.json()["code"]) == (403, "beyond-consent")


async def test_s14_one_message_has_one_receipt_and_is_decided_anew(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, facility: Any
) -> None:
    person = await treated(store, clock, facility)
    partner, consent = await connected(client, store, clock, person)
    first = await verified(client, partner, await pull(client, partner, asked(consent)))
    clock.advance(minutes=1)
    await send(store, clock, facility, bundle(person, allergy("Tôm", "a2")))
    again = await verified(client, partner, await pull(client, partner, asked(consent)))
    assert again["receipt"] == first["receipt"]
    assert len(again["record"]["history"]["allergies"]) == 2
    other = await pull(client, partner, asked(consent, "history"))
    assert (other.status_code, other.json()["code"]) == (422, "message-reused")
    ended = await client.delete(f"/v1/me/connected-apps/{consent.consent_id}", headers=bearer(person.token))
    assert ended.status_code == 204, ended.text
    refused = await pull(client, partner, asked(consent))
    assert (refused.status_code, refused.json()["code"]) == (403, "no-access")


async def test_a_message_is_forgotten_after_its_time_and_what_it_disclosed_is_not(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, facility: Any
) -> None:
    person = await treated(store, clock, facility)
    partner, consent = await connected(client, store, clock, person)
    await verified(client, partner, await pull(client, partner, asked(consent)))
    after = clock.now() + timedelta(days=400)
    for now, left in ((after, 1), (after + timedelta(seconds=1), 0)):
        async with store.transaction() as tx:
            await do_chore(tx, "partner-messages", now)
            messages = "SELECT count(*) FROM partner_message WHERE client_id = $1"
            assert await tx.fetchval(messages, consent.client_id) == left
    async with store.transaction() as tx:
        assert len(await OF_PERSON.all(tx, person.patient_id, UUID(int=(1 << 128) - 1), 10, None)) == 1


async def test_two_clients_may_use_one_name_for_a_message(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, facility: Any
) -> None:
    person = await treated(store, clock, facility)
    receipts = []
    for _ in range(2):
        partner, consent = await connected(client, store, clock, person)
        receipts.append(
            (await verified(client, partner, await pull(client, partner, asked(consent))))["receipt"]
        )
    assert receipts[0]["receipt_id"] != receipts[1]["receipt_id"]


async def test_s19_a_reference_that_never_was_is_answered_like_one_that_ended(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, facility: Any
) -> None:
    person = await treated(store, clock, facility)
    partner, consent = await connected(client, store, clock, person)
    stranger, _ = await connected(client, store, clock, person)
    unknown = asked(consent) | {"consent": "0b7f9a52-3d0e-4c6a-9d8a-111111111111"}
    answers = [await pull(client, partner, unknown), await pull(client, stranger, asked(consent))]
    assert {(one.status_code, one.content) for one in answers} == {(403, answers[0].content)}


async def test_the_person_reads_which_groups_left_and_to_whom(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, facility: Any
) -> None:
    person = await treated(store, clock, facility)
    partner, consent = await connected(client, store, clock, person)
    answer = await pull(client, partner, asked(consent, "history", "administrative"))
    listed = (await client.get("/v1/me/disclosures", headers=bearer(person.token))).json()
    (one,) = listed["items"]
    assert one["groups"] == ["administrative", "history"]
    assert one["client_name"] == "Hệ thống thử"
    assert one["payload_sha256"] == answer.json()["payload_sha256"]
    assert one["receipt_id"] == answer.json()["receipt"]["receipt_id"]
    assert one["consent_id"] == str(consent.consent_id)
    log = (await client.get("/v1/me/access-log", headers=bearer(person.token))).json()
    acts = [line for line in log["items"] if line["action"].startswith("record:partner-")]
    assert len(acts) == 1, log
    assert "thông tin hành chính, tiền sử" in acts[0]["line"]
    assert "Hệ thống thử" in acts[0]["line"]
    none = await client.get(
        "/v1/me/disclosures",
        params={"consent_id": "0b7f9a52-3d0e-4c6a-9d8a-111111111111"},
        headers=bearer(person.token),
    )
    assert none.json()["items"] == []


async def test_s23_hidden_labelled_and_flagged_things_leave_no_trace_in_what_is_signed(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, facility: Any
) -> None:
    person = await treated(store, clock, facility)
    partner, consent = await connected(client, store, clock, person)
    before = (await verified(client, partner, await pull(client, partner, asked(consent))))["record"]
    for name, labels in (("psy", Label.PSY), ("hid", Label.NONE)):
        await write(store, person.patient_id, _visit_of(name), clock.now(), labels=int(labels), unit=name)
    async with store.transaction() as tx:
        made = await hidings.hide(
            tx,
            own(person.patient_id),
            "Encounter",
            our_id("a", "hid"),
            reader=None,
            reader_name=None,
            now=clock.now(),
        )
    assert not isinstance(made, Refused)
    clock.advance(minutes=1)
    after = await verified(client, partner, await pull(client, partner, asked(consent, msg_id="79061-0009")))
    assert after["record"] == before
    rows = (await client.get("/v1/me/disclosures", headers=bearer(person.token))).json()["items"]
    assert rows[0]["entries"] == rows[1]["entries"]


def _visit_of(name: str) -> list[dict[str, Any]]:
    visit_of = {"encounter": {"reference": f"Encounter/{name}"}}
    code = {"text": f"zqx {name}"}
    return [
        {
            "resourceType": "Encounter",
            "id": name,
            "status": "finished",
            "class": {"code": "AMB"},
            "period": {"start": f"2026-10-0{len(name)}T08:00:00Z"},
        },
        {"resourceType": "Condition", "id": f"{name}-c", "code": code, **visit_of},
        {
            "resourceType": "MedicationRequest",
            "id": f"{name}-m",
            "status": "active",
            "medicationCodeableConcept": code,
            **visit_of,
        },
        {"resourceType": "AllergyIntolerance", "id": f"{name}-a", "code": code, **visit_of},
    ]


async def test_an_encounter_on_paper_says_what_was_ticked_and_is_signed(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, facility: Any
) -> None:
    person = await treated(store, clock, facility)
    partner, consent = await connected(client, store, clock, person, ALL - {"administrative"})
    record = (await verified(client, partner, await pull(client, partner, asked(consent, "encounters"))))[
        "record"
    ]
    visit_id = record["encounters"][0]["encounter_id"]
    body = {
        "msg_id": "79061-0010",
        "consent": str(consent.reference),
        "encounter_id": visit_id,
        "groups": ["encounters", "summary"],
    }
    answer = await pull(client, partner, body, PAPER)
    assert answer.status_code == 200, answer.text
    words = "\n".join(pdf_pages(answer.content))
    assert "Glucose" in words
    assert "Diễn biến ổn" in words
    assert person.name not in words
    published = (await client.get("/.well-known/partner-keys.json")).json()
    key = PyJWKSet.from_dict(published).keys[-1]
    claims = jwt.decode(
        answer.headers["x-partner-signature"],
        cast(Any, key),
        algorithms=["ES256"],
        audience=str(partner.client_id),
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["sha256"] == hashlib.sha256(answer.content).hexdigest()
    assert claims["encounter_id"] == visit_id
    named = await pull(
        client, partner, body | {"msg_id": "79061-0011", "groups": ["administrative", "summary"]}, PAPER
    )
    assert named.status_code == 403
    unknown = await pull(client, partner, body | {"msg_id": "79061-0012", "encounter_id": "nobody"}, PAPER)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "encounter-unknown")


async def test_encounters_come_in_pages_and_from_a_day_on(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, facility: Any
) -> None:
    person = await make_citizen(store, clock)
    visits = [
        {
            "resourceType": "Encounter",
            "id": f"v{number}",
            "status": "finished",
            "class": {"code": "AMB"},
            "period": {"start": f"2026-0{1 + number // 28}-{1 + number % 28:02d}T08:00:00Z"},
        }
        for number in range(60)
    ]
    await write(store, person.patient_id, visits, clock.now())
    partner, consent = await connected(client, store, clock, person)
    first = (await verified(client, partner, await pull(client, partner, asked(consent, "encounters"))))[
        "record"
    ]
    assert len(first["encounters"]) == 20
    body = asked(consent, "encounters", msg_id="79061-0002", before=first["next"], limit=30)
    more = (await verified(client, partner, await pull(client, partner, body)))["record"]
    assert len(more["encounters"]) == 30
    body = asked(consent, "encounters", msg_id="79061-0005", before=more["next"])
    rest = (await verified(client, partner, await pull(client, partner, body)))["record"]
    assert len(rest["encounters"]) == 10
    assert "next" not in rest
    pages = [one["encounter_id"] for page in (first, more, rest) for one in page["encounters"]]
    assert len(set(pages)) == 60
    whole = asked(consent, "encounters", msg_id="79061-0006", limit=50)
    most = (await verified(client, partner, await pull(client, partner, whole)))["record"]
    assert [one["encounter_id"] for one in most["encounters"]] == pages[:50]
    for number, limit in enumerate((0, 51, -1)):
        body = asked(consent, "encounters", msg_id=f"79061-010{number}", limit=limit)
        assert (await pull(client, partner, body)).status_code in (400, 422)
    body = asked(consent, "encounters", msg_id="79061-0003", since="2026-03-01")
    late = (await verified(client, partner, await pull(client, partner, body)))["record"]
    assert len(late["encounters"]) == 4
    wrong = await pull(client, partner, asked(consent, "encounters", msg_id="79061-0004", before="x"))
    assert (wrong.status_code, wrong.json()["code"]) == (400, "bad-cursor")
