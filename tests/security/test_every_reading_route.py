"""What a person withdraws from sight is gone on every route that reads; a hidden visit has never been there.

The routes are those of the application (tests/support/walk.py). A route either shows the episode before, or
stands in SILENT there with the reason why it never does.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from ehr.imaging.viewer import set_viewer
from kernel.access import RECORD_TYPES
from store.database import Store
from tests.support.cases import Place, make_place
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.episode import episode, study_uid
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_doctor, make_facility
from tests.support.record import write
from tests.support.walk import (
    SILENT,
    Seen,
    Walker,
    answered,
    reading_routes,
    showing_routes,
    still,
    telling,
    walk,
)

MARK, KEPT = "qzjmot", "wkvhai"
DAY = "2026-11-02"
# Where the person still meets a visit that is not theirs.
NAMES_IT = {
    "/v1/me/cases": "the person's own question about it",
    "/v1/me/cases/{case_id}": "and the entry as it was",
    "/v1/me/access-log": "ids of what was read",
    "/v1/me/access-log/audit-events": "ids of what was read",
    "/v1/me/access-log/export": "ids of what was read",
    "/v1/me/changes": "a tombstone: an app that has it removes it",
    "/v1/me/vaccination": "a tombstone: that a dose was there, and nothing of it",
    "/v1/me/exports/everything": "all that is held, which the law lets the person ask for: each row marked",
}


@dataclass
class Scene:
    """A person whose book one facility filled, and a doctor elsewhere with a grant."""

    store: Store
    clock: FrozenClock
    client: httpx.AsyncClient
    place: Place
    doctor: Doctor

    @property
    def person(self) -> Citizen:
        return self.place.citizen

    async def send(self, name: str, mark: str, **more: Any) -> None:
        bodies = episode(name, DAY, mark, **more)
        place = self.place
        await write(
            self.store, place.patient_id, bodies, self.clock.now(), source=place.source, unit=f"unit-{name}"
        )

    def walker(self, word: str, name: str = "v1", mark: str = MARK) -> Walker:
        """The citizen or the doctor, who both know the ids of that visit from before."""
        of = self.place.id_of
        return Walker(
            client=self.client,
            clock=self.clock,
            word=word,
            token=self.person.token if word == "citizen" else self.doctor.token,
            person=self.person if word == "citizen" else None,
            patients=[self.place.patient_id],
            known={
                "document_id": [of(f"{name}-d"), of(f"{name}-r")],
                "study_id": [of(f"{name}-s")],
                "encounter_id": [of(name)],
                "result_id": [of(f"{name}-o")],
            },
            words=(mark,),
            codes=("SHARED", "ALONE"),
        )

    async def hide(self, name: str, **more: Any) -> None:
        body = {"kind": "Encounter", "id": self.place.id_of(name)} | more
        made = await self.client.post("/v1/me/hidings", json=body, headers=bearer(self.person.token))
        assert made.status_code == 201, made.text

    async def say_not_mine(self, name: str) -> str:
        body = {"kind": "not-mine", "item_id": self.place.id_of(name), "text": "Không phải tôi"}
        made = await self.client.post("/v1/me/cases", json=body, headers=bearer(self.person.token))
        assert made.status_code == 201, made.text
        case_id: str = made.json()["case_id"]
        return case_id


@pytest.fixture
async def scene(store: Store, clock: FrozenClock) -> AsyncIterator[Scene]:
    place = await make_place(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with store.transaction() as tx:
        template = "https://pacs.example.vn/v?study={study_uid}"
        await set_viewer(tx, place.facility.facility_id, template, clock.now())
    await granted(store, clock, doctor, place.citizen, types=RECORD_TYPES)
    async with client_of(store, clock) as client:
        yield Scene(store, clock, client, place, doctor)


@pytest.mark.parametrize("word", ["citizen", "doctor"])
async def test_every_route_shows_the_visit_or_says_why_it_never_does(scene: Scene, word: str) -> None:
    await scene.send("v1", MARK)
    seen = await walk(scene.walker(word))
    showing = telling(seen, MARK, study_uid(MARK))
    silent = {one.route for one in seen} - showing
    assert silent <= set(SILENT), "a reading route that shows nothing of a full book and is not explained"
    assert showing.isdisjoint(SILENT)
    assert {route.path for route in reading_routes(word)} <= showing | silent
    states = answered(seen)
    assert {route for route in showing if states[route] - {200, 303}} == set()


@pytest.mark.parametrize("word", ["citizen", "doctor"])
async def test_s17_not_mine_is_gone_from_every_route_within_the_same_second(scene: Scene, word: str) -> None:
    await scene.send("v2", KEPT, code="ALONE")
    walker = scene.walker(word)
    without = await walk(walker)
    await scene.send("v1", MARK)
    assert telling(await walk(walker), MARK, study_uid(MARK)) == showing_routes(word)
    case_id = await scene.say_not_mine("v1")
    after = await walk(walker)
    assert telling(after, MARK, study_uid(MARK)) <= {"/v1/me/cases", "/v1/me/exports/everything"}
    states = {"unit-v1": {"disputed"}, "unit-v2": {"verified"}} if word == "citizen" else {}
    assert archived(after) == states
    # What is counted or derived does not tell of it either: the answers are those of a book without it.
    assert beside(still(after)) == beside(still(without))
    walker.known["case_id"] = [case_id]
    again = await walk(walker)
    assert telling(again, MARK, study_uid(MARK), scene.place.id_of("v1")) <= set(NAMES_IT)


def archived(seen: list[Seen]) -> dict[str, set[str]]:
    """The states of the record's rows in the archive of everything, by unit."""
    texts = [one.text for one in seen if one.route == "/v1/me/exports/everything"]
    rows = [json.loads(line) for text in texts for line in text.splitlines() if '"doc":' in line]
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["unit"], set()).add(row["state"])
    return found


def beside(seen: list[tuple[str, int, str]]) -> list[tuple[str, int, str]]:
    return [one for one in seen if one[0].split(" ")[0] not in NAMES_IT]


@pytest.mark.parametrize("to_one", [False, True], ids=["everybody", "one-doctor"])
async def test_s23_a_doctor_gets_the_bytes_of_a_book_without_the_hidden_visit(
    scene: Scene, to_one: bool
) -> None:
    await scene.send("v2", KEPT, code="ALONE")
    walkers = [scene.walker("doctor"), scene.walker("doctor", "v2", KEPT)]
    before = [await walk(walker) for walker in walkers]
    assert telling(before[1], KEPT), "the look finds what is there"
    await scene.send("v1", MARK)
    assert still(await walk(walkers[0])) != still(before[0])
    grants = await scene.client.get("/v1/me/grants", headers=bearer(scene.person.token))
    grant = {"grant_id": grants.json()["items"][0]["grant_id"]} if to_one else {}
    await scene.hide("v1", **grant)
    for walker, first in zip(walkers, before, strict=True):
        assert still(await walk(walker)) == still(first)


async def test_s23_the_person_keeps_the_hidden_visit_and_sees_its_mark(scene: Scene) -> None:
    await scene.send("v1", MARK)
    before = telling(await walk(scene.walker("citizen")), MARK)
    await scene.hide("v1")
    after = await walk(scene.walker("citizen"))
    # The papers that a person hands over leave out what is hidden from anybody (docs/visibility.md).
    papers = {"/v1/me/exports/ips", "/v1/me/exports/book.pdf", "/v1/me/vaccination.pdf"}
    assert before - telling(after, MARK) == papers
    assert '"hidden":true' in "".join(one.text for one in after)
