"""Forbidden content through every way in, then a look at every way out: nothing is left of it.

Each seed carries a mark of its own, so that what the gate stopped is told from words of the program. A new
way in joins WAYS_IN, a new way out joins WAYS_OUT.
"""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import httpx
import msgspec
import pytest
from msgspec import Struct

from ehr.core.fhir_http import CoreAddress, FhirCore
from ehr.core.refresh import refresh
from ehr.intake.files import import_paths
from ehr.intake.ids import resource_id
from ehr.statistics.models import ReportName
from healthbook.worker import Worker
from identity.models import Facility
from identity.sessions import open_client_session
from kernel.access import RECORD_TYPES
from notifications.delivery import Senders
from notifications.models import Outcome
from notifications.service import set_push_target
from store.database import Store
from store.fields import FieldSealError, unseal
from store.postgres import Server
from tests.ehr.intake.records import allergy, bundle
from tests.ehr.quarantine.test_units import conflicting
from tests.support import cda, phr831
from tests.support import packages as packages_of
from tests.support.actors import ROLES
from tests.support.bundles import rewrite_package, sample_package
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.fhir_core import TOKEN, long_budgets, running_peer
from tests.support.http import bearer, client_of
from tests.support.people import (
    Citizen,
    Doctor,
    Machine,
    make_citizen,
    make_doctor,
    make_facility,
    make_machine,
    renew_session,
    sign_in_again,
)
from tests.support.walk import Walker, walk

MARK = "kanari"
HARMLESS = "hoamai"
CODE = "01028"
# What says who the person is: a visit of somebody else would be no test of the gate.
PERSON = {"HO_TEN", "HO_TEN_NND", "SO_CCCD", "HO_TEN_CHA", "HO_TEN_ME"}
# A sample value with a space or a letter that no code has is a free text.
FREE = re.compile(r"[ \u0080-\uffff]")
SEARCHED = ("hiv", "HIV", "aids", "ma tuy", "ma túy", "mại dâm", "mai dam", "methadon", "arv", MARK, HARMLESS)
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
    system: Machine
    nurse: str
    doctor: Doctor
    citizen: Citizen
    folder: Path
    server: Server
    delivery: Store
    pushed: list[str] = []
    traces: list[str] = []
    harmless: list[str] = []
    known: dict[str, list[str]] = {}

    def mark(self) -> str:
        self.traces.append(f"{MARK}{len(self.traces):04d}")
        return self.traces[-1]

    async def owner_rows(self, sql: str) -> list[str]:
        async with self.owner.transaction() as tx:
            return [row[0] for row in await tx.fetch(sql)]

    def plain(self) -> str:
        """A word that the gate has nothing against: what shows content shows it."""
        self.harmless.append(f"{HARMLESS}{len(self.harmless):03d}")
        return self.harmless[-1]

    def date(self) -> str:
        """A day of the last century as a mark, in both spellings."""
        day = date(1931, 1, 1) + timedelta(days=37 * len(self.traces))
        self.traces += [f"{day:%Y%m%d}", day.isoformat()]
        return f"{day:%Y%m%d}"

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
    headers = bearer(world.system.token) | {"content-type": kind}
    answer = await world.client.post("/v1/facility/records", content=body, headers=headers)
    assert answer.status_code in (202, 422), answer.text


async def bundles(world: World) -> None:
    letter = {"contentType": "text/plain", "data": packed(f"Lời dặn {world.plain()}", 1)}
    paper = about("DocumentReference", "hd", status="current", content=[{"attachment": letter}])
    await by_http(world, bundle(world.citizen, allergy(world.plain()), paper, *telling_resources(world)))
    world.known["document_id"] = [
        resource_id(str(world.facility.facility_id), f"DocumentReference/{name}")
        for name in ("hd", "d0", "d1", "d2", "d9")
    ]


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


async def every_field_of_every_table(world: World) -> None:
    """Each free text of XML1–XML15 in the versions that have it; the tables of HIV care whole."""
    for version in packages_of.VERSIONS:
        for table in packages_of.fields(version):
            whose = {"XML1"} | ({table} - {"XML0"})
            row = packages_of.values(version, table)
            free = [name for name, text in row.items() if name not in PERSON and FREE.search(text)]
            telling = {name: f"HIV {world.mark()}" for name in free}
            await by_http(world, made_package(world, version, whose, {table: telling}), "application/xml")
    care = {name: world.date() for name in ("NGAYKD_HIV", "BDDT_ARV", "NGAY_BAT_DAU_DT_CTX")}
    await by_http(world, made_package(world, "3176", {"XML1", "XML15"}, {"XML15": care}), "application/xml")
    treated = f"<HSDT><MA_LK>X</MA_LK><GHI_CHU>{world.mark()}</GHI_CHU></HSDT>"
    xml6 = f"<CHITIEU_HOSOBENHANHIVAIDS><DSACH_HSDT>{treated}</DSACH_HSDT></CHITIEU_HOSOBENHANHIVAIDS>"
    part = f"<FILEHOSO><LOAIHOSO>XML6</LOAIHOSO><NOIDUNGFILE>{packed(xml6, 1)}</NOIDUNGFILE></FILEHOSO>"
    whole = made_package(world, "3176", {"XML1"}, {"XML1": {"GHI_CHU": world.plain()}})
    await by_http(world, whole.replace(b"</HOSO>", part.encode() + b"</HOSO>"), "application/xml")
    world.traces += [packed(xml6, 1), '"1.9"', "&lt;1.9"]
    paid = {"XML1": {"MA_DOITUONG_KCB": "1.9"}}
    await by_http(world, made_package(world, "3176", {"XML1"}, paid), "application/xml")


def made_package(world: World, version: str, tables: set[str], change: dict[str, dict[str, str]]) -> bytes:
    """A SYNTHETIC package of one visit of its own."""
    citizen, born = world.citizen, world.citizen.birth_date.replace("-", "")
    named = {"MA_LK": f"GATE.{len(world.traces)}", "MA_CSKCB": CODE}
    own = {
        "SO_CCCD": citizen.number,
        "HO_TEN": citizen.name,
        "NGAY_SINH": born if version == "4210" else born + "0000",
        "GIOI_TINH": "2",
        "MA_THE_BHYT": "",
        "MA_BN": citizen.number,
    }
    mother = {"SO_CCCD_NND": citizen.number, "HO_TEN_NND": citizen.name, "NGAYSINH_NND": born}
    every = {
        table: named
        | (own if table in ("XML0", "XML1") else {})
        | (own | {"NGAY_SINH": born} if table == "XML12" else {})
        | (mother if table == "XML9" else {})
        | change.get(table, {})
        for table in tables
    }
    made = packages_of.tables_of(version, sorted(tables), every)
    return packages_of.package(made, old=version == "4210", facility=CODE)


async def signed_files(world: World) -> None:
    """What stands in the place of a signature is kept as a block: it is no way round."""
    block = f"<CHUKYDONVI><X>nghiện ma túy {world.mark()}</X></CHUKYDONVI>"
    data = made_package(world, "3176", {"XML1"}, {})
    await by_http(world, data.replace(b"<CHUKYDONVI/>", block.encode()), "application/xml")
    signed = json.loads(bundle(world.citizen, allergy("Tôm", "a9")))
    signed["signature"] = {
        "type": [{"code": "1.2.840.10065.1.12.1.1", "display": f"HIV {world.mark()}"}],
        "when": "2026-11-20T00:00:00Z",
        "who": {"display": f"Phòng khám HIV {world.mark()}"},
        "data": world.hide("HIV", 1),
    }
    await by_http(world, json.dumps(signed).encode())


async def another_core(world: World) -> None:
    """Another FHIR server's resources: a real one on loopback, read by a refresh."""
    told = [one | {"id": f"core-{one['id']}"} for one in telling_resources(world)]
    told += [allergy(world.plain(), "core-a"), allergy(f"AIDS {world.mark()}", "core-b")]
    person = json.loads(bundle(world.citizen))["entry"][0]["resource"]
    place = world.folder.with_name("core")
    place.mkdir()
    with running_peer(place) as peer:
        await asyncio.to_thread(peer.put_many, [person, *told])
        core = FhirCore(CoreAddress(peer.base, "core:main", f"BV {world.plain()}", TOKEN), world.clock)
        assert await refresh(world.store, world.clock, core, world.citizen.patient_id, "background")
        await core.close()


async def facility_answers(world: World) -> None:
    """A facility's answer to a person is a form like any other."""
    listed = await world.client.get("/v1/me/encounters", headers=bearer(world.citizen.token))
    item = listed.json()["items"][0]["encounter"]["id"]
    case = {"kind": "correction", "item_id": item, "text": f"Sai ngày {world.plain()}"}
    made = await world.client.post("/v1/me/cases", json=case, headers=bearer(world.citizen.token))
    assert made.status_code == 201, made.text
    world.known["case_id"] = [made.json()["case_id"]]
    place = f"/v1/facility/cases/{made.json()['case_id']}"
    for act, text in (("reply", f"HIV {world.mark()}"), ("refuse", f"nghiện ma túy {world.mark()}")):
        answer = await world.client.post(
            f"{place}/{act}", json={"text": text}, headers=bearer(world.doctor.token)
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "case-invalid"), answer.text
    kind = await world.client.post(
        f"{place}/reply", json={"text": world.plain()}, headers=bearer(world.doctor.token)
    )
    assert kind.status_code == 200, kind.text


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
    told = {"LYDOKHAM": spelt(world)[0], "TENBENH": spelt(world)[9]}
    await by_http(world, phr831.sample(told, world.citizen).encode(), "application/xml")
    # LOAI 3 of DSYEUTO is drug use whatever its words are; 1 and 2 of the same list stay.
    body = phr831.sample({}, world.citizen)
    risk = f"<DSYEUTO><LOAI>3</LOAI><TENLOAI>{world.mark()}</TENLOAI><TRANGTHAI>1</TRANGTHAI></DSYEUTO>"
    assert "<DSYEUTO>" in body
    await by_http(world, body.replace("<DSYEUTO>", risk + "<DSYEUTO>", 1).encode(), "application/xml")
    free = [name for name in phr831_names() if name not in phr831.FIXED and not name.startswith(("MA", "SO"))]
    for some in (free[at : at + 12] for at in range(0, len(free), 12)):
        told = {name: f"HIV {world.mark()}" for name in some}
        await by_http(world, phr831.sample(told, world.citizen).encode(), "application/xml")
    last = {"TENBENH": world.plain()}
    await by_http(world, phr831.sample(last, world.citizen).encode(), "application/xml")


def phr831_names() -> list[str]:
    """Every element of the form that holds a text."""
    found = re.findall(r"<([A-Z0-9_]+)>SYNTHETIC ", phr831.sample())
    return sorted(set(found) - {"HOTEN"})


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
        "results": [
            {"kind": "laboratory", "name": texts[3], "value": "âm tính", "unit": "S/CO"},
            {"kind": "laboratory", "name": "Máu", "value": f"HIV {world.mark()}"},
            {"kind": "imaging", "name": "Phổi", "conclusion": f"AIDS {world.mark()}"},
            {"kind": "laboratory", "name": "Máu", "value": "1", "unit": f"HIV {world.mark()}"},
        ],
        "medications": [
            {"name": texts[13], "dosage": "1 viên/ngày"},
            {"name": "Thuốc", "strength": f"ARV {world.mark()}", "dosage": "1 viên/ngày"},
            {"name": "Thuốc", "dosage": f"uống như ARV {world.mark()}"},
            {"name": "Thuốc", "dosage": "1 viên/ngày", "instruction": f"lấy ở OPC HIV {world.mark()}"},
            {"name": "Thuốc", "dosage": "1 viên/ngày", "route": f"HIV {world.mark()}", "unit": "viên"},
        ],
        "allergies": [
            {"substance": f"nevirapin ARV {world.mark()}"},
            {"substance": "Phấn hoa", "reaction": f"HIV {world.mark()}"},
            {"substance": world.plain()},
        ],
        "immunizations": [
            {"vaccine": f"Thử HIV {world.mark()}", "given_at": "2025-10"},
            {"vaccine": "Cúm", "given_at": "2025-10", "lot_number": f"HIV {world.mark()}"},
        ],
        "procedures": [{"name": f"Tư vấn HIV {world.mark()}"}],
        "advice": texts[15],
    }
    body["encounter"] |= {"department": f"OPC HIV {world.mark()}", "visit_number": f"HIV-{world.mark()}"}
    harmless = body | {"encounter": {"kind": "outpatient", "started_at": "2026-11-19"}}
    for one in (body, harmless):
        await type_in(world, one)


async def type_in(world: World, body: dict[str, Any]) -> None:
    answer = await world.client.post("/v1/facility/entry/records", json=body, headers=bearer(world.nurse))
    assert answer.status_code in (201, 422), answer.text


async def by_command(world: World) -> None:
    """Files whose names tell, good and broken."""
    good = world.folder / f"hiv-{world.mark()}.json"
    good.write_bytes(bundle(world.citizen, allergy(world.plain(), "a7"), *telling_resources(world)))
    (world.folder / f"nghien ma tuy {world.mark()}.xml").write_bytes(f"<HIV-{world.mark()}/>".encode())
    report = await import_paths(world.store, world.clock, [world.folder])
    told = [unit.unit + str(unit.reasons) for file in report.files for unit in file.units]
    assert [text for text in told if MARK in text] == []


WAYS_IN: tuple[Callable[[World], Awaitable[None]], ...] = (
    bundles,
    quarantined_bundle,
    packages,
    every_field_of_every_table,
    signed_files,
    documents,
    forms_of_831,
    typed_in,
    another_core,
    facility_answers,
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


async def read_by(world: World, word: str, token: str, **more: Any) -> str:
    """Every GET of somebody, all pages, papers as text, attachments opened; a search answers with no word
    of the question."""
    walker = Walker(world.client, world.clock, word, token, known=dict(world.known), words=SEARCHED, **more)
    return "\n".join(f"{one.route} {one.text}" for one in await walk(walker))


async def the_person(world: World) -> str:
    token = await renew_session(world.store, world.clock, world.citizen)
    return await read_by(world, "citizen", token, person=world.citizen)


async def a_doctor_with_a_grant(world: World) -> str:
    await sign_in_again(world.store, world.clock, world.doctor)
    await granted(world.store, world.clock, world.doctor, world.citizen, types=RECORD_TYPES)
    return await read_by(world, "doctor", world.doctor.token, patients=[world.citizen.patient_id])


async def the_sender(world: World) -> str:
    """Receipts of all that was sent."""
    async with world.store.transaction() as tx:
        tokens = await open_client_session(tx, world.system.client_id, "facility-system", world.clock.now())
    return await read_by(world, "facility-system", tokens.access_token)


async def the_offices(world: World) -> str:
    """Quarantine and reviews, registry, cases, statistics as JSON and CSV, after the day's count."""
    texts: list[str] = []
    for role in ROLES:
        if role in ("doctor", "nurse", "pharmacist", "vaccinator"):
            continue
        staff = await make_doctor(world.store, world.clock, world.facility, role=role)
        reports = {"name": [f"{name}{end}" for name in get_args(ReportName) for end in ("", ".csv")]}
        walker = Walker(world.client, world.clock, role, staff.token, known=world.known | reports)
        texts += [one.text for one in await walk(walker)]
    return "\n".join(texts)


async def what_left_for_the_phone(world: World) -> str:
    """Pushes and messages, as the providers got them from the worker."""
    return "\n".join([*world.pushed, "push" if world.pushed else "nothing left"])


class Provider:
    """Takes every message and remembers it."""

    def __init__(self, got: list[str]) -> None:
        self.got = got

    async def send(self, what: Any) -> Any:
        self.got.append(repr(what) + msgspec.json.encode(what).decode())
        sent = Outcome(status="sent", message_id="1")
        return [sent] * len(what) if isinstance(what, list) else sent


async def work(world: World) -> None:
    """The worker until it is idle: events, messages, and the chores that are due by tomorrow."""
    provider = Provider(world.pushed)
    worker = Worker(world.store, world.delivery, Senders(provider, provider), world.clock)
    await worker.arm()
    for hours in (0, 20, 1):
        world.clock.advance(hours=hours)
        for _ in range(40):
            if not await worker.run_once():
                break


WAYS_OUT: tuple[Callable[[World], Awaitable[str]], ...] = (
    every_table,
    database_log,
    the_person,
    a_doctor_with_a_grant,
    the_sender,
    the_offices,
    what_left_for_the_phone,
)
# Ways out on which content is to be seen, so that a trace would be found there; the others show none.
CONTENT = (every_table, the_person, a_doctor_with_a_grant)


@pytest.fixture
async def world(
    store: Store, owner: Store, delivery: Store, clock: FrozenClock, tmp_path: Path, server: Server
) -> AsyncIterator[World]:
    facility = await make_facility(store, clock, code=CODE)
    machine, nurse, doctor = (
        await make_machine(store, clock, facility),
        await make_doctor(store, clock, facility, "nurse"),
        await make_doctor(store, clock, facility),
    )
    citizen = await make_citizen(store, clock)
    async with store.transaction() as tx:
        await set_push_target(tx, store.keys, citizen.actor, "fid", "fid-of-the-phone", clock.now())
    async with client_of(store, clock) as client:
        yield World(
            store=store,
            owner=owner,
            clock=clock,
            client=client,
            facility=facility,
            system=machine,
            nurse=nurse.token,
            doctor=doctor,
            citizen=citizen,
            folder=tmp_path,
            server=server,
            delivery=delivery,
        )


async def test_s17_nothing_of_what_the_gate_stops_is_left_anywhere(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    long_budgets(monkeypatch)
    for send in WAYS_IN:
        await send(world)
    await work(world)
    world.known["receipt_id"] = await world.owner_rows("SELECT receipt_id::text FROM ehr_receipt")
    for look in WAYS_OUT:
        text = (await look(world)).lower()
        assert [trace for trace in world.traces if trace.lower() in text] == [], look.__name__
        missing = [word for word in world.harmless if word.lower() not in text]
        assert missing == [] or look not in CONTENT, look.__name__
    assert world.pushed, "the worker sent something"
    output = "".join(capsys.readouterr()).lower()
    assert [trace for trace in world.traces if trace.lower() in output] == []
    counted = "SELECT reason FROM ehr_intake_count WHERE status = 'rejected'"
    assert await world.owner_rows(counted) == ["wrong-root"], "all but the broken file came to the gate"
    async with world.store.transaction() as tx:
        kept = await tx.fetchval(
            "SELECT count(*) FROM ehr_resource WHERE patient_id = $1 AND rtype = 'AllergyIntolerance'",
            world.citizen.patient_id,
        )
        waiting = await tx.fetchval("SELECT count(*) FROM ehr_quarantine WHERE kind = 'unit'")
        withheld = await tx.fetchval("SELECT sum(count) FROM ehr_intake_count WHERE status = 'withheld'")
    assert kept >= 2, "what is harmless of the same files is in the book"
    assert waiting >= 1
    assert withheld > len(WAYS_IN)
    assert json.dumps(world.traces).count(MARK) > 100


async def test_the_look_finds_what_is_there(world: World) -> None:
    """The dump would show a seed: in a document, and sealed in the quarantine."""
    await by_http(world, bundle(world.citizen, allergy(f"Penicillin {world.mark()}", "x1")))
    await by_http(world, conflicting(world.citizen, allergy(f"Latex {world.mark()}", "x2")))
    text = await every_table(world)
    assert all(trace in text for trace in world.traces)
