"""The operators' commands: who may vaccinate, issuing for many, taking back."""

import json
import os
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from healthbook import certificate_commands as commands
from healthbook.wiring import StartError
from kernel.clock import SystemClock
from store.database import Store
from store.postgres import Server
from tests.healthbook.conftest import installation, run_command
from tests.support.certifying import covid, days_ago, make_station, send
from tests.support.clock import FrozenClock
from tests.support.people import make_person
from tests.support.signing_process import RunningSigner, running_signer
from vaccination.certificates.ending import dcc_of, text_of
from vaccination.certificates.models import CertificateRow
from vaccination.certificates.queries import CERTIFICATES
from vaccination.hc1.cose import unpack
from vaccination.revocation.hashes import hashes_of
from vaccination.revocation.service import is_revoked

__all__ = ["installation"]

SIGNED = ("Nguyễn Văn Vận Hành", "cấp lần đầu")
COMMAND = ("--operator", SIGNED[0], "--reason", SIGNED[1])
PEOPLE = 10_000 if os.environ.get("HEALTHBOOK_COUNTS") == "full" else 60


def now_clock() -> FrozenClock:
    """The commands go by the machine's clock."""
    return FrozenClock(SystemClock().now())


async def certificates(store: Store, patient_id: UUID) -> list[CertificateRow]:
    async with store.transaction() as tx:
        return await CERTIFICATES.all(tx, patient_id)


async def test_everybodys_certificates_are_issued_once_with_a_count_of_what_was_not(
    server: Server, database: str, store: Store, owner: Store
) -> None:
    clock = now_clock()
    station, other = await make_station(store, clock), await make_station(store, clock, authorised=False)
    people = []
    for number in range(PEOPLE):
        # Of ten thousand made-up numbers two would be one.
        patient_id, _ = await make_person(store, clock, number=f"0791850{number:05d}")
        await send(store, clock, patient_id, station, covid("d", days_ago(clock, 3)))
        people.append(patient_id)
    unlucky, _ = await make_person(store, clock)
    await send(store, clock, unlucky, other, covid("d", days_ago(clock, 3)))
    moved: list[int] = []
    async with running_signer(server, database, owner, SystemClock()) as signer:
        counts = await commands.issue_all(store, signer, None, None, SIGNED, moved.append)
        assert counts == {"issued": PEOPLE, "no-authority": 1}
        assert sum(moved) >= PEOPLE + 1
        again = await commands.issue_all(store, signer, None, None, SIGNED, moved.append)
        assert again == {"had-one": PEOPLE, "no-authority": 1}
    numbers = set()
    for patient_id in people:
        (row,) = await certificates(store, patient_id)
        assert row.state == "valid"
        numbers.add(dcc_of(text_of(store.keys, row))["v"][0]["ci"])
    assert len(numbers) == PEOPLE
    assert await certificates(store, unlucky) == []


async def test_a_run_stops_where_the_signer_is_away_and_the_next_one_goes_on(
    server: Server, database: str, store: Store, owner: Store
) -> None:
    clock = now_clock()
    station = await make_station(store, clock)
    patient_id, _ = await make_person(store, clock)
    await send(store, clock, patient_id, station, covid("d", days_ago(clock, 3)))
    code = await _code(store, station.facility_id)
    async with running_signer(server, database, owner, SystemClock()) as signer:
        stopped = signer.client
    with pytest.raises(StartError, match="signer is away"):
        await commands.issue_all(store, stopped, code, None, SIGNED, lambda _: None)
    async with running_signer(server, database, owner, SystemClock()) as signer:
        counts = await commands.issue_all(store, signer, code, None, SIGNED, lambda _: None)
    assert counts == {"issued": 1}


async def test_an_operator_revokes_that_certificate_and_no_other(
    server: Server, database: str, store: Store, owner: Store
) -> None:
    clock = now_clock()
    station = await make_station(store, clock)
    patient_id, _ = await make_person(store, clock)
    rows = [covid("a", days_ago(clock, 20), number=1), covid("b", days_ago(clock, 3), number=2)]
    await send(store, clock, patient_id, station, *rows)
    code = await _code(store, station.facility_id)
    async with running_signer(server, database, owner, SystemClock()) as signer:
        await commands.issue_all(store, signer, code, None, SIGNED, lambda _: None)
        first, second = await certificates(store, patient_id)
        await commands.revoke_certificate(store, text_of(store.keys, first), SIGNED)
        assert [await _revoked(store, one, signer) for one in (first, second)] == [True, False]
        number = dcc_of(text_of(store.keys, second))["v"][0]["ci"]
        await commands.revoke_certificate(store, number, SIGNED)
        assert await _revoked(store, second, signer)
        for said in (number, "URN:UVCI:01:VN:NOBODYS#A", "HC1:???"):
            with pytest.raises(StartError):
                await commands.revoke_certificate(store, said, SIGNED)


async def _revoked(store: Store, row: CertificateRow, signer: RunningSigner) -> bool:
    text = text_of(store.keys, row)
    hashes = hashes_of("VN", dcc_of(text)["v"][0]["ci"], row.algorithm, unpack(text).signature)
    async with store.transaction() as tx:
        return await is_revoked(tx, signer.of("hc1").kid_text, hashes)


async def test_two_operators_confirm_the_late_doses_of_one_facility(
    server: Server, database: str, store: Store, owner: Store
) -> None:
    clock = now_clock()
    station, other = await make_station(store, clock), await make_station(store, clock)
    patient_id, _ = await make_person(store, clock)
    for place, days in ((station, 400), (other, 500)):
        await send(store, clock, patient_id, place, covid("d", days_ago(clock, days)))
    codes = [await _code(store, one.facility_id) for one in (station, other)]
    assert await commands.confirm_late_doses(store, codes[0], SIGNED, lambda _: None) == 1
    async with running_signer(server, database, owner, SystemClock()) as signer:
        made = [await commands.issue_all(store, signer, code, None, SIGNED, lambda _: None) for code in codes]
    assert made == [{"issued": 1}, {"back-dated": 1}]


async def test_a_name_that_an_operator_read_in_a_passport_wins_and_the_old_certificate_ends(
    server: Server, database: str, store: Store, owner: Store
) -> None:
    clock = now_clock()
    station = await make_station(store, clock)
    patient_id, _ = await make_person(store, clock, name="Y Bliă Niê")
    await send(store, clock, patient_id, station, covid("d", days_ago(clock, 3)))
    code = await _code(store, station.facility_id)
    async with running_signer(server, database, owner, SystemClock()) as signer:
        await commands.issue_all(store, signer, code, None, SIGNED, lambda _: None)
        await commands.set_passport_name(store, patient_id, "NIE", "Y-BLIA", SIGNED)
        (row,) = await certificates(store, patient_id)
        assert (row.state, row.end_reason) == ("replaced", "dose-changed")
        assert await _revoked(store, row, signer)


async def _code(store: Store, facility_id: UUID) -> str:
    async with store.transaction() as tx:
        code: str = await tx.fetchval("SELECT code FROM facility_code WHERE facility_id = $1", facility_id)
    return code


def test_the_command_line_writes_down_who_and_why_and_says_what_is_wrong(installation: Path) -> None:
    nobody = run_command(installation, "certificates", "authority", "79001", "--from", "2021-01-01")
    assert nobody.returncode == 2
    assert "--operator" in nobody.stderr
    unknown = run_command(
        installation, "certificates", "authority", "79001", "--from", "2021-01-01", *COMMAND
    )
    assert (unknown.returncode, "no facility" in unknown.stderr) == (2, True)
    none = run_command(installation, "certificates", "issue", *COMMAND)
    assert (none.returncode, json.loads(none.stdout)) == (0, {})
    alone = run_command(installation, "certificates", "confirm-doses", "79001", *COMMAND)
    assert (alone.returncode, "two people" in alone.stderr) == (2, True)
    stray = run_command(installation, "certificates", "revoke", "URN:UVCI:01:VN:NOBODYS#A", *COMMAND)
    assert (stray.returncode, "no certificate of ours" in stray.stderr) == (2, True)


async def test_periods_of_authority_do_not_overlap_and_end_once(store: Store) -> None:
    clock = now_clock()
    station = await make_station(store, clock)
    code = await _code(store, station.facility_id)
    with pytest.raises(StartError, match="already"):
        await commands.grant_authority(store, code, date(2022, 1, 1), None, SIGNED)
    for _ in range(2):
        await commands.end_authority(store, code, date(2025, 12, 31), SIGNED, lambda _: None)
    with pytest.raises(StartError, match="no authority"):
        await commands.end_authority(store, code, date(2026, 1, 1), SIGNED, lambda _: None)
    await commands.grant_authority(store, code, date(2026, 1, 1), date(2026, 1, 31), SIGNED)


async def test_s28_ending_an_authority_earlier_has_the_people_of_later_days_followed(store: Store) -> None:
    clock = now_clock()
    station = await make_station(store, clock)
    people = {}
    for days in (3, 20):
        people[days], _ = await make_person(store, clock)
        await send(store, clock, people[days], station, covid("d", days_ago(clock, days)))
    code, moved = await _code(store, station.facility_id), list[int]()
    last_day = date.fromisoformat(days_ago(clock, 10))
    await commands.end_authority(store, code, last_day, SIGNED, moved.append)
    async with store.transaction() as tx:
        told = await tx.fetch(
            "SELECT patient_id FROM outbox"
            " WHERE event = 'vaccination.authority-ended' AND patient_id = ANY ($1)",
            list(people.values()),
        )
    assert [row[0] for row in told] == [people[3]]
    assert sum(moved) >= len(people)
