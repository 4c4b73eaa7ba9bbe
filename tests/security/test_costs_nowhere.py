"""What visits cost reaches the person, the guardian of a child, and nobody else by any path.

Marked amounts come in with treatment packages of the person, of a child and of one who has a proxy. Then
every route of the application is asked by everybody who may ask it, with the ids that lead to those books,
and every table and log line is read. The marks stand in two routes, in the person's own archive of everything
(a person may have all that is held: docs/book.md), and in one table.
"""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from consent.emergency_card.models import PARTS
from consent.role_caps import role_cap
from identity.births import service as births
from kernel.access import ALL_LABELS, Role
from store.database import Store
from tests.consent.test_role_caps import delegated
from tests.consent.test_share_codes import code_of, redeem
from tests.ehr.costs.support import Person
from tests.security.test_sensitive_leak import texts_of
from tests.support.actors import ROLES, make_operator, routes
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.costs import CODE
from tests.support.emergency import make_unit
from tests.support.emergency_card import scan, tick, token_of
from tests.support.family import make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility, make_machine
from tests.support.record import our_id
from tests.support.sharing import link_of
from tests.support.walk import Seen, Walker, filled, queries, seen_of, walk
from tests.test_routes import BODIES

# Each amount of a visit has a number of its own, so that one that comes through says which it is.
MARK = "8642097531"
OWN = {"/v1/me/costs", "/v1/me/encounters/{encounter_id}/costs"}
ARCHIVE = "/v1/me/exports/everything"
# A separator of thousands or of decimals may stand in a number.
_SEPARATOR = re.compile(r"(?<=\d)[.,\u00a0\u202f ](?=\d)")


def marked(person: int) -> dict[str, str]:
    names = ("T_TONGCHI_BV", "T_TONGCHI_BH", "T_BHTT", "T_BNCCT", "T_BNTT", "T_NGUONKHAC")
    return {name: f"{MARK}{person}{number}" for number, name in enumerate(names)}


def tells(text: str) -> bool:
    return MARK in _SEPARATOR.sub("", text)


@dataclass
class Scene:
    """adult: whose visit was sent, and who let everybody in; child: read by its mother; ids: of the rows."""

    store: Store
    clock: FrozenClock
    client: httpx.AsyncClient
    adult: Citizen
    child: Person
    proxy: Citizen
    staff: dict[str, Doctor]
    emergency: Doctor
    machines: dict[str, str]
    ids: dict[str, list[str]]

    def walker(self, word: str, token: str, person: Citizen | None = None) -> Walker:
        return Walker(
            client=self.client,
            clock=self.clock,
            word=word,
            token=token,
            person=person,
            patients=[self.adult.patient_id, self.child.patient_id],
            known=self.ids,
            words=("kham", "mot", MARK),
        )


async def ids_of(owner: Store, people: list[UUID]) -> dict[str, list[str]]:
    """Ids by the names that routes give them."""
    async with owner.transaction() as tx:
        rows = await tx.fetch("SELECT rtype, id FROM ehr_resource WHERE patient_id = ANY($1::uuid[])", people)
        receipts = await tx.fetch("SELECT receipt_id::text FROM ehr_receipt")
    of = lambda rtype: sorted({row["id"] for row in rows if row["rtype"] == rtype})  # noqa: E731
    return {
        "encounter_id": of("Encounter"),
        "document_id": of("DocumentReference"),
        "study_id": of("ImagingStudy") or [our_id("a", "none")],
        "patient_id": [str(person) for person in people],
        "receipt_id": [row[0] for row in receipts],
    }


@pytest.fixture
async def scene(store: Store, owner: Store, clock: FrozenClock) -> AsyncIterator[Scene]:
    facility = await make_facility(store, clock, code=CODE)
    adult, proxy, mother = [await make_citizen(store, clock) for _ in range(3)]
    child = await _child_of(store, clock, facility, mother)
    await Person(store, clock, adult, facility).visit(**marked(1))
    await child.visit(**marked(2))
    staff = {role: await make_doctor(store, clock, facility, role=role) for role in ROLES}
    roles: tuple[Role, ...] = ("doctor", "pharmacist", "vaccinator")
    for role in roles:
        await granted(store, clock, staff[role], adult, types=role_cap(role), tier="A", labels=ALL_LABELS)
    await delegated(store, clock, (staff["doctor"], staff["nurse"], adult, facility))
    await make_proxy(store, clock, adult, proxy, "read-record")
    unit = await make_unit(store, clock)
    await unit.opened(adult)
    machines = {
        "facility-system": (await make_machine(store, clock, facility)).token,
        "kiosk": (await make_machine(store, clock, facility, "kiosk")).token,
        "operator": await make_operator(store, clock),
    }
    people = [adult.patient_id, child.patient_id]
    async with client_of(store, clock) as client:
        ids = await ids_of(owner, people)
        yield Scene(store, clock, client, adult, child, proxy, staff, unit.doctor, machines, ids)


async def _child_of(store: Store, clock: FrozenClock, facility: Any, mother: Citizen) -> Person:
    kid = await make_citizen(store, clock, birth_date="2020-03-12")
    async with store.transaction() as tx:
        await births.link(tx, kid.patient_id, mother.patient_id, None, clock.now())
    return Person(store, clock, kid, facility, reader=mother)


def showing(seen: list[Seen]) -> set[str]:
    """The document is of nobody: its examples are what tests such as these were answered."""
    return {one.route for one in seen if one.route != "/docs/openapi.json" and tells(one.text)}


async def asked(scene: Scene, word: str, headers: dict[str, str], *, reads: bool) -> list[Seen]:
    """Every route that this kind may ask, with every id known; reads: GET, else everything that writes."""
    walker, seen = scene.walker(word, ""), []
    for route in routes(demo=False):
        if (route.method == "GET") is not reads or not {word, "public"} & set(route.actors):
            continue
        if route.operation_id == "sign_out":
            continue
        for path in filled(walker, route.path):
            for query in queries(walker, route):
                body = BODIES.get(route.operation_id, {}) if not reads else None
                answer = await scene.client.request(
                    route.method, path, params=query, json=body, headers=headers
                )
                seen.append(seen_of(route.path, path, answer))
    return seen


async def test_costs_the_person_reads_them_on_two_routes_and_in_the_own_archive(scene: Scene) -> None:
    seen = await walk(scene.walker("citizen", scene.adult.token, scene.adult))
    assert showing(seen) == OWN | {ARCHIVE}
    archive = next(one.text for one in seen if one.route == ARCHIVE)
    assert len(re.findall(f"{MARK}1", archive)) == 6


async def test_costs_the_guardian_reads_the_childs_on_two_routes_and_nothing_else(scene: Scene) -> None:
    seen = await asked(scene, "citizen", scene.child.headers, reads=True)
    assert showing(seen) == OWN


async def test_costs_nothing_that_a_guardian_or_a_proxy_writes_answers_with_them(scene: Scene) -> None:
    """Links, share codes, exports and all else that another's book can be asked to make."""
    proxy = bearer(scene.proxy.token) | {"X-Patient-Id": str(scene.adult.patient_id)}
    for headers in (scene.child.headers, proxy):
        seen = await asked(scene, "citizen", headers, reads=False)
        # Bodies that lack something are refused for that alone: the door stood open.
        assert {400, 403} <= {one.status for one in seen}
        assert showing(seen) == set()
        # What those writes made is read as well.
        assert showing(await asked(scene, "citizen", headers, reads=True)) <= OWN


async def test_costs_a_proxy_who_reads_the_record_meets_none(scene: Scene) -> None:
    headers = bearer(scene.proxy.token) | {"X-Patient-Id": str(scene.adult.patient_id)}
    seen = await asked(scene, "citizen", headers, reads=True)
    assert {one.status for one in seen if one.route in OWN} == {403}
    assert any(one.status == 200 for one in seen if one.route == "/v1/me/encounters")
    assert showing(seen) == set()


@pytest.mark.parametrize("word", ROLES)
async def test_costs_no_member_of_staff_meets_them_with_a_grant_of_everything(
    scene: Scene, word: str
) -> None:
    seen = await walk(scene.walker(word, scene.staff[word].token))
    assert showing(seen) == set()
    if word in ("doctor", "nurse"):
        shown = {one.route for one in seen if one.status == 200}
        assert {
            "/v1/doctor/patients/{patient_id}/summary",
            "/v1/doctor/patients/{patient_id}/encounters",
        } <= shown
    assert showing(await asked(scene, word, bearer(scene.staff[word].token), reads=False)) == set()


async def test_costs_broken_glass_opens_none(scene: Scene) -> None:
    seen = await walk(scene.walker("doctor", scene.emergency.token))
    assert any(one.status == 200 and "{patient_id}" in one.route for one in seen)
    assert showing(seen) == set()


@pytest.mark.parametrize("word", ["facility-system", "kiosk", "operator"])
async def test_costs_no_machine_and_no_operator_meets_them(scene: Scene, word: str) -> None:
    headers = bearer(scene.machines[word])
    for reads in (True, False):
        assert showing(await asked(scene, word, headers, reads=reads)) == set()


async def test_costs_nothing_handed_out_carries_them(scene: Scene) -> None:
    """Links with their papers, an emergency card, a share code and what its redeemer reads."""
    client, adult, now = scene.client, scene.adult, scene.clock.now()
    for long_term in (False, True):
        link = await link_of(client, adult, now, papers=["book", "sheet"], long_term=long_term)
        files = await link.files(client)
        assert files
        assert not any(tells(texts_of(one)) for one in files)
    card = await scan(client, token_of(await tick(client, scene.clock, adult, *PARTS)))
    assert card.status_code == 200
    assert not tells(card.text)
    redeemer = await make_doctor(scene.store, scene.clock, await make_facility(scene.store, scene.clock))
    redeemed = await redeem(client, redeemer, await code_of(client, adult, now))
    assert redeemed.status_code == 200
    assert showing(await walk(scene.walker("doctor", redeemer.token))) == set()


async def test_costs_stand_in_one_table_and_in_no_line_of_the_log(
    scene: Scene, owner: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    await walk(scene.walker("citizen", scene.adult.token, scene.adult))
    async with owner.transaction() as tx:
        names = [
            row[0] for row in await tx.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ]
        found = {
            name
            for name in names
            if await tx.fetchval(f"SELECT EXISTS (SELECT FROM {name} t WHERE t::text LIKE '%{MARK}%')")
        }
    assert found == {"ehr_cost"}
    out = capsys.readouterr()
    assert "/v1/me/costs" in out.out + out.err
    assert not tells(out.out + out.err)


async def test_costs_no_other_role_of_the_database_reads_the_table(owner: Store) -> None:
    async with owner.transaction() as tx:
        readers = {
            role
            for role in ("hb_api", "hb_delivery", "hb_stats", "hb_backup")
            if await tx.fetchval("SELECT has_table_privilege($1, 'ehr_cost', 'SELECT')", role)
        }
    assert readers == {"hb_api", "hb_backup"}


def test_costs_the_marks_would_be_seen_however_a_number_is_written() -> None:
    number = f"{MARK}15"
    for written in (number, "864.209.753.115", "864,209,753,115", "864\u00a0209\u202f753 115"):
        assert tells(json.dumps({"x": written}, ensure_ascii=False))
