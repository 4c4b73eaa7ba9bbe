"""From a national system's file to a certificate: the facility that the file names gave the dose, and a
second account of it, or two operators for the file, say that it is true (security.md S28)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from healthbook import certificate_commands as commands
from healthbook.dose_commands import Lists, import_doses
from identity.models import Facility
from kernel.clock import SystemClock, local_day
from store.database import Store
from store.postgres import Server
from tests.support.certifying import CERTIFICATES, issued, listed, make_station, reasons, text_of
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor
from tests.support.signing_process import RunningSigner, running_signer
from tests.vaccination.first_fill.doses import COVID, dose, file_of, table, take

SIGNED = ("Nguyễn Văn Vận Hành", "nạp dữ liệu tiêm chủng lần đầu")
BOTH = ("Nguyễn Văn Vận Hành + Trần Thị Kiểm Tra", "đã kiểm tra cả tệp")
ASKED = "/v1/facility/vaccination-confirmations"


@pytest.fixture
async def client(store: Store, clock: FrozenClock, signer: RunningSigner) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, signer=signer) as opened:
        yield opened


async def code_of(store: Store, facility_id: UUID) -> str:
    async with store.transaction() as tx:
        code: str = await tx.fetchval("SELECT code FROM facility_code WHERE facility_id = $1", facility_id)
    return code


async def row(store: Store, who: Citizen, place: Facility | None, ident: str, day: str) -> dict[str, str]:
    code = await code_of(store, place.facility_id) if place else "99999"
    more = {"dose_id": ident, "facility_code": code, "given_on": day, "facility": f"Điểm tiêm {ident}"}
    return dose(who, vaccine="Comirnaty", dose_number=ident, **more)


async def told(client: httpx.AsyncClient, who: Citizen) -> dict[str, set[str]]:
    """Of each dose, by where the file says that it was given, why it has no certificate."""
    doses = (await listed(client, who.token))["doses"]
    assert all(one["text_vi"] and one["next_vi"] for each in doses for one in each["reasons"])
    return {each["facility_name"].removeprefix("Điểm tiêm "): reasons(each) for each in doses}


async def test_s28_a_dose_of_a_file_is_certified_once_two_operators_confirmed_it_and_verifies(
    server: Server, database: str, store: Store, owner: Store, tmp_path: Path
) -> None:
    clock = FrozenClock(SystemClock().now())
    who = await make_citizen(store, clock)
    station, other = await make_station(store, clock), await make_station(store, clock, authorised=False)
    code, fresh = await code_of(store, station.facility_id), local_day(clock.now()) - timedelta(days=3)
    rows = [
        await row(store, who, station, "1", "05/08/2021"),
        await row(store, who, station, "2", f"{fresh:%d/%m/%Y}"),
        await row(store, who, other, "3", "07/10/2021"),
        await row(store, who, None, "4", "08/11/2021"),
    ]
    path = file_of(tmp_path, table(rows))
    summary = await import_doses(
        store, path, COVID, None, Lists(), dry_run=False, again=False, signed=SIGNED, say=lambda _: None
    )
    assert summary.imported == 4
    waiting = {"3": {"no-authority", "passed-on"}, "4": {"facility-unknown"}}
    async with (
        running_signer(server, database, owner, SystemClock()) as signer,
        client_of(store, FrozenClock(SystemClock().now()), signer=signer) as client,
    ):
        assert await told(client, who) == waiting | {"1": {"passed-on"}, "2": {"passed-on"}}
        assert await issue(store, signer, code) == {"passed-on": 2}
        assert await commands.confirm_late_doses(store, code, BOTH, lambda _: None) == 2
        assert await commands.confirm_late_doses(store, code, BOTH, lambda _: None) == 0
        assert await told(client, who) == waiting | {"1": set(), "2": set()}
        assert await issue(store, signer, code) == {"issued": 2}
    async with client_of(store, FrozenClock(SystemClock().now() + timedelta(seconds=2))) as client:
        for one in (await listed(client, who.token))["doses"]:
            if one["eligible"]:
                text = await text_of(client, who.token, one["certificate"]["certificate_id"])
                assert await verdict(client, text) == "VERIFIED"


async def issue(store: Store, signer: RunningSigner, code: str) -> dict[str, int]:
    return dict(await commands.issue_all(store, signer, code, None, BOTH, lambda _: None))


async def verdict(client: httpx.AsyncClient, text: str) -> str:
    answer = await client.post("/v1/public/certificates/verify", json={"text": text})
    status: str = answer.json()["status"]
    return status


async def test_s28_or_once_an_account_of_the_facility_that_gave_it_confirms_what_its_person_asks_for(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    await take(
        store, clock, file_of(tmp_path, table([await row(store, who, station, "1", "05/08/2021")])), COVID
    )
    (one,) = (await listed(client, who.token))["doses"]
    body = {"immunization_id": one["immunization_id"]}
    refused = await client.post(CERTIFICATES, headers=bearer(who.token), json=body)
    assert refused.json()["code"] == "dose-not-eligible"
    nurse = await make_doctor(store, clock, station, role="vaccinator")
    (asked,) = (await client.get(ASKED, headers=bearer(nurse.token))).json()["items"]
    done = await client.post(f"{ASKED}/{asked['confirmation_id']}/confirm", headers=bearer(nurse.token))
    assert done.status_code == 204, done.text
    made = await issued(client, who.token, one["immunization_id"])
    assert await verdict(client, await text_of(client, who.token, made["certificate_id"])) == "VERIFIED"


async def test_the_book_names_the_place_as_written_who_gave_it_and_who_passed_it_on(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    rows = [await row(store, who, station, "1", "05/08/2021"), await row(store, who, None, "2", "06/09/2021")]
    rows[0]["facility"] = ""
    await take(store, clock, file_of(tmp_path, table(rows)), COVID)
    doses = (await client.get("/v1/me/vaccination", headers=bearer(who.token))).json()["doses"]
    assert [(one["is_passed_on"], one.get("facility_id"), one["facility_name"]) for one in doses] == [
        (True, None, "Điểm tiêm 2"),
        (True, str(station.facility_id), station.name),
    ]
    assert {one["source_name"] for one in doses} == {"Nền tảng quản lý tiêm chủng Covid-19"}


async def test_a_severe_reaction_to_a_dose_of_a_file_reaches_the_facility_that_gave_it(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    given = local_day(clock.now()) - timedelta(days=1)
    await take(
        store,
        clock,
        file_of(tmp_path, table([await row(store, who, station, "1", f"{given:%d/%m/%Y}")])),
        COVID,
    )
    (one,) = (await listed(client, who.token))["doses"]
    body = {"immunization_id": one["immunization_id"], "symptoms": [{"code": "breathing"}], "said": "severe"}
    made = await client.post("/v1/me/vaccination/reactions", headers=bearer(who.token), json=body)
    assert made.status_code == 201, made.text
    nurse = await make_doctor(store, clock, station, role="vaccinator")
    running = (await client.get("/v1/facility/vaccination/reactions", headers=bearer(nurse.token))).json()
    assert [(line["severity"], "due_at" in line) for line in running["items"]] == [("severe", True)]
