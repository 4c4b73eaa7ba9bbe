"""What somebody without the label reads of a book with something sensitive in it is what there would be
without it.

One prescription of antiretrovirals, a viral load and a note of psychiatry, all three of one ordinary visit,
so that titles, counts, sizes and pages of that visit could betray them. What is compared is the same book
before and after they came: every GET that a doctor may send (tests/support/walk.py), then links, card, share
codes and what is pushed.
"""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from kernel.access import RECORD_TYPES, Label
from notifications.service import set_push_target
from store.database import Store
from tests.consent.test_share_codes import code_of, redeem
from tests.security.test_s18_deaths import work
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.emergency import make_unit
from tests.support.emergency_card import scan, tick, token_of
from tests.support.episode import episode
from tests.support.http import client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility, sign_in_again
from tests.support.record import our_id, write
from tests.support.sharing import link_of
from tests.support.walk import Seen, Walker, renumbered, still, telling, text_of, walk

DAY = "2026-11-02"
ARV, LOAD, NOTE = "zqarv dolutegravir", "zqtai luong virus", "zqtam than"
MARKS = ("zqarv", "zqtai", "zqtam")
PARTS = ("identity", "allergies", "blood-group", "conditions", "medicines", "implants", "contacts")
LABELS = Label.HIV | Label.PSY


@dataclass
class Book:
    """A person with an ordinary visit, and who may read it."""

    store: Store
    clock: FrozenClock
    client: httpx.AsyncClient
    citizen: Citizen
    doctor: Doctor
    trusted: Doctor
    emergency: Doctor
    card: str

    async def seed(self) -> None:
        """What is sensitive, in the visit that everybody sees."""
        visit = {"encounter": {"reference": "Encounter/v"}}
        script = {
            "resourceType": "MedicationRequest",
            "id": "arv",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {"text": ARV},
            "authoredOn": DAY,
        }
        load = {
            "resourceType": "Observation",
            "id": "load",
            "status": "final",
            "code": {"coding": [{"system": "urn:test", "code": "SHARED"}], "text": LOAD},
            "category": [{"coding": [{"code": "laboratory"}]}],
            "valueQuantity": {"value": 1234, "unit": "copies/mL"},
            "effectiveDateTime": DAY,
        }
        paper = {
            "contentType": "text/plain",
            "title": f"{NOTE}.txt",
            "data": base64.b64encode(NOTE.encode()).decode(),
        }
        note = {
            "resourceType": "DocumentReference",
            "id": "note",
            "status": "current",
            "description": NOTE,
            "date": f"{DAY}T00:00:00Z",
            "content": [{"attachment": paper}],
            "context": {"encounter": [visit["encounter"]]},
        }
        for bodies, label in (([script | visit, load | visit], Label.HIV), ([note], Label.PSY)):
            now = self.clock.now()
            await write(self.store, self.citizen.patient_id, bodies, now, labels=int(label))

    def walker(self, reader: Doctor | Citizen) -> Walker:
        own = reader is self.citizen
        return Walker(
            client=self.client,
            clock=self.clock,
            word="citizen" if own else "doctor",
            token=reader.token,
            person=self.citizen if own else None,
            patients=[self.citizen.patient_id],
            known={
                "document_id": [our_id("a", name) for name in ("v-d", "note")],
                "study_id": [our_id("a", "v-s")],
                "encounter_id": [our_id("a", "v")],
                "result_id": [our_id("a", "load")],
            },
            words=(*MARKS, "dolutegravir", "virus", "tam", "loi"),
        )

    async def seen_by(self, reader: Doctor | Citizen) -> list[Seen]:
        if reader is not self.citizen:
            await sign_in_again(self.store, self.clock, reader)  # type: ignore[arg-type]
        return await walk(self.walker(reader))

    async def handed_out(self, pharmacist: Doctor) -> dict[str, list[str]]:
        """What leaves without a grant: two links with papers, the card whole, a share code and its reader."""
        now, found = self.clock.now(), {}
        for long_term in (False, True):
            link = await link_of(
                self.client, self.citizen, now, papers=["book", "sheet"], long_term=long_term
            )
            found[f"link {long_term}"] = [texts_of(one) for one in await link.files(self.client)]
        card = await scan(self.client, self.card)
        found["card"] = [str(card.status_code), card.text]
        code = await code_of(self.client, self.citizen, now)
        redeemed = await redeem(self.client, pharmacist, code)
        assert redeemed.status_code == 200, redeemed.text
        found["code"] = [str(sorted(redeemed.json()))]
        found["reader"] = [text for _, _, text in still(await self.seen_by(pharmacist))]
        return found


def texts_of(document: Any) -> str:
    """A FHIR document with its narratives, and every paper in it as text."""
    whole = json.dumps(document, ensure_ascii=False)
    papers = [text_of(base64.b64decode(data)) for data in data_of(document)]
    bare = whole
    for data in data_of(document):
        bare = bare.replace(data, "")
    return "\n".join([renumbered(bare), *papers])


def data_of(node: Any) -> list[str]:
    if isinstance(node, list):
        return [one for child in node for one in data_of(child)]
    if isinstance(node, dict):
        own = [node["data"]] if isinstance(node.get("data"), str) else []
        return own + [one for child in node.values() for one in data_of(child)]
    return []


@pytest.fixture
async def book(store: Store, clock: FrozenClock) -> AsyncIterator[Book]:
    citizen = await make_citizen(store, clock)
    unit = await make_unit(store, clock)
    doctor, trusted = [await make_doctor(store, clock, await make_facility(store, clock)) for _ in range(2)]
    await write(store, citizen.patient_id, episode("v", DAY, "thuong"), clock.now())
    await granted(store, clock, doctor, citizen, types=RECORD_TYPES)
    await granted(store, clock, trusted, citizen, types=RECORD_TYPES, tier="A", labels=LABELS)
    await unit.opened(citizen)
    async with client_of(store, clock) as client:
        card = token_of(await tick(client, clock, citizen, *PARTS))
        yield Book(store, clock, client, citizen, doctor, trusted, unit.doctor, card)


async def test_sensitive_leak_no_reading_route_of_a_doctor_without_the_label_moves_by_a_byte(
    book: Book,
) -> None:
    """Read, search, summary, counts, history, PDF, documents, IPS and bundle: of a grant, of broken glass."""
    readers = (book.doctor, book.emergency)
    before = [await book.seen_by(one) for one in readers]
    await book.seed()
    after = [await book.seen_by(one) for one in readers]
    for was, now in zip(before, after, strict=True):
        assert {one.status for one in was} >= {200, 404}
        assert telling(now, *MARKS, "dolutegravir", "1234") == set()
        assert [pair for pair in zip(still(was), still(now), strict=True) if pair[0] != pair[1]] == []
    # The same walk shows all three to whom the person let see them, and to the person, archive included.
    for reader in (book.trusted, book.citizen):
        seen = await book.seen_by(reader)
        for mark in MARKS:
            assert len(telling(seen, mark)) >= 4, mark
        assert any(one.body.startswith(b"%PDF") and MARKS[0] in one.text for one in seen)
    assert "/v1/me/exports/everything" in telling(seen, MARKS[0])


async def test_sensitive_leak_nothing_handed_out_or_pushed_moves_by_a_byte(
    book: Book, owner: Store, clock: FrozenClock
) -> None:
    """Links with their narratives and papers, the card, a share code and what its redeemer reads, pushes."""
    store, citizen = book.store, book.citizen
    async with store.transaction() as tx:
        await set_push_target(tx, store.keys, citizen.actor, "fid", f"fid-{citizen.patient_id}", clock.now())
    redeemers = [await make_doctor(store, clock, await make_facility(store, clock)) for _ in range(2)]
    before = await book.handed_out(redeemers[0])
    await book.seed()
    after = await book.handed_out(redeemers[1])
    text = json.dumps(after, ensure_ascii=False).lower()
    assert "thuong" in text
    for mark in (*MARKS, "dolutegravir", "1234"):
        assert mark not in text, mark
    assert {part: [len(one) for one in texts] for part, texts in after.items() if part != "reader"} == {
        part: [len(one) for one in texts] for part, texts in before.items() if part != "reader"
    }
    assert after["card"] == before["card"]
    await work(store, clock, citizen)
    async with owner.transaction() as tx:
        rows = await tx.fetch("SELECT * FROM notification WHERE patient_id = $1", citizen.patient_id)
        rows += await tx.fetch("SELECT * FROM delivery WHERE patient_id = $1", citizen.patient_id)
        rows += await tx.fetch("SELECT * FROM outbox WHERE patient_id = $1", citizen.patient_id)
    assert len(rows) > 3
    assert not any(mark in str(rows).lower() for mark in (*MARKS, "dolutegravir"))
