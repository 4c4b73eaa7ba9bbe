"""A certificate follows its dose: corrected, gone, or about to end; and its person is told once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from healthbook.certificate_jobs import certificate_jobs
from healthbook.worker import Worker
from kernel.clock import add_months, local_day
from kernel.problems import Refused
from notifications.delivery import Senders
from notifications.ports import RecordingPushSender, RecordingSmsSender
from store.database import Store
from store.postgres import Server
from tests.support.certifying import (
    CERTIFICATES,
    covid,
    days_ago,
    issued,
    listed,
    make_station,
    reasons,
    send,
    signed_in_again,
    text_of,
)
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen
from tests.support.record import our_id, own
from tests.support.signing_process import RunningSigner, running_signer
from vaccination.certificates import authority, issuing
from vaccination.certificates.ending import dcc_of
from vaccination.certificates.reading import judged_of
from vaccination.hc1.cose import unpack
from vaccination.revocation.hashes import hashes_of
from vaccination.revocation.service import is_revoked


@pytest.fixture
async def client(store: Store, clock: FrozenClock, signer: RunningSigner) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, signer=signer) as opened:
        yield opened


async def work(store: Store, delivery: Store, clock: FrozenClock, signer: RunningSigner | None) -> None:
    """The worker until nothing moves."""
    senders = Senders(RecordingPushSender(), RecordingSmsSender())
    worker = Worker(store, delivery, senders, clock, certificate_jobs(store, clock, signer))
    # A job that found no place comes again after two seconds.
    quiet = 0
    while quiet < 2:
        moved = await worker.run_once()
        await worker.outside_done()
        quiet = 0 if moved else quiet + 1
        clock.advance(seconds=0 if moved else 3)


async def notices(client: httpx.AsyncClient, token: str) -> list[str]:
    answer = await client.get("/v1/me/notifications", headers=bearer(token))
    return [one["type"] for one in answer.json()["items"] if one["type"].startswith("certificate")]


async def revoked(store: Store, text: str, kid: str) -> bool:
    parsed = unpack(text)
    number = dcc_of(text)["v"][0]["ci"]
    async with store.transaction() as tx:
        return await is_revoked(tx, kid, hashes_of("VN", number, -7, parsed.signature))


async def test_a_corrected_dose_revokes_its_certificate_and_makes_the_one_that_replaces_it(
    client: httpx.AsyncClient, store: Store, delivery: Store, clock: FrozenClock, signer: RunningSigner
) -> None:
    """DIVOC#534, cowin#475: corrected, and the old one is still downloaded and still verifies."""
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    dose, kid = our_id(station.name, "d"), signer.of("hc1").kid_text
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3), number=1))
    first = await issued(client, who.token, dose)
    old = await text_of(client, who.token, first["certificate_id"])
    assert not await revoked(store, old, kid)
    clock.advance(minutes=5)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3), number=2))
    await work(store, delivery, clock, signer)
    assert await revoked(store, old, kid)
    page = await listed(client, who.token)
    second = page["doses"][0]["certificate"]
    assert second["replaces"] == first["certificate_id"]
    (ended,) = page["ended"]
    assert (ended["state"], ended["end_reason"]) == ("replaced", "dose-changed")
    assert ended["replaced_by"] == second["certificate_id"]
    fresh = await text_of(client, who.token, second["certificate_id"])
    assert dcc_of(fresh)["v"][0]["dn"] == 2
    assert not await revoked(store, fresh, kid)
    gone = await client.get(f"{CERTIFICATES}/{first['certificate_id']}/text", headers=bearer(who.token))
    assert gone.json()["code"] == "certificate-not-found"
    assert await notices(client, who.token) == ["certificate-changed"]


async def test_a_resend_that_changes_nothing_of_the_certificate_leaves_it(
    client: httpx.AsyncClient, store: Store, delivery: Store, clock: FrozenClock, signer: RunningSigner
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    dose = our_id(station.name, "d")
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3)))
    first = await issued(client, who.token, dose)
    note = covid("d", days_ago(clock, 3), lotNumber="L-other")
    await send(store, clock, who.patient_id, station, note)
    await work(store, delivery, clock, signer)
    page = await listed(client, who.token)
    assert page["doses"][0]["certificate"]["certificate_id"] == first["certificate_id"]
    assert await notices(client, who.token) == []


async def test_a_dose_that_is_gone_takes_its_certificate_along_and_no_other(
    client: httpx.AsyncClient, store: Store, delivery: Store, clock: FrozenClock, signer: RunningSigner
) -> None:
    """DIVOC PR#862: the wrong dose was on the list. Two doses, one is taken back."""
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    kid = signer.of("hc1").kid_text
    rows = [covid("d1", days_ago(clock, 20), number=1), covid("d2", days_ago(clock, 3), number=2)]
    await send(store, clock, who.patient_id, station, *rows)
    texts = {}
    for name in ("d1", "d2"):
        made = await issued(client, who.token, our_id(station.name, name))
        texts[name] = await text_of(client, who.token, made["certificate_id"])
    await send(store, clock, who.patient_id, station, rows[1])
    await work(store, delivery, clock, signer)
    assert {name: await revoked(store, text, kid) for name, text in texts.items()} == {
        "d1": True,
        "d2": False,
    }
    (ended,) = (await listed(client, who.token))["ended"]
    assert (ended["state"], ended["end_reason"]) == ("revoked", "dose-gone")
    assert await notices(client, who.token) == ["certificate-changed"]


@pytest.mark.parametrize("worked", [False, True])
async def test_s28_what_is_taken_back_while_its_certificate_is_being_made_gets_none(
    client: httpx.AsyncClient,
    store: Store,
    delivery: Store,
    clock: FrozenClock,
    signer: RunningSigner,
    worked: bool,
) -> None:
    """Both ways round: the worker looked before the row of the certificate was there, and it never looked."""
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3)))
    dose = our_id(station.name, "d")
    async with store.transaction() as tx:
        judged = await judged_of(tx, own(who.patient_id), dose, clock.now())
        assert not isinstance(judged, Refused)
        begun = await issuing.begin(tx, store.keys, who.patient_id, judged, clock.now())
        assert isinstance(begun, issuing.ToSign)
        await send(store, clock, who.patient_id, station)
        if worked:
            await work(store, delivery, clock, signer)
    signature = await issuing.sign(signer, begun)
    async with store.transaction() as tx:
        made = await issuing.complete(tx, store.keys, begun, signature, clock.now())
    assert isinstance(made, Refused)
    assert made.problem.code == "certificate-being-made"
    page = await listed(client, who.token)
    assert (page["doses"], page["ended"]) == ([], [])


async def test_s28_a_correction_that_makes_a_dose_late_revokes_and_waits_for_the_second_account(
    client: httpx.AsyncClient, store: Store, delivery: Store, clock: FrozenClock, signer: RunningSigner
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    dose = our_id(station.name, "d")
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3)))
    first = await issued(client, who.token, dose)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 90)))
    await work(store, delivery, clock, signer)
    (found,) = (await listed(client, who.token))["doses"]
    assert (reasons(found), found["certificate"]) == ({"back-dated"}, None)
    (ended,) = (await listed(client, who.token))["ended"]
    assert (ended["certificate_id"], ended["state"]) == (first["certificate_id"], "revoked")


async def test_hiding_a_dose_from_everybody_revokes_nothing(
    client: httpx.AsyncClient, store: Store, delivery: Store, clock: FrozenClock, signer: RunningSigner
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    visit = {
        "resourceType": "Encounter",
        "id": "e",
        "status": "finished",
        "class": {"code": "AMB"},
        "period": {"start": days_ago(clock, 3)},
    }
    inside = {"encounter": {"reference": "Encounter/e"}}
    await send(store, clock, who.patient_id, station, visit, covid("d", days_ago(clock, 3), **inside))
    made = await issued(client, who.token, our_id(station.name, "d"))
    body = {"kind": "Encounter", "id": our_id(station.name, "e")}
    hidden = await client.post("/v1/me/hidings", headers=bearer(who.token), json=body)
    assert hidden.status_code == 201, hidden.text
    again = covid("d", days_ago(clock, 3), lotNumber="other", **inside)
    await send(store, clock, who.patient_id, station, visit, again)
    await work(store, delivery, clock, signer)
    assert await text_of(client, who.token, made["certificate_id"])


async def test_while_the_signer_is_away_a_replacement_waits_and_comes(
    client: httpx.AsyncClient, store: Store, delivery: Store, clock: FrozenClock, signer: RunningSigner
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3), number=1))
    await issued(client, who.token, our_id(station.name, "d"))
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3), number=2))
    for _ in range(3):
        await work(store, delivery, clock, None)
        assert (await listed(client, who.token))["doses"][0]["certificate"] is None
        clock.advance(minutes=2)
    await work(store, delivery, clock, signer)
    assert (await listed(client, who.token))["doses"][0]["certificate"] is not None


async def test_a_certificate_is_renewed_a_month_before_it_ends_and_the_old_one_holds_to_its_end(
    server: Server, database: str, store: Store, owner: Store, delivery: Store, clock: FrozenClock
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3)))
    begun = clock.now()
    async with running_signer(server, database, owner, clock) as signer:
        async with client_of(store, clock, signer=signer) as client:
            first = await issued(client, who.token, our_id(station.name, "d"))
            old = await text_of(client, who.token, first["certificate_id"])
        old_kid = signer.of("hc1").kid_text
    ends_on = add_months(local_day(begun), 12)
    assert first["expires_at"][:10] == ends_on.isoformat()
    clock.advance(days=(ends_on - local_day(begun)).days - 31)
    async with running_signer(server, database, owner, clock) as signer:
        await work(store, delivery, clock, signer)
        await signed_in_again(store, clock, who)
        async with client_of(store, clock, signer=signer) as client:
            assert (await listed(client, who.token))["ended"] == []
            clock.advance(days=1, minutes=1)
            await work(store, delivery, clock, signer)
            await signed_in_again(store, clock, who)
            page = await listed(client, who.token)
            fresh = page["doses"][0]["certificate"]
            assert fresh["replaces"] == first["certificate_id"]
            assert fresh["expires_at"] > first["expires_at"]
            (renewed,) = page["ended"]
            assert (renewed["state"], renewed["replaced_by"]) == ("renewed", fresh["certificate_id"])
            assert await text_of(client, who.token, first["certificate_id"]) == old
            assert not await revoked(store, old, old_kid)
            assert await notices(client, who.token) == ["certificate-renewed"]
            # A correction reaches the one that was renewed too: both would be accepted.
            await send(store, clock, who.patient_id, station)
            await work(store, delivery, clock, signer)
            assert await revoked(store, old, old_kid)
            assert await _states(owner, who.patient_id) == ["revoked", "revoked"]


async def _states(owner: Store, patient_id: UUID) -> list[str]:
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT state FROM vaccination_certificate WHERE patient_id = $1 ORDER BY begun_at", patient_id
        )
    return [row[0] for row in rows]


async def test_where_nothing_can_be_renewed_the_person_is_told_once(
    server: Server, database: str, store: Store, owner: Store, delivery: Store, clock: FrozenClock
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3)))
    async with (
        running_signer(server, database, owner, clock) as signer,
        client_of(store, clock, signer=signer) as client,
    ):
        await issued(client, who.token, our_id(station.name, "d"))
        async with owner.transaction() as tx:
            await tx.execute("UPDATE ehr_resource SET contested = true WHERE patient_id = $1", who.patient_id)
        clock.advance(days=340)
        for _ in range(3):
            await work(store, delivery, clock, signer)
            clock.advance(days=1, minutes=1)
        await signed_in_again(store, clock, who)
        assert await notices(client, who.token) == ["certificate-ending"]


async def test_while_the_signer_is_away_the_person_is_told_once_and_gets_another_one_when_it_is_back(
    server: Server, database: str, store: Store, owner: Store, delivery: Store, clock: FrozenClock
) -> None:
    """Also after the end of the one that was to be renewed."""
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3)))
    async with (
        running_signer(server, database, owner, clock) as signer,
        client_of(store, clock, signer=signer) as client,
    ):
        first = await issued(client, who.token, our_id(station.name, "d"))
    clock.advance(days=340)
    async with (
        running_signer(server, database, owner, clock) as signer,
        client_of(store, clock, signer=signer) as client,
    ):
        for _ in range(14):
            await work(store, delivery, clock, None)
            clock.advance(days=2)
        await signed_in_again(store, clock, who)
        (ended,) = (await listed(client, who.token))["ended"]
        assert (ended["certificate_id"], ended["state"]) == (first["certificate_id"], "expired")
        assert await notices(client, who.token) == ["certificate-ending"]
        await work(store, delivery, clock, signer)
        (dose,) = (await listed(client, who.token))["doses"]
        assert dose["certificate"]["replaces"] == first["certificate_id"]
        assert await notices(client, who.token) == ["certificate-renewed", "certificate-ending"]


async def test_s28_an_authority_that_ended_earlier_takes_the_certificates_of_later_days_along(
    client: httpx.AsyncClient, store: Store, delivery: Store, clock: FrozenClock, signer: RunningSigner
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    rows = [covid("d1", days_ago(clock, 20), number=1), covid("d2", days_ago(clock, 3), number=2)]
    await send(store, clock, who.patient_id, station, *rows)
    texts = []
    for name in ("d1", "d2"):
        made = await issued(client, who.token, our_id(station.name, name))
        texts.append(await text_of(client, who.token, made["certificate_id"]))
    card = {"book": "adult"}
    answer = await client.post("/v1/me/health-cards", headers=bearer(who.token), json=card)
    assert answer.status_code == 201, answer.text
    last_day = local_day(clock.now()) - timedelta(days=10)
    async with store.transaction() as tx:
        assert await authority.end(tx, station.facility_id, last_day)
        await authority.tell(tx, who.patient_id, station.facility_id, last_day, clock.now())
    await work(store, delivery, clock, signer)
    kid = signer.of("hc1").kid_text
    assert [await revoked(store, text, kid) for text in texts] == [False, True]
    page = await listed(client, who.token)
    assert [reasons(dose) for dose in page["doses"]] == [{"no-authority"}, set()]
    cards = await client.get("/v1/me/health-cards", headers=bearer(who.token))
    assert [one["state"] for one in cards.json()["ended"]] == ["revoked"]


async def test_a_certificate_ends_with_its_signers_certificate_where_that_comes_first(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, signer: RunningSigner
) -> None:
    """schema#61: the document outlived the key. The signer checks the same again."""
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3)))
    last = FrozenClock(clock.now()).advance(days=100)
    async with owner.transaction() as tx:
        await tx.execute("UPDATE document_signer SET not_after = $1 WHERE retired_at IS NULL", last)
    made = await issued(client, who.token, our_id(station.name, "d"))
    assert made["expires_at"] == last.isoformat().replace("+00:00", "Z")
