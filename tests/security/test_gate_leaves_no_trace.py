"""Forbidden content through every way in, then a look at every way out: nothing is left of it.

Each seed carries a mark of its own, so that what the gate stopped is told from words of the program. A new
way in joins WAYS_IN, a new way out joins WAYS_OUT.
"""

import base64
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from msgspec import Struct

from ehr.intake.files import import_paths
from identity.models import Facility
from store.database import Store
from store.fields import FieldSealError, unseal
from store.postgres import Server
from tests.ehr.intake.records import allergy, bundle
from tests.ehr.quarantine.test_units import conflicting
from tests.support import cda, phr831
from tests.support.actors import routes
from tests.support.bundles import rewrite_package, sample_package
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility, make_machine

MARK = "kanari"
PACKAGE = "giamdinhhs_ngoaitru_3176_SYNTHETIC.xml"


def packed(text: str, times: int) -> str:
    for _ in range(times):
        text = base64.b64encode(text.encode()).decode()
    return text


class World(Struct):
    """One sender's ways in, with the people and the marks of everything sent."""

    store: Store
    owner: Store
    clock: FrozenClock
    client: httpx.AsyncClient
    facility: Facility
    machine: str
    nurse: str
    citizen: Citizen
    folder: Path
    server: Server
    traces: list[str] = []

    def mark(self) -> str:
        self.traces.append(f"{MARK}{len(self.traces):04d}")
        return self.traces[-1]

    def hide(self, text: str, times: int) -> str:
        """Base64 of a marked text; the text so packed must not be left either."""
        made = packed(f"{text} {self.mark()}", times)
        self.traces.append(made)
        return made


def spelt(world: World) -> list[str]:
    """Names, negations and tricks, each with its mark."""
    words = (
        "HIV dương tính",
        "HIV âm tính",
        "H I V",
        "H1V",
        "h.i.v",
        "h\u200bi\u200bv",
        "НІV",
        "&amp;#72;IV",
        "AIDS",
        "nghiện ma túy",
        "NGHIỆN\u00a0MA TUÝ".replace("\u00a0", " "),
        "mại dâm",
        "Methadone 10mg",
        "Efav1renz",
        "TDF/3TC/DTG",
        "điều trị ARV",
        "ICD-10: B20",
    )
    return [f"{word} {world.mark()}" for word in words]


def about(rtype: str, ident: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": rtype, "id": ident, "subject": {"reference": "Patient/p1"}} | more


def telling_resources(world: World) -> list[dict[str, Any]]:
    """Every type that names something, told by code, by text and by attachment."""
    texts = spelt(world)
    said = [about("Observation", f"o{i}", status="final", code={"text": t}) for i, t in enumerate(texts)]
    said += [about("Condition", f"c{i}", code={"text": t}) for i, t in enumerate(texts)]
    said += [
        about("Procedure", f"p{i}", status="completed", code={"text": t}) for i, t in enumerate(texts[:4])
    ]
    coded = ("B20", "Z21", "F11.2", "BZ0", "Z72.2")
    said += [
        about("Condition", f"k{code}", code={"coding": [{"code": code}], "text": world.mark()})
        for code in coded
    ]
    order = {"status": "active", "intent": "order"}
    said += [
        about("MedicationRequest", "m1", **order, medicationCodeableConcept={"text": texts[12]}),
        about(
            "MedicationRequest",
            "m2",
            **order,
            medicationCodeableConcept={"text": "Dolute", "coding": [{"display": f"gravir {world.mark()}"}]},
        ),
        about("DiagnosticReport", "r1", status="final", code={"text": "Máu"}, conclusion=texts[0]),
        about(
            "Encounter",
            "e1",
            status="finished",
            **{"class": {"code": "AMB"}},
            reasonCode=[{"text": texts[1]}],
        ),
        about("Observation", "n1", status="final", code={"text": "Máu"}, note=[{"text": texts[5]}]),
        about(
            "Observation",
            "n2",
            status="final",
            code={"text": "Máu"},
            text={"status": "generated", "div": texts[3]},
        ),
    ]
    papers = [
        ("text/plain", world.hide("Kết quả HIV", 1)),
        ("text/plain", world.hide("Kết quả HIV", 3)),
        ("image/png", world.hide("HIV", 1)),
    ]
    said += [
        about(
            "DocumentReference",
            f"d{i}",
            status="current",
            content=[{"attachment": {"contentType": kind, "data": data}}],
        )
        for i, (kind, data) in enumerate(papers)
    ]
    named = {"contentType": "application/pdf", "title": f"hiv-{world.mark()}.pdf", "data": "JVBERi0xLjQK/w=="}
    said.append(about("DocumentReference", "d9", status="current", content=[{"attachment": named}]))
    return said


async def by_http(world: World, body: bytes, kind: str = "application/fhir+json") -> None:
    headers = bearer(world.machine) | {"content-type": kind}
    answer = await world.client.post("/v1/facility/records", content=body, headers=headers)
    assert answer.status_code in (202, 422), answer.text


async def bundles(world: World) -> None:
    await by_http(world, bundle(world.citizen, allergy(), *telling_resources(world)))


async def quarantined_bundle(world: World) -> None:
    await by_http(world, conflicting(world.citizen, allergy(), *telling_resources(world)))


async def packages(world: World) -> None:
    """Each free text of a package, and the tables of HIV care whole."""
    fields = ("CHAN_DOAN_RV", "TEN_THUOC", "TEN_CHI_SO", "DIEN_BIEN_LS", "GHI_CHU", "PP_DIEU_TRI", "DIA_CHI")
    for number, (field, text) in enumerate(zip(fields, spelt(world), strict=False)):
        data = rewrite_package(
            sample_package(PACKAGE), world.citizen, **{field: text.replace("&", ""), "MA_LK": f"LK{number}"}
        )
        await by_http(world, data, "application/xml")
    data = rewrite_package(sample_package(PACKAGE), world.citizen, MA_LK=f"HIV-{world.mark()}")
    await by_http(world, data, "application/xml")


async def documents(world: World) -> None:
    text = spelt(world)[0]
    problem = cda.PROBLEM.replace("Tăng huyết áp", text)
    body = cda.document(
        world.citizen,
        cda.section("11450-4", "Vấn đề", text, problem),
        cda.section("10164-2", "Bệnh sử", f"<paragraph>{spelt(world)[1]}</paragraph>"),
    )
    await by_http(world, body.encode(), "application/xml")


async def forms_of_831(world: World) -> None:
    body = phr831.sample({"LYDO": spelt(world)[0], "CHANDOANKETLUAN": spelt(world)[9]}, world.citizen)
    await by_http(world, body.encode(), "application/xml")


async def typed_in(world: World) -> None:
    texts = spelt(world)
    body = {
        "person": {
            "numbers": [{"kind": "national-id", "value": world.citizen.number}],
            "name": world.citizen.name,
            "birth_date": world.citizen.birth_date,
            "sex": world.citizen.sex,
        },
        "encounter": {"kind": "outpatient", "started_at": "2026-11-20", "reason": texts[0]},
        "diagnoses": [{"name": texts[9]}, {"name": world.mark(), "code": "B20"}],
        "results": [{"kind": "laboratory", "name": texts[3], "value": "âm tính", "unit": "S/CO"}],
        "medications": [{"name": texts[13], "dosage": "1 viên/ngày"}],
        "advice": texts[15],
    }
    answer = await world.client.post("/v1/facility/entry/records", json=body, headers=bearer(world.nurse))
    assert answer.status_code in (201, 422), answer.text


async def by_command(world: World) -> None:
    """Files whose names tell, good and broken."""
    good = world.folder / f"hiv-{world.mark()}.json"
    good.write_bytes(bundle(world.citizen, allergy("Latex", "a7"), *telling_resources(world)))
    (world.folder / f"nghien ma tuy {world.mark()}.xml").write_bytes(f"<HIV-{world.mark()}/>".encode())
    report = await import_paths(world.store, world.clock, [world.folder])
    told = [unit.unit + str(unit.reasons) for file in report.files for unit in file.units]
    assert [text for text in told if MARK in text] == []


WAYS_IN: tuple[Callable[[World], Awaitable[None]], ...] = (
    bundles,
    quarantined_bundle,
    packages,
    documents,
    forms_of_831,
    typed_in,
    by_command,
)


async def every_table(world: World) -> str:
    """All rows of all tables as text, and what of them we sealed, opened again."""
    found: list[str] = []
    async with world.owner.transaction() as tx:
        sql = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        for (table,) in await tx.fetch(sql):
            rows = await tx.fetch(f'SELECT * FROM "{table}"')
            found += [str(tuple(row.values())) for row in rows]
            found += [text for row in rows for text in opened(world, table, dict(row))]
    return "\n".join(found)


def opened(world: World, table: str, row: dict[str, Any]) -> Iterable[str]:
    owners = [row[key] for key in ("patient_id", "quarantine_id") if isinstance(row.get(key), UUID)]
    for column, value in row.items():
        for owner in owners if isinstance(value, bytes) else ():
            with suppress(FieldSealError, ValueError):
                yield unseal(world.store.keys, owner, table, column, value)
        if isinstance(value, bytes):
            yield value.decode("utf-8", "replace")


async def database_log(world: World) -> str:
    return world.server.log.read_text(errors="replace")


async def what_the_person_reads(world: World) -> str:
    """Every page and paper of the own book that is, or will be, searches included."""
    texts: list[str] = []
    for route in routes(demo=False):
        if route.method != "GET" or "citizen" not in route.actors or "{" in route.path:
            continue
        for word in ("hiv", "ma tuy", "kanari") if route.path.endswith("/search") else ("",):
            asked = {"q": word} if word else {}
            answer = await world.client.get(route.path, params=asked, headers=bearer(world.citizen.token))
            body = answer.content
            texts.append("\n".join([body.decode("latin-1"), *streams(body)]).replace(f'"{word}"', ""))
    return "\n".join(texts)


def streams(pdf: bytes) -> list[str]:
    """The compressed parts of a PDF as text."""
    found: list[str] = []
    for part in pdf.split(b"stream\n")[1:] if pdf.startswith(b"%PDF") else ():
        with suppress(zlib.error):
            found.append(zlib.decompressobj().decompress(part).decode("latin-1"))
    return found


WAYS_OUT: tuple[Callable[[World], Awaitable[str]], ...] = (every_table, database_log, what_the_person_reads)


@pytest.fixture
async def world(
    store: Store, owner: Store, clock: FrozenClock, tmp_path: Path, server: Server
) -> AsyncIterator[World]:
    facility = await make_facility(store, clock, code="01028")
    machine, nurse = (
        await make_machine(store, clock, facility),
        await make_doctor(store, clock, facility, "nurse"),
    )
    citizen = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        yield World(
            store, owner, clock, client, facility, machine.token, nurse.token, citizen, tmp_path, server
        )


async def test_s17_nothing_of_what_the_gate_stops_is_left_anywhere(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for send in WAYS_IN:
        await send(world)
    for look in WAYS_OUT:
        text = (await look(world)).lower()
        assert [trace for trace in world.traces if trace.lower() in text] == [], look.__name__
    output = "".join(capsys.readouterr()).lower()
    assert [trace for trace in world.traces if trace.lower() in output] == []
    async with world.store.transaction() as tx:
        kept = await tx.fetchval(
            "SELECT count(*) FROM ehr_resource WHERE patient_id = $1 AND rtype = 'AllergyIntolerance'",
            world.citizen.patient_id,
        )
        waiting = await tx.fetchval("SELECT count(*) FROM ehr_quarantine WHERE kind = 'unit'")
        withheld = await tx.fetchval("SELECT sum(count) FROM ehr_intake_count WHERE status = 'withheld'")
    assert kept >= 2, "what is harmless of the same files is in the book"
    assert waiting == 1
    assert withheld > len(WAYS_IN)
    assert json.dumps(world.traces).count(MARK) > 100


async def test_the_look_finds_what_is_there(world: World) -> None:
    """The dump would show a seed: in a document, and sealed in the quarantine."""
    await by_http(world, bundle(world.citizen, allergy(f"Penicillin {world.mark()}", "x1")))
    await by_http(world, conflicting(world.citizen, allergy(f"Latex {world.mark()}", "x2")))
    text = await every_table(world)
    assert all(trace in text for trace in world.traces)
