"""The machine is lost with its database, its files and what was on the way to the repository; another one
goes on as of an instant that somebody names (security.md S12). Prints how much was lost (RPO) and how long it
took (RTO).
"""

import asyncio
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from audit.export import Verdict, read_export, verify_export
from audit.roots.models import Pin
from identity import sessions
from store.postgres import start_server
from tests.anomaly.afterwards import look_back
from tests.anomaly.crowd import Crowd, crowd_at_work, made_crowd
from tests.anomaly.drill import BEFORE_SECONDS, WITHIN_SECONDS, Row
from tests.anomaly.installation import Installation
from tests.support import consent as steps
from tests.support import family
from tests.support.backups import BRING_BACK, Backups, Contents, contents
from tests.support.clock import FrozenClock
from tests.support.http import bearer
from tests.support.people import (
    Citizen,
    Doctor,
    make_citizen,
    make_doctor,
    make_facility,
)
from tests.support.service import environment

WEEK = int(timedelta(days=7).total_seconds())


@dataclass
class LetIn:
    """A person who let a doctor in."""

    citizen: Citizen
    doctor: Doctor
    grant_id: UUID

    @property
    def path(self) -> str:
        return f"/v1/doctor/patients/{self.citizen.patient_id}/allergies"


@dataclass
class Probe:
    """Measurements of one person, each with the instant it was acknowledged at."""

    citizen: Citizen
    acknowledged: list[tuple[UUID, datetime]] = field(default_factory=list)

    async def work(self, crowd: Crowd) -> None:
        async with crowd.client() as client:
            while not crowd.stop.is_set():
                now = datetime.now(UTC)
                one = {"id": str(uuid4()), "k": "heart-rate", "t": now.isoformat(), "v": 70, "u": "/min"}
                body = {"device": "probe", "seq": len(self.acknowledged) + 1, "sent_at": now.isoformat()}
                body |= {"sources": [{"app": "vn.example.watch", "kind": "watch"}], "samples": [one]}
                answer = await crowd.send(client, self.citizen, "POST", "/v1/me/vitals/batches", body)
                if answer is not None and answer.status_code == 200:
                    self.acknowledged.append((UUID(one["id"]), datetime.now(UTC)))
                await asyncio.sleep(0.02)


async def let_in(installation: Installation) -> LetIn:
    clock = FrozenClock(datetime.now(UTC))
    async with installation.opened("hb_api") as store:
        citizen = await make_citizen(store, clock)
        doctor = await make_doctor(store, clock, await make_facility(store, clock))
        grant = await steps.granted(store, clock, doctor, citizen, tier="A", duration_seconds=WEEK)
    return LetIn(citizen, doctor, grant.grant_id)


async def ask(base_url: str, who: Citizen | Doctor, method: str, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=base_url, timeout=20) as client:
        return await client.request(method, path, headers=bearer(who.token))


async def judged(base_url: str, citizen: Citizen, pin: Pin | None) -> Verdict:
    answer = await ask(base_url, citizen, "GET", "/v1/me/access-log/export")
    assert answer.status_code == 200, answer.text
    return verify_export(read_export([answer.content]), pin)


@contextmanager
def streaming(installation: Installation, root: Path) -> Iterator[Backups]:
    backups = Backups(root, environment(installation.data))
    backups.start()
    try:
        yield backups
    finally:
        backups.end(signal.SIGKILL)


@asynccontextmanager
async def lost_at_work(installation: Installation, probe_of: Citizen) -> AsyncIterator[Probe]:
    """Everybody works until the block ends, and is not looked after: their machine is gone then."""
    async with installation.opened("hb_api") as store:
        crowd = await made_crowd(store, installation.base_url)
    probe = Probe(probe_of)
    working = [asyncio.create_task(crowd.work()), asyncio.create_task(probe.work(crowd))]
    await crowd.started()
    try:
        yield probe
    finally:
        crowd.stop.set()
        await asyncio.gather(*working)


def lose(installation: Installation, backups: Backups) -> datetime:
    """kill -9 of everything, then the disk; keys and journal are on others. Returns when."""
    assert installation.service is not None
    assert backups.process is not None
    backups.process.kill()
    installation.kill_postgres()
    at = datetime.now(UTC)
    installation.service.kill()
    backups.process.wait(60)
    for name in ("postgres", "blobs", "backup-spool"):
        shutil.rmtree(installation.data / name, ignore_errors=True)
    return at


async def kept_ids(directory: Path, citizen: Citizen) -> set[UUID]:
    server = start_server(directory / "postgres")
    try:
        connection = await asyncpg.connect(server.dsn("hb_owner"))
        sql = "SELECT id FROM vital_sample WHERE patient_id = $1"
        found = {row[0] for row in await connection.fetch(sql, citizen.patient_id)}
        await connection.close()
        return found
    finally:
        server.stop()


async def all_that_there_is(
    backups: Backups, place: Path, probe: Probe, lost_at: datetime, beside: Path
) -> tuple[float, list[str]]:
    """Restore to the end, beside the installation: the RPO in seconds, and what must not be missing."""
    shutil.copytree(place / "journal", beside / "journal")
    where = {"HEALTHBOOK_DATA": str(beside), "HEALTHBOOK_KEYS": str(place / "keys")}
    backups.restore(**where)
    there, safe = await kept_ids(beside, probe.citizen), backups.safe_until
    assert safe is not None
    kept = [acked for one, acked in probe.acknowledged if one in there]
    missing = [acked for one, acked in probe.acknowledged if one not in there]
    assert len(kept) > 10, (len(kept), len(missing))
    lost = [f"measurement of {acked}, safe until {safe}" for acked in missing if acked < safe]
    return (lost_at - min(missing, default=lost_at)).total_seconds(), lost


async def differing(backups: Backups, before: Contents, at: datetime, beside: Path) -> list[str]:
    """Restore to the instant, beside the installation and without recovery. Returns tables that differ."""
    told = [sys.executable, "-c", BRING_BACK, str(backups.identity), at.isoformat()]
    await asyncio.to_thread(
        subprocess.run, told, env=backups.settings | {"HEALTHBOOK_DATA": str(beside)}, check=True, timeout=300
    )
    server = start_server(beside / "postgres")
    try:
        after = await contents(server.dsn("hb_owner"))
    finally:
        server.stop()
    assert len(before) > 200
    return [
        f"{table} differs" for table in before.keys() | after.keys() if before.get(table) != after.get(table)
    ]


async def still_open(installation: Installation, held: LetIn, taken_back: LetIn) -> list[str]:
    """What of an older epoch opens, and what was taken back."""
    wrong = []
    for who in (held.citizen, held.doctor, taken_back.citizen, taken_back.doctor):
        answer = await ask(installation.base_url, who, "GET", "/v1/me/allergies")
        if answer.status_code != 401:
            wrong.append(f"a session of before answers {answer.status_code}")
    clock = FrozenClock(datetime.now(UTC))
    for one in (held, taken_back):
        async with installation.opened("hb_api") as store, store.transaction() as tx:
            role = one.doctor.actor.practitioner_role_id
            opened = await sessions.open_staff_session(
                tx, one.doctor.practitioner_id, "practitioner", role, clock.now()
            )
            one.doctor.token = opened.access_token
        answer = await ask(installation.base_url, one.doctor, "GET", one.path)
        if answer.status_code != 403:
            wrong.append(f"a grant of before answers {answer.status_code}")
    ended = "SELECT end_reason FROM consent_grant WHERE grant_id = $1"
    if await installation.rows(ended, taken_back.grant_id) != [("revoked",)]:
        wrong.append("a grant that was taken back is not revoked")
    return wrong


async def gap_of(installation: Installation, citizen: Citizen, pin: Pin) -> list[tuple[int, int | None]]:
    async with installation.opened("hb_api") as store:
        await family.actor_now(store, FrozenClock(datetime.now(UTC)), citizen)
    verdict = await judged(installation.base_url, citizen, pin)
    assert verdict.broken is None, verdict.broken
    return [(gap.first, gap.last) for gap in verdict.gaps]


async def rows_of(installation: Installation, citizen: Citizen) -> int:
    sql = "SELECT max(seq) FROM access_log WHERE patient_id = $1"
    ((count,),) = await installation.rows(sql, citizen.patient_id)
    assert isinstance(count, int)
    return count


async def take_back(installation: Installation, one: LetIn) -> None:
    """Until it stands in the journal."""
    answer = await ask(installation.base_url, one.citizen, "DELETE", f"/v1/me/grants/{one.grant_id}")
    assert answer.status_code == 204, answer.text
    deadline = time.monotonic() + 60
    journal = installation.data / "journal"
    while not any(str(one.grant_id) in path.read_text() for path in journal.glob("*.ndjson")):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


@pytest.mark.drill
async def test_s12_a_lost_machine_comes_back_as_of_an_instant(
    installation: Installation, report: Callable[[Row], None], tmp_path: Path
) -> None:
    with streaming(installation, tmp_path / "backups") as backups:
        held, taken_back = await let_in(installation), await let_in(installation)
        async with crowd_at_work(installation) as crowd:
            await asyncio.sleep(BEFORE_SECONDS)
        assert (await ask(installation.base_url, held.doctor, "GET", held.path)).status_code == 200
        backups.wait_until_safe()
        installation.stop()
        before = await contents(installation.server.dsn("hb_owner"))
        known = await rows_of(installation, held.citizen)
        at = datetime.now(UTC)
        installation.start()
        await take_back(installation, taken_back)
        for _ in range(3):
            assert (await ask(installation.base_url, held.doctor, "GET", held.path)).status_code == 200
        pin = (await judged(installation.base_url, held.citizen, None)).pin
        assert pin is not None
        async with lost_at_work(installation, held.citizen) as probe:
            await asyncio.to_thread(backups.wait_until_safe)
            await asyncio.sleep(WITHIN_SECONDS)
            lost_at = lose(installation, backups)
    rpo, lost = await all_that_there_is(backups, installation.data, probe, lost_at, tmp_path / "end")
    wrong = await differing(backups, before, at, tmp_path / "then")
    began = time.monotonic()
    backups.restore("--to", at.isoformat())
    installation.start_postgres()
    installation.start()
    rto = time.monotonic() - began
    wrong += await still_open(installation, held, taken_back)
    gaps = await gap_of(installation, held.citizen, pin)
    wrong += [] if gaps == [(known + 1, pin.seq)] else [f"gaps {gaps}, not {known + 1} to {pin.seq}"]
    await look_back(installation, crowd)
    crowd.wrong += wrong
    crowd.lost += lost
    note = (
        f"RPO {rpo:.1f} s, RTO {rto:.1f} s; {len(before)} tables equal row for row; gap {known + 1}-{pin.seq}"
    )
    report(crowd.row("machine lost, back to an instant", [rto], note))
