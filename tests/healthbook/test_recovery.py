"""A backup comes back, and what was taken back since does not (security.md S12).

The backup is a copy of the database (CREATE DATABASE … TEMPLATE); restoring it is going on with the copy.
"""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner

from consent.grants.narrowing import narrow_grant
from consent.grants.policy import Narrower
from consent.rights import erasing, service
from consent.rights.service import CLOSE_TYP
from healthbook import dispatch
from healthbook.cli import main
from healthbook.recovery import replay
from healthbook.recovery.commands import recover_place
from healthbook.recovery.service import recover
from healthbook.settings import read_settings
from healthbook.wiring import Place, StartError
from identity import devices, sessions
from kernel.access import Access
from store.journal import JournalError, read_lines
from store.journal_files import DirectoryJournal
from store.key_life import destroy
from store.keys import KeyRing, add_key
from tests.consent.test_erasure import access_of, ask, left_of, lived, signed
from tests.support import consent as steps
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from tests.support.site import SIGNED, Site

WEEK = int(timedelta(days=7).total_seconds())


async def sign_in(site: Site, doctor: Doctor) -> None:
    async with site.own.store.transaction() as tx:
        opened = await sessions.open_staff_session(
            tx, doctor.practitioner_id, "practitioner", doctor.actor.practitioner_role_id, site.clock.now()
        )
    doctor.token = opened.access_token


async def let_in(site: Site) -> tuple[Citizen, Doctor, UUID]:
    store, clock = site.own.store, site.clock
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    grant = await steps.granted(store, clock, doctor, citizen, tier="A", duration_seconds=WEEK)
    return citizen, doctor, grant.grant_id


async def test_s12_a_revoked_grant_stays_revoked(site: Site) -> None:
    citizen, doctor, grant_id = await let_in(site)
    await site.work(citizen.patient_id)
    copy = await site.backup()
    await steps.revoke(site.own.store, site.clock, citizen, grant_id)
    await site.work(citizen.patient_id)
    await site.restore(copy)
    assert await site.refuses()
    site.clock.advance(minutes=10)
    done = await site.recover()
    assert (done.epoch, done.replayed, done.logs > 0) == (1, 1, True)
    assert not await site.refuses()
    ended = "SELECT count(*) FROM consent_grant WHERE grant_id = $1 AND end_reason = 'revoked'"
    assert await steps.count(site.own.owner, ended, grant_id) == 1
    await sign_in(site, doctor)
    assert await steps.read(site.own.store, site.clock, doctor, citizen.patient_id) == "no-access"


async def test_s12_a_grant_that_was_narrowed_does_not_come_back_wide(site: Site) -> None:
    """Held it would be, and one word of its person would open what was taken out."""
    citizen, _, grant_id = await let_in(site)
    await site.work(citizen.patient_id)
    copy = await site.backup()
    store, clock = site.own.store, site.clock
    access = await access_of(store, clock, citizen, "manage-grants")
    async with store.transaction() as tx:
        less = Narrower(types=frozenset({"Immunization"}))
        await narrow_grant(tx, store.keys, access, grant_id, less, trace_id=steps.TRACE, now=clock.now())
    await site.work(citizen.patient_id)
    await site.restore(copy)
    clock.advance(minutes=1)
    done = await site.recover()
    assert (done.replayed, done.held) == (1, 0)
    live = "SELECT count(*) FROM consent_grant WHERE patient_id = $1 AND ended_at IS NULL"
    assert await steps.count(site.own.owner, live, citizen.patient_id) == 0


async def test_s12_a_notice_that_fails_keeps_no_revocation_out_of_the_journal(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen, _, grant_id = await let_in(site)
    await site.work(citizen.patient_id)
    await steps.revoke(site.own.store, site.clock, citizen, grant_id)

    async def fail(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(dispatch.HANDLERS["consent.revoked"], "say", fail)
    await site.work(citizen.patient_id)
    assert [line.kind async for line, _ in read_lines(site.files, 0)] == ["revoke"]
    told = "SELECT count(*) FROM notification WHERE patient_id = $1 AND type = 'consent-ended'"
    assert await steps.count(site.own.owner, told, citizen.patient_id) == 0
    monkeypatch.undo()
    await site.work(citizen.patient_id)
    assert await steps.count(site.own.owner, told, citizen.patient_id) == 1, "the notice came after"
    assert len([line async for line, _ in read_lines(site.files, 0)]) == 1


async def test_s12_a_grant_that_lived_at_the_recovery_point_is_held_and_said_so(site: Site) -> None:
    citizen, doctor, _ = await let_in(site)
    copy = await site.backup()
    await site.work(citizen.patient_id)
    await site.restore(copy)
    assert await site.refuses(), "nothing was taken back since, but the mark went on"
    site.clock.advance(minutes=10)
    done = await site.recover()
    assert (done.replayed, done.held) == (0, 1)
    await sign_in(site, doctor)
    assert await steps.read(site.own.store, site.clock, doctor, citizen.patient_id) == "no-access"


async def test_s12_sessions_rotated_tokens_and_codes_of_the_lost_time_are_refused(site: Site) -> None:
    store, clock = site.own.store, site.clock
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    request = await steps.asked(store, clock, doctor, citizen)
    async with store.transaction() as tx:
        await tx.execute(
            "INSERT INTO idempotency_key VALUES ($1, 'POST /x', 'k', '0001', '\\x00', 201, 'x', $2)",
            citizen.patient_id,
            clock.now(),
        )
    copy = await site.backup()
    await site.work()
    await site.restore(copy)
    clock.advance(minutes=1)
    await site.recover()
    store = site.own.store
    async with store.transaction() as tx:
        assert await sessions.authenticate(tx, citizen.token, clock.now()) is None
        assert await sessions.authenticate(tx, doctor.token, clock.now()) is None
    token, issued_at, signature = citizen.phone.sign_refresh(citizen.tokens, clock.now())
    async with store.transaction() as tx:
        refused = await sessions.refresh(tx, store.keys, token, issued_at, signature, clock.now())
    assert steps.code_of(refused) == "session-ended"
    assert await steps.count(site.own.owner, "SELECT count(*) FROM idempotency_key") == 0
    await sign_in(site, doctor)
    waiting = "SELECT count(*) FROM access_request WHERE request_id = $1 AND expires_at > $2"
    assert await steps.count(site.own.owner, waiting, request.request_id, clock.now()) == 0


async def test_s12_a_killed_device_stays_dead(site: Site) -> None:
    citizen = await make_citizen(site.own.store, site.clock)
    copy = await site.backup()
    async with site.own.store.transaction() as tx:
        assert citizen.actor.device_id is not None
        ended = await devices.end_device(
            tx, citizen.actor, citizen.actor.device_id, request_id=steps.TRACE, now=site.clock.now()
        )
    assert ended is None
    await site.work(citizen.patient_id)
    await site.restore(copy)
    site.clock.advance(minutes=1)
    await site.recover()
    live = "SELECT count(*) FROM device WHERE patient_id = $1 AND ended_at IS NULL"
    assert await steps.count(site.own.owner, live, citizen.patient_id) == 0


async def test_s12_a_closed_account_stays_closed(site: Site) -> None:
    store, clock = site.own.store, site.clock
    citizen = await make_citizen(store, clock)
    copy = await site.backup()
    store = site.own.store
    access = await access_of(store, clock, citizen, "close-account")
    async with store.transaction() as tx:
        act = signed(citizen, access, CLOSE_TYP, clock)
        await service.close_account(
            tx, access, act, environment=steps.ENVIRONMENT, trace_id=steps.TRACE, now=clock.now()
        )
    await site.work(citizen.patient_id)
    await site.restore(copy)
    clock.advance(minutes=1)
    await site.recover()
    state = "SELECT count(*) FROM citizen WHERE patient_id = $1 AND state = 'closed'"
    assert await steps.count(site.own.owner, state, citizen.patient_id) == 1


async def test_s12_an_erased_person_is_erased_again_and_nobody_else(site: Site) -> None:
    clock = site.clock
    gone = await lived(site.own.store, clock)
    stays = await lived(site.own.store, clock)
    patient_id = gone.citizen.patient_id
    copy = await site.backup()
    await ask(site.own.store, clock, gone.citizen)
    clock.advance(hours=72)
    for _ in range(3):
        await erasing.erase(site.own.store, clock, patient_id)
        await site.work()
    await site.restore(copy)
    assert await left_of(site.own.owner, patient_id)
    clock.advance(minutes=1)
    await site.recover()
    async with site.own.store.transaction() as tx:
        assert await sessions.authenticate(tx, gone.citizen.token, clock.now()) is None
    for _ in range(4):
        again = await erasing.erase(site.own.store, clock, patient_id)
        if again is None:
            break
        clock.advance(seconds=max(0, (again - clock.now()).total_seconds()))
        await site.work()
    assert await left_of(site.own.owner, patient_id) == {}
    assert (await left_of(site.own.owner, stays.citizen.patient_id))["ehr_resource.patient_id"] > 0


async def test_s12_each_log_has_the_mark_before_anything_else_is_written_there(site: Site) -> None:
    citizen, doctor, _ = await let_in(site)
    copy = await site.backup()
    assert isinstance(await steps.read(site.own.store, site.clock, doctor, citizen.patient_id), Access)
    await site.work()
    await site.restore(copy)
    kept = "SELECT max(seq) FROM access_log WHERE patient_id = $1"
    last = await steps.count(site.own.owner, kept, citizen.patient_id)
    site.clock.advance(minutes=1)
    await site.recover()
    async with site.own.owner.transaction() as tx:
        row = await tx.fetchrow(
            "SELECT seq, entry FROM access_log WHERE patient_id = $1 ORDER BY seq DESC LIMIT 1",
            citizen.patient_id,
        )
    assert row["seq"] == last + 1
    assert '"restore:log:recovered"' in row["entry"]
    marks = (
        "SELECT count(*) FROM audit_head h WHERE (SELECT count(*) FROM access_log l"
        " WHERE l.patient_id = h.patient_id AND l.entry LIKE '%restore:log:recovered%') <> 1"
    )
    assert await steps.count(site.own.owner, marks) == 0


@pytest.mark.parametrize("deaths", [1, 2, 3])
async def test_s12_a_recovery_that_is_killed_anywhere_goes_on_and_nothing_is_served_before(
    site: Site, monkeypatch: pytest.MonkeyPatch, deaths: int
) -> None:
    people = [await let_in(site) for _ in range(4)]
    copy = await site.backup()
    for citizen, _, grant_id in people:
        await steps.revoke(site.own.store, site.clock, citizen, grant_id)
        await site.work(citizen.patient_id)
    await site.restore(copy)
    site.clock.advance(minutes=1)
    kept, calls = replay.REPLAY["revoke"], 0

    async def die(*args: Any) -> None:
        nonlocal calls
        calls += 1
        await kept(*args)
        if calls == 2 * deaths:
            raise ConnectionError

    monkeypatch.setattr("healthbook.recovery.service.LINES_AT_ONCE", 2)
    monkeypatch.setattr("healthbook.recovery.service.LOGS_AT_ONCE", 3)
    monkeypatch.setitem(replay.REPLAY, "revoke", die)  # type: ignore[arg-type]
    died = False
    try:
        await site.recover()
    except ConnectionError:
        died = True
        assert await site.refuses()
    assert died == (deaths <= 2)
    done = await site.recover()
    if not died:
        assert done is None
    else:
        assert (done.epoch, done.replayed) == (1, 4)
    live = "SELECT count(*) FROM consent_grant WHERE ended_at IS NULL"
    assert await steps.count(site.own.owner, live) == 0
    marks = "SELECT count(*) FROM access_log WHERE entry LIKE '%restore:log:recovered%'"
    logs = await steps.count(site.own.owner, "SELECT count(*) FROM audit_head")
    assert await steps.count(site.own.owner, marks) == logs


async def test_s12_a_second_restore_starts_another_epoch_than_the_lost_one(site: Site) -> None:
    await make_citizen(site.own.store, site.clock)
    copy = await site.backup()
    await site.work()
    other = await site.backup()
    await site.work()
    await site.restore(copy)
    assert (await site.recover()).epoch == 1
    await site.work()
    await site.restore(other)
    assert await site.refuses()
    assert (await site.recover()).epoch == 2


async def test_s12_a_backup_without_its_journal_serves_nobody_before_everything_is_held(site: Site) -> None:
    """A new host, and the journal's directory lost with the old one or mistyped."""
    citizen, doctor, grant_id = await let_in(site)
    await site.work(citizen.patient_id)
    copy = await site.backup()
    await steps.revoke(site.own.store, site.clock, citizen, grant_id)
    await site.work(citizen.patient_id)
    await site.restore(copy)
    site.files = DirectoryJournal(site.files._root.parent / "another")
    assert await site.refuses()
    site.clock.advance(minutes=1)
    done = await site.recover()
    assert (done.epoch, done.held) == (1, 1)
    await sign_in(site, doctor)
    assert await steps.read(site.own.store, site.clock, doctor, citizen.patient_id) == "no-access"
    # The new journal goes on where the database was, and a later restore finds its lines.
    await site.work(citizen.patient_id)
    copy = await site.backup()
    await steps.revoke(site.own.store, site.clock, citizen, grant_id)
    await site.work(citizen.patient_id)
    await site.restore(copy)
    assert ((await site.recover()).epoch, await site.refuses()) == (2, False)
    ended = "SELECT count(*) FROM consent_grant WHERE grant_id = $1 AND end_reason = 'revoked'"
    assert await steps.count(site.own.owner, ended, grant_id) == 1


async def test_s12_a_recovery_asked_for_twice_begins_no_second_epoch_before_anybody_signed_in(
    site: Site,
) -> None:
    """Grants that were confirmed meanwhile would be held again."""
    _, doctor, _ = await let_in(site)
    copy = await site.backup()
    await site.work()
    await site.restore(copy)
    site.clock.advance(minutes=1)
    assert (await site.recover()).epoch == 1

    async def once_more(*, unless_unused: bool) -> int | None:
        site.clock.advance(minutes=1)
        owner, files, now = site.own.owner, site.files, site.clock.now()
        done = await recover(owner, files, SIGNED, now, forced=True, unless_unused=unless_unused)
        return None if done is None else done.epoch

    assert await once_more(unless_unused=True) is None
    assert await once_more(unless_unused=False) == 2
    await sign_in(site, doctor)
    assert await once_more(unless_unused=True) == 3


def place_of(site: Site) -> Place:
    names = {"DATABASE_URL": "hb_api", "DATABASE_OWNER_URL": "hb_owner"}
    addresses = {name: site.server.dsn(role, site.name) for name, role in names.items()}
    root = str(site.files._root)
    return Place(read_settings({"HEALTHBOOK_DATA": root, "HEALTHBOOK_JOURNAL": root, **addresses}), None)


async def test_s15_a_copy_from_before_a_look_up_key_was_destroyed_is_told(site: Site, tmp_path: Path) -> None:
    """Nobody would find its people, and nothing would say why."""
    await make_citizen(site.own.store, site.clock)
    copy = await site.backup()
    await site.work()
    await site.restore(copy)
    assert site.keys._directory is not None
    shutil.copytree(site.keys._directory, tmp_path / "keys")
    later = KeyRing.load(tmp_path / "keys")
    assert "look-up key" not in await recover_place(place_of(site), later, *SIGNED, forced=True)
    add_key(tmp_path / "keys", "lookup")
    destroy(tmp_path / "keys" / "lookup.0001.key")
    later.look()
    told = await recover_place(place_of(site), later, *SIGNED, forced=True)
    assert "stand under look-up key 0001" in told
    assert "healthbook admin rotate-lookup" in told


async def test_s12_an_operator_who_says_restored_learns_that_no_epoch_began(site: Site) -> None:
    """Files that were put back after a recovery look like that recovery. Taken for done, they would serve."""
    copy = await site.backup()
    await site.work()
    await site.restore(copy)
    await site.recover()
    place = place_of(site)

    async def say_restored(*, again: bool) -> str:
        return await recover_place(place, site.keys, *SIGNED, forced=True, unless_unused=not again)

    with pytest.raises(StartError, match=r"No epoch began: .* --restored --again"):
        await say_restored(again=False)
    assert "Epoch 2" in await say_restored(again=True)


async def test_s12_a_journal_that_was_tampered_with_is_not_replayed(site: Site) -> None:
    citizen, _, grant_id = await let_in(site)
    copy = await site.backup()
    await steps.revoke(site.own.store, site.clock, citizen, grant_id)
    await site.work(citizen.patient_id)
    for name in await site.files.names():
        path = site.files._root / name
        path.write_bytes(path.read_bytes().replace(b"revoke", b"unblok"))
    await site.restore(copy)
    with pytest.raises(JournalError):
        await site.recover()
    assert await site.refuses()


@pytest.mark.parametrize("words", [["--again"], ["--restored", "--promoted"], ["--again", "--promoted"]])
def test_a_recovery_of_two_minds_is_refused(words: list[str]) -> None:
    done = CliRunner().invoke(main, ["admin", "recover", *words, "--operator", "a + b", "--reason", "c"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert words[0] in done.stderr
