"""An app reads what was ticked as FHIR R4: no more, under ids of its own, with a row in the person's log."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from consent.apps import service as consents
from consent.apps.models import AppConsent
from consent.apps.policy import pairwise_subject
from consent.decision import decide
from ehr.visibility import hidings
from kernel.access import RECORD_TYPES, Access, Label, RecordType
from kernel.problems import Refused
from partners.fhir.kinds import KINDS
from partners.smart.scopes import BY_RESOURCE
from store.database import Store
from tests.partners.records.test_disclosures import CODE, treated
from tests.support.clock import FrozenClock
from tests.support.episode import episode
from tests.support.http import bearer, client_of
from tests.support.oauth import app_tokens, let_in, make_app
from tests.support.people import Citizen, make_citizen, make_facility
from tests.support.record import our_id, own, write

ALL: frozenset[RecordType] = frozenset(
    [
        *("AllergyIntolerance", "Condition", "MedicationRequest", "Immunization", "Encounter", "Procedure"),
        *("Observation.laboratory", "Observation.vital-signs", "Observation.other", "DiagnosticReport"),
        *("DocumentReference", "MedicationStatement"),
    ]
)
WHOLE = "launch/patient offline_access patient/*.rs"
LOINC = "http://loinc.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


@pytest.fixture(scope="module")
async def facility(store: Store) -> Any:
    return await make_facility(store, FrozenClock(), code=CODE, name="Bệnh viện Ứng Dụng")


class App:
    """A client with a token of one person's consent."""

    def __init__(self, http: httpx.AsyncClient, token: str, subject: str, consent: AppConsent) -> None:
        self.http, self.token, self.subject, self.consent = http, token, subject, consent

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(f"/fhir/{path}", headers=bearer(self.token) | headers)

    async def found(self, path: str) -> dict[str, Any]:
        answer = await self.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/fhir+json"
        body: dict[str, Any] = answer.json()
        return body

    async def resources(self, path: str) -> list[dict[str, Any]]:
        body = await self.found(path)
        entries = [entry["resource"] for entry in body.get("entry", [])]
        assert body["total"] >= len(entries)
        return entries


async def connected(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    person: Citizen,
    *,
    types: frozenset[RecordType] = ALL,
    scope: str = WHOLE,
) -> App:
    entered = await make_app(store, clock)
    consent = await let_in(store, clock, person, entered, types=types, scope=scope)
    tokens = await app_tokens(store, clock, consent)
    subject = pairwise_subject(store.keys, entered.client_id, person.patient_id)
    return App(client, tokens.access_token, subject, consent)


def code_of(answer: httpx.Response) -> str:
    """Our code in an OperationOutcome."""
    assert answer.headers["content-type"] == "application/fhir+json", answer.text
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    code: str = body["issue"][0]["details"]["coding"][0]["code"]
    return code


def lab(ident: str, value: float, at: str, code: str = "2345-7", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": ident,
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": "laboratory"}]}],
        "code": {"coding": [{"system": LOINC, "code": code}], "text": f"Xét nghiệm {code}"},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": at,
        "valueQuantity": {"value": value, "unit": "mmol/L"},
    } | more


async def with_labs(store: Store, clock: FrozenClock, *bodies: dict[str, Any], labels: int = 0) -> Citizen:
    person = await make_citizen(store, clock)
    await write(store, person.patient_id, list(bodies), clock.now(), labels=labels)
    return person


async def test_what_a_facility_sent_is_read_by_type_and_by_id(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, facility: Any
) -> None:
    person = await treated(store, clock, facility)
    app = await connected(client, store, clock, person)
    seen = 0
    for rtype in KINDS:
        answer = await app.get(rtype)
        if answer.status_code == 403:
            assert code_of(answer) == "fhir-insufficient-scope"
            continue
        for resource in answer.json().get("entry", []):
            one = resource["resource"]
            assert resource["fullUrl"] == f"http://localhost/fhir/{rtype}/{one['id']}"
            assert await app.found(f"{rtype}/{one['id']}") == one
            owner = one.get("subject") or one.get("patient")
            assert owner == {"reference": f"Patient/{app.subject}"}
            seen += 1
            text = json.dumps(one)
            assert str(person.patient_id) not in text
            for contained in one.get("contained", []):
                assert f'"#{contained["id"]}"' in text
    assert seen > 10
    log = (await client.get("/v1/me/access-log", headers=bearer(person.token))).json()
    assert sum(row["actor_kind"] == "app" for row in log["items"]) > 10, log["items"][0]


async def test_the_patient_is_what_this_app_calls_the_person(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    app, other = [await connected(client, store, clock, person) for _ in range(2)]
    patient = await app.found(f"Patient/{app.subject}")
    assert patient["id"] == app.subject != other.subject
    assert patient["name"][0]["text"] == person.name
    assert person.number not in json.dumps(patient)
    assert (await app.resources(f"Patient?_id={app.subject}")) == [patient]
    assert (await app.resources(f"Patient?identifier={app.subject}")) == [patient]
    for unknown in (other.subject, str(person.patient_id), "x"):
        assert code_of(await app.get(f"Patient/{unknown}")) == "fhir-not-found"
        assert await app.resources(f"Patient?_id={unknown}") == []
        assert code_of(await app.get(f"Observation?patient={unknown}")) == "fhir-not-found"


async def test_observations_are_found_by_category_code_and_date(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person = await with_labs(
        store,
        clock,
        lab("o1", 5.1, "2026-01-01T08:00:00+07:00"),
        lab("o2", 6.2, "2026-02-01"),
        lab("o3", 140, "2026-03-01", code="2951-2", status="amended"),
    )
    app = await connected(client, store, clock, person)

    async def values(query: str) -> list[float]:
        found = await app.resources(f"Observation?patient={app.subject}&{query}")
        return [one["valueQuantity"]["value"] for one in found]

    assert await values("category=laboratory") == [140, 6.2, 5.1]
    assert await values(f"category={CATEGORY}|laboratory&date=ge2026-02") == [140, 6.2]
    assert await values("category=vital-signs") == []
    assert await values(f"code={LOINC}|2345-7") == [6.2, 5.1]
    assert await values("code=2951-2,nothing") == [140]
    assert await values("code=|2951-2") == []
    assert await values("date=2026-01-01") == [5.1]
    assert await values("date=ge2026-01-15&date=lt2026-02-15") == [6.2]
    assert await values("date=sa2026-02-01") == [140]
    assert await values("status=amended") == [140]
    assert await values("code=2345-7&date=2026-02") == [6.2]


async def test_pages_follow_each_other_and_the_total_is_of_all(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    labs = [lab(f"o{number}", number, f"2026-01-{number + 1:02}") for number in range(7)]
    app = await connected(client, store, clock, await with_labs(store, clock, *labs))
    for query in ("", "&code=2345-7"):
        path, seen = f"Observation?patient=Patient/{app.subject}&_count=3{query}", list[str]()
        while path:
            page = await app.found(path)
            assert page["total"] == 7
            seen += [entry["resource"]["id"] for entry in page["entry"]]
            links = {link["relation"]: link["url"] for link in page["link"]}
            assert links["self"].startswith("http://localhost/fhir/Observation?")
            path = links.get("next", "").removeprefix("http://localhost/fhir/")
        assert len(seen) == len(set(seen)) == 7
    counted = await app.found("Observation?_count=0")
    assert (counted["total"], "entry" in counted) == (7, False)
    form = await client.post("/fhir/Observation/_search", data={"_count": "2"}, headers=bearer(app.token))
    assert len(form.json()["entry"]) == 2


async def test_two_apps_share_no_id(client: httpx.AsyncClient, store: Store, clock: FrozenClock) -> None:
    person = await with_labs(store, clock, lab("o1", 5.1, "2026-01-01"))
    apps = [await connected(client, store, clock, person) for _ in range(2)]
    (first,), (second,) = [await app.resources("Observation") for app in apps]
    assert first["id"] != second["id"]
    assert our_id("a", "o1") not in json.dumps([first, second])
    assert code_of(await apps[1].get(f"Observation/{first['id']}")) == "fhir-not-found"


async def test_what_is_withheld_does_not_exist_and_is_not_counted(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person = await with_labs(store, clock, lab("open", 1, "2026-01-01"), lab("hidden", 2, "2026-01-02"))
    await write(store, person.patient_id, [lab("hiv", 3, "2026-01-03")], clock.now(), labels=Label.HIV)
    async with store.transaction() as tx:
        done = await hidings.hide(
            tx,
            own(person.patient_id),
            "Observation",
            our_id("a", "hidden"),
            reader=None,
            reader_name=None,
            now=clock.now(),
        )
        assert not isinstance(done, Refused), done
    app = await connected(client, store, clock, person)
    page = await app.found("Observation?code=2345-7")
    assert (page["total"], len(page["entry"])) == (1, 1)
    assert (await app.found("Observation"))["total"] == 1


async def test_the_scope_of_the_token_limits_types_and_categories(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    vital = lab("v1", 72, "2026-01-02", code="8867-4") | {
        "category": [{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}]
    }
    person = await with_labs(store, clock, lab("o1", 5.1, "2026-01-01"), vital)
    app = await connected(
        client, store, clock, person, scope=f"patient/Observation.s?category={CATEGORY}|laboratory"
    )
    (only,) = await app.resources("Observation")
    assert only["valueQuantity"]["value"] == 5.1
    assert (await app.found("Observation?category=vital-signs"))["total"] == 0
    for path in ("Condition", f"Observation/{only['id']}", f"Patient/{app.subject}", "Patient"):
        refused = await app.get(path)
        assert (refused.status_code, code_of(refused)) == (403, "fhir-insufficient-scope")
        assert "insufficient_scope" in refused.headers["www-authenticate"]
    # What the consent does not hold, no scope opens.
    wide = await connected(client, store, clock, person, types=frozenset({"Condition"}))
    assert (await wide.found("Observation"))["total"] == 0


async def test_an_ended_consent_opens_nothing(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person = await with_labs(store, clock, lab("o1", 5.1, "2026-01-01"))
    app = await connected(client, store, clock, person)
    assert (await app.found("Observation"))["total"] == 1
    async with store.transaction() as tx:
        access = await decide(
            tx, person.actor, person.patient_id, "manage-grants", "PATRQT", clock.now(), keys=store.keys
        )
        assert isinstance(access, Access)
        await consents.end(tx, access, app.consent.consent_id, trace_id="t", now=clock.now())
    refused = await app.get("Observation")
    assert refused.status_code in (401, 403)
    assert refused.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("Observation?nonsense=1", {}, 400, "fhir-parameter"),
        ("Observation?code:text=x", {}, 400, "fhir-parameter"),
        ("Observation?date=soon", {}, 400, "fhir-parameter"),
        ("Observation?_count=many", {}, 400, "fhir-parameter"),
        ("Observation?_cursor=abc", {}, 400, "bad-cursor"),
        ("Observation?_include=Observation:subject", {}, 400, "fhir-parameter"),
        ("Observation?_revinclude=Provenance:target", {}, 400, "fhir-parameter"),
        ("Observation?code=%00", {}, 400, "invalid-field"),
        ("Goal", {}, 404, "fhir-not-found"),
        ("Observation/nobody", {}, 404, "fhir-not-found"),
        ("Observation/x/_history", {}, 404, "not-found"),
        ("Observation?_format=xml", {}, 406, "fhir-format"),
        ("Observation", {"Accept": "application/fhir+xml"}, 406, "fhir-format"),
    ],
)
async def test_every_error_is_an_operation_outcome(
    client: httpx.AsyncClient,
    store: Store,
    clock: FrozenClock,
    path: str,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    app = await connected(client, store, clock, await make_citizen(store, clock))
    refused = await app.get(path, **headers)
    assert (refused.status_code, code_of(refused)) == (status, code)


async def test_nothing_is_written_and_nobody_comes_in_without_a_token(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    app = await connected(client, store, clock, await make_citizen(store, clock))
    for method in ("PUT", "DELETE", "PATCH"):
        refused = await client.request(method, "/fhir/Observation/x", headers=bearer(app.token))
        assert (refused.status_code, code_of(refused)) == (405, "method-not-allowed")
    made = await client.post("/fhir/Observation", json={}, headers=bearer(app.token))
    assert (made.status_code, code_of(made)) == (405, "method-not-allowed")
    refused = await client.get("/fhir/Observation")
    assert (refused.status_code, code_of(refused)) == (401, "not-signed-in")
    assert refused.headers["www-authenticate"] == "Bearer"


async def test_the_statement_says_what_is_served(client: httpx.AsyncClient) -> None:
    stated = (await client.get("/fhir/metadata")).json()
    (rest,) = stated["rest"]
    assert {one["type"] for one in rest["resource"]} == {"Patient", *KINDS}
    (uris,) = rest["security"]["extension"]
    assert {one["url"] for one in uris["extension"]} == {"authorize", "token", "revoke"}


async def test_s13_an_app_reads_no_kind_that_was_not_ticked_inside_another(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    """A copy that a sender put into an entry has no row that could be withheld."""
    person = await make_citizen(store, clock)
    address = "https://files.example.vn/SECRET?sig=1"
    body = {
        "resourceType": "AllergyIntolerance",
        "id": "a1",
        "code": {"text": "Dị ứng tôm"},
        "patient": {"reference": "Patient/p1"},
        "contained": [
            {"resourceType": "Condition", "id": "c1", "code": {"text": "SECRET"}},
            {"resourceType": "Observation", "id": "o1", "code": {"text": "SECRET"}},
            {"resourceType": "RelatedPerson", "id": "r1", "name": [{"text": "SECRET"}]},
            {"resourceType": "Practitioner", "id": "d1", "name": [{"text": "BS Lan"}]},
        ],
        "recorder": {"reference": "#d1", "display": "BS Lan"},
        "note": [{"text": "Xem kèm", "authorReference": {"reference": "#r1", "display": "SECRET"}}],
        "extension": [
            {"url": "http://x.example/e", "valueReference": {"reference": "#c1", "display": "SECRET"}},
            {"url": "http://x.example/u", "valueAttachment": {"url": address}},
            {"url": "http://x.example/l", "valueUrl": address},
            {"url": "http://x.example/k", "valueBoolean": False},
        ],
    }
    await write(store, person.patient_id, [body], clock.now())
    app = await connected(client, store, clock, person, types=frozenset({"AllergyIntolerance"}))
    (one,) = await app.resources("AllergyIntolerance")
    assert "SECRET" not in json.dumps(one)
    assert one["recorder"] == {"reference": "#d1", "display": "BS Lan"}
    assert [inner["id"] for inner in one["contained"]] == ["d1"]
    assert one["extension"] == [{"url": "http://x.example/k", "valueBoolean": False}]


async def test_every_kind_that_a_scope_may_name_is_served(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    assert {"Patient", *KINDS} == BY_RESOURCE.keys()
    person = await make_citizen(store, clock)
    worn = {
        "resourceType": "Device",
        "id": "d1",
        "status": "active",
        "type": {"text": "Máy tạo nhịp"},
        "patient": {"reference": "Patient/p1"},
    }
    await write(store, person.patient_id, [worn], clock.now())
    app = await connected(client, store, clock, person, types=frozenset({"Device"}))
    (one,) = await app.resources(f"Device?patient={app.subject}&status=active")
    assert (one["type"], one["patient"]) == (worn["type"], {"reference": f"Patient/{app.subject}"})


async def test_s13_no_type_shows_an_app_a_visit_with_a_label(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    showing = {}
    for labels in (0, Label.HIV):
        person = await make_citizen(store, clock)
        await write(
            store, person.patient_id, episode("v1", "2026-11-02", "qzjmot"), clock.now(), labels=labels
        )
        app = await connected(client, store, clock, person, types=frozenset(RECORD_TYPES))
        found = {kind: (await app.get(kind)).text for kind in KINDS}
        showing[labels] = {kind for kind, text in found.items() if "qzjmot" in text.lower()}
    assert len(showing[0]) > 5, showing
    assert showing[Label.HIV] == set()


async def test_s32_no_answer_to_an_app_has_an_etag(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    app = await connected(client, store, clock, await with_labs(store, clock, lab("o1", 5, "2026-01-01")))
    (one,) = await app.resources("Observation")
    for path in ("Observation", f"Observation/{one['id']}", f"Patient/{app.subject}", "Observation/x"):
        answer = await app.get(path, **{"If-None-Match": "*"})
        assert answer.status_code in (200, 404)
        assert not {"etag", "last-modified"} & answer.headers.keys()


async def test_s34_the_log_of_the_program_keeps_no_id_and_no_parameter_of_an_app(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, capsys: pytest.CaptureFixture[str]
) -> None:
    app = await connected(client, store, clock, await with_labs(store, clock, lab("o1", 5, "2026-01-01")))
    (one,) = await app.resources("Observation")
    capsys.readouterr()
    await app.get(f"Observation/{one['id']}?_format=json")
    await app.get(f"Observation?patient={app.subject}&code=2345-7&_id={one['id']}")
    said = "".join(capsys.readouterr())
    assert "/fhir/{resource_type}" in said
    assert not [word for word in (one["id"], app.subject, "2345-7", app.token, "_format") if word in said]
