"""A forged paper is told apart from a withdrawn one, and from one whose facility issued a newer version."""

import base64
import io
import json
import string
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import httpx
import pytest
import typst
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from PIL import Image

from ehr.models import Source
from ehr.paper_proofs.codes import draw_code, read_code
from ehr.paper_proofs.models import Reference
from ehr.store import retract_rows
from kernel.problems import Refused
from qr import tokens
from store.database import Store
from store.keys import KeyRing
from tests.ehr.intake.records import send
from tests.ehr.intake.test_packages import visit
from tests.support.clock import START, FrozenClock
from tests.support.exports import pdf_pages
from tests.support.family import make_child
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Facility, make_citizen, make_facility
from tests.support.record import write
from tests.support.registry import make_officers, merged, separated

VERIFY = "/v1/public/papers/verify"
PAPERS = "/v1/me/papers"
CODE = "79031"
NAMES = ("XML1", "XML7", "XML8", "XML10", "XML11")
# What the packages of tests say of diseases and treatment.
SECRETS = ("dạ dày", "K29", "huyết áp", "Viêm", "Omeprazol")


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


async def issued(
    store: Store, clock: FrozenClock, *names: str, change: dict[str, dict[str, str]] | None = None
) -> tuple[Citizen, Facility]:
    person = await make_citizen(store, clock, name="Nguyễn Thị Hường")
    facility = await make_facility(store, clock, code=CODE, name="Bệnh viện Giấy")
    (row,) = await send(store, clock, facility, visit(person, CODE, *(names or NAMES), change=change))
    assert row.status == "imported", row
    return person, facility


async def papers(client: httpx.AsyncClient, person: Citizen) -> dict[str, dict[str, Any]]:
    response = await client.get(PAPERS, headers=bearer(person.token))
    assert response.status_code == 200, response.text
    return {one["kind"]: one for one in response.json()["items"]}


async def printed(
    client: httpx.AsyncClient, store: Store, person: Citizen, paper: dict[str, Any]
) -> tuple[str, str]:
    """The words on the print, and the code of its QR."""
    response = await client.get(f"/v1/me/{paper['pdf']}", headers=bearer(person.token))
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/pdf"
    return "\n".join(pdf_pages(response.content)), code_on(response.content)


def code_on(pdf: bytes) -> str:
    """What a camera reads off the first page, behind `#`."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "paper.pdf").write_bytes(pdf)
        source = Path(folder) / "page.typ"
        source.write_text('#set page(width: auto, height: auto, margin: 0pt)\n#image("paper.pdf", page: 1)')
        picture = typst.compile(str(source), format="png", ppi=200)
    page = Image.open(io.BytesIO(picture)).convert("L")
    # Lines of text can pass for a bar code now and then.
    found = zxingcpp.read_barcode(
        memoryview(page.tobytes()).cast("B", (page.height, page.width)), zxingcpp.BarcodeFormat.QRCode
    )
    assert found is not None
    text: str = found.text
    assert text.startswith("http")
    assert "/kiem-tra-giay-to#" in text
    return text.partition("#")[2]


async def check(client: httpx.AsyncClient, code: str) -> dict[str, Any]:
    response = await client.post(VERIFY, json={"code": code})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    assert not any(word.casefold() in response.text.casefold() for word in SECRETS)
    return answer


async def test_every_kind_is_shown_printed_and_proves_itself(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, _ = await issued(store, clock)
    found = await papers(client, person)
    assert set(found) == {"discharge", "summary", "antenatal-leave", "sick-leave"}
    for paper in found.values():
        words, code = await printed(client, store, person, paper)
        assert "Nguyễn Thị Hường" in words
        assert "Bệnh viện Giấy" in words
        answer = await check(client, code)
        assert answer["outcome"] == "unchanged"
        assert (answer["issued_by"], answer["kind_vi"]) == ("Bệnh viện Giấy", paper["title_vi"])
        assert answer["number"] == paper["number"]
        assert answer["holder"] == "N. T. H., sinh 1985"
        assert "Hường" not in json.dumps(answer, ensure_ascii=False)
        clock.advance(minutes=1)


async def test_a_leave_says_until_when_and_that_it_is_over(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    change = {"XML11": {"TU_NGAY": "20261120", "DEN_NGAY": "20261125"}}
    person, _ = await issued(store, clock, "XML1", "XML11", change=change)
    _, code = await printed(client, store, person, (await papers(client, person))["sick-leave"])
    answer = await check(client, code)
    assert (answer["period_start"], answer["valid_until"]) == ("2026-11-20", "2026-11-25")
    assert answer["expired"] is (clock.now().date().isoformat() > "2026-11-25")
    clock.advance(days=30)
    assert (await check(client, code))["expired"] is True


async def test_a_resend_with_other_words_makes_the_old_print_replaced(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, facility = await issued(store, clock, "XML1", "XML7")
    paper = (await papers(client, person))["discharge"]
    _, before = await printed(client, store, person, paper)
    same = visit(person, CODE, "XML1", "XML7")
    await send(store, clock, facility, same)
    assert (await check(client, before))["outcome"] == "unchanged"
    changed = visit(person, CODE, "XML1", "XML7", change={"XML7": {"SO_NGAY_NGHI": "9"}})
    await send(store, clock, facility, changed)
    answer = await check(client, before)
    assert (answer["outcome"], answer["issued_by"]) == ("replaced", "Bệnh viện Giấy")
    assert answer["number"] is answer["date"] is answer["holder"] is None
    clock.advance(minutes=1)
    _, after = await printed(client, store, person, paper)
    assert (await check(client, after))["outcome"] == "unchanged"


async def test_s28_a_forged_paper_is_told_apart_from_a_withdrawn_one(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, facility = await issued(store, clock, "XML1", "XML7", "XML11")
    _, code = await printed(client, store, person, (await papers(client, person))["sick-leave"])
    await send(store, clock, facility, visit(person, CODE, "XML1", "XML7"))
    withdrawn = await check(client, code)
    assert withdrawn["outcome"] == "withdrawn"
    forged = await check(client, tampered(code, 40))
    assert forged["outcome"] == "not-ours"
    assert forged["text_vi"] != withdrawn["text_vi"]
    assert set(forged) == set(withdrawn)
    told = {"outcome", "text_vi", "text_en", "expired"}
    for answer in (forged, withdrawn):
        assert {name for name, value in answer.items() if value is not None} == told


async def test_a_reverted_paper_and_an_erased_book_are_withdrawn_without_a_word_more(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    person, _ = await issued(store, clock, "XML1", "XML7", "XML8")
    found = await papers(client, person)
    _, reverted = await printed(client, store, person, found["discharge"])
    clock.advance(minutes=1)
    _, erased = await printed(client, store, person, found["summary"])
    row = ("DocumentReference", found["discharge"]["id"])
    async with store.transaction() as tx:
        await retract_rows(tx, person.patient_id, [row], "operator", "revert", clock.now())
    assert (await check(client, reverted))["outcome"] == "withdrawn"
    assert (await check(client, erased))["outcome"] == "unchanged"
    async with owner.transaction() as tx:
        await tx.execute("DELETE FROM ehr_resource WHERE patient_id = $1", person.patient_id)
    assert await check(client, erased) == await check(client, reverted)


async def test_hiding_a_paper_says_nothing_to_whoever_holds_its_print(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    person, _ = await issued(store, clock, "XML1", "XML7")
    paper = (await papers(client, person))["discharge"]
    _, code = await printed(client, store, person, paper)
    before = await check(client, code)
    async with owner.transaction() as tx:
        await tx.execute(
            "UPDATE ehr_resource SET hidden_from = ARRAY['00000000-0000-0000-0000-000000000000'::uuid]"
            " WHERE patient_id = $1 AND id = $2",
            person.patient_id,
            paper["id"],
        )
    assert await check(client, code) == before


async def test_each_check_stands_in_the_log_and_a_network_has_a_budget(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    person, _ = await issued(store, clock, "XML1", "XML7")
    _, code = await printed(client, store, person, (await papers(client, person))["discharge"])
    await check(client, code)
    async with owner.transaction() as tx:
        rows = await tx.fetch("SELECT entry FROM access_log WHERE patient_id = $1", person.patient_id)
    actions = [json.loads(row["entry"])["action"] for row in rows]
    assert actions.count("record:paper-check:read") == 1
    assert actions.count("record:paper:read") == 1


async def test_a_network_has_a_budget(fresh_store: Store, clock: FrozenClock) -> None:
    async with client_of(fresh_store, clock) as client:
        answers = [(await client.post(VERIFY, json={"code": "x"})).status_code for _ in range(121)]
    assert answers == [200] * 120 + [429]


async def test_a_guardian_prints_a_childs_paper(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    mother, doctor = await make_citizen(store, clock), await make_citizen(store, clock)
    child = await make_child(store, clock, mother, "2024-03-12")
    facility = await make_facility(store, clock, code=CODE, name="Bệnh viện Giấy")
    source = Source(source_id=str(facility.facility_id), facility_id=facility.facility_id, credential="his")
    await write(store, child, [letter("Số ngày nghỉ: 3")], clock.now(), source=source)
    headers = bearer(mother.token) | {"X-Patient-Id": str(child)}
    (paper,) = (await client.get(PAPERS, headers=headers)).json()["items"]
    assert paper["lines"] == ["Số ngày nghỉ: 3"]
    made = await client.get(f"/v1/me/{paper['pdf']}", headers=headers)
    assert made.status_code == 200, made.text
    answer = await check(client, code_on(made.content))
    assert (answer["outcome"], answer["holder"]) == ("unchanged", "T. B. T., sinh 2024")
    stranger = bearer(doctor.token) | {"X-Patient-Id": str(child)}
    assert (await client.get(f"/v1/me/{paper['pdf']}", headers=stranger)).status_code == 403


async def test_a_merge_leaves_a_printed_paper_what_it_was(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    person, _ = await issued(store, clock, "XML1", "XML7")
    survivor = await make_citizen(store, clock, name=person.name, birth_date=person.birth_date)
    _, code = await printed(client, store, person, (await papers(client, person))["discharge"])
    officers = await make_officers(store, clock)
    merge_id = await merged(store, officers, person.patient_id, survivor.patient_id, clock.now())
    assert (await check(client, code))["outcome"] == "unchanged"
    await separated(store, officers, merge_id, clock.now())
    assert (await check(client, code))["outcome"] == "unchanged"


def letter(text: str) -> dict[str, Any]:
    data = base64.b64encode(text.encode()).decode()
    return {
        "resourceType": "DocumentReference",
        "id": "letter",
        "status": "current",
        "type": {"coding": [{"system": "urn:vn:so-suc-khoe:document-kind", "code": "discharge"}]},
        "date": "2026-11-01",
        "content": [{"attachment": {"contentType": "text/plain", "data": data}}],
    }


async def test_what_the_person_cannot_see_is_not_printed(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, _ = await issued(store, clock, "XML1", "XML7")
    stranger = await make_citizen(store, clock)
    paper = (await papers(client, person))["discharge"]
    for path in (f"{PAPERS}/{paper['id']}", f"/v1/me/{paper['pdf']}", f"{PAPERS}/no_such"):
        refused = await client.get(path, headers=bearer(stranger.token))
        assert (refused.status_code, refused.json()["code"]) == (404, "paper-not-found")
        other = bearer(stranger.token) | {"X-Patient-Id": str(person.patient_id)}
        refused = await client.get(path, headers=other)
        assert (refused.status_code, refused.json()["code"]) == (403, "not-your-book")
    one = await client.get(f"{PAPERS}/{paper['id']}", headers=bearer(person.token))
    assert one.json() == paper
    fresh = await make_citizen(store, clock, probation=True)
    refused = await client.get(f"/v1/me/{paper['pdf']}", headers=bearer(fresh.token))
    assert refused.json()["code"] == "device-on-probation"


async def test_s34_the_page_behind_a_papers_code_sends_it_in_a_body(client: httpx.AsyncClient) -> None:
    page = await client.get("/kiem-tra-giay-to")
    script = await client.get("/kiem-tra-giay-to/check.js")
    assert (page.status_code, script.status_code) == (200, 200)
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "innerHTML" not in script.text
    assert "location.hash" in script.text
    pinned = (await client.get("/.well-known/paper-keys.json")).json()["keys"]
    assert pinned != (await client.get("/.well-known/qr-keys.json")).json()["keys"]


REFERENCE = Reference(owner=UUID(int=5), id="abc", digest=b"d" * 16, printed_at=1, holder="N. T. H.")


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_s28_no_changed_byte_of_a_code_is_ours(keys: KeyRing, at: int, by: int) -> None:
    code = draw_code(keys, REFERENCE, START)
    assert read_code(keys, code, START) == REFERENCE
    assert read_code(keys, tampered(code, at, by), START) is None


def test_s28_another_spelling_of_a_code_is_not_ours(keys: KeyRing) -> None:
    """Codes of each length, since only some leave bits over in their last character."""
    alphabet = string.ascii_letters + string.digits + "-_"
    for letters in range(1, 4):
        code = draw_code(keys, replace(REFERENCE, holder="N" * letters), START)
        assert read_code(keys, code, START) is not None
        spellings = [code[:-1] + last for last in alphabet if last != code[-1]]
        spellings += [code + "=", code + "==", code + "====", code + "\n", " " + code, code + "%3D"]
        spellings += [tokens.from_fragment(code), code.replace("-", "+").replace("_", "/") + "="]
        assert [one for one in spellings if read_code(keys, one, START) is not None] == []


@given(st.text(max_size=300))
def test_no_text_of_a_stranger_is_ours(keys: KeyRing, text: str) -> None:
    assert read_code(keys, text, START) is None


def test_s28_a_code_of_another_kind_or_key_is_no_paper(keys: KeyRing) -> None:
    later = START.replace(year=2030)
    text = tokens.sign(keys, "poster", {"k": "0001", "s": "x"}, later, START)
    assert read_code(keys, tokens.to_fragment(text), START) is None
    ours = tokens.from_fragment(draw_code(keys, REFERENCE, START))
    kinds: tuple[tokens.Kind, ...] = ("citizen", "doctor-request", "counter")
    for kind in kinds:
        refused = tokens.read(keys, kind, ours, START)
        assert isinstance(refused, Refused)
        assert refused.problem.code == "qr-wrong-kind"


def tampered(code: str, at: int, by: int = 1) -> str:
    raw = bytearray(base64.urlsafe_b64decode(code + "=" * (-len(code) % 4)))
    raw[at % len(raw)] ^= by
    return base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()
