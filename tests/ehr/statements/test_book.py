"""Statements through all that a book goes through: merges, reverts, new views, papers, the feed, labels."""

from typing import Any
from uuid import UUID

import pytest
from msgspec import json as codec

from ehr.exports.papers import build_sheet
from ehr.intake.revert import revert_since
from ehr.reads import summary
from ehr.reads.models import Summary
from ehr.rebuild import rebuild_views
from ehr.statements import service, verdicts
from ehr.statements.models import StatementBody, StatementReceipt, VerdictBody
from kernel.access import Access, Action, Actor, mint_access
from kernel.problems import Refused
from store.database import Store
from tests.ehr.statements.test_statements import PENICILLIN, said, say
from tests.ehr.statements.test_verdicts import judge, met
from tests.support.clock import FrozenClock
from tests.support.emergency_card import lines, scan, tick, token_of
from tests.support.exports import pdf_pages
from tests.support.family import make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen
from tests.support.record import own
from tests.support.registry import make_officers, merged, separated

TRACE = "018f0000-0000-7000-8000-000000000000"
ALLERGY = StatementBody(kind="allergy", name="Penicillin")


def adding(patient_id: UUID, *origins: UUID, action: Action = "add-to-record") -> Access:
    return mint_access(
        patient_id=patient_id,
        actor=Actor(kind="citizen", actor_id=patient_id),
        action=action,
        purpose="PATRQT",
        basis="self",
        origins=frozenset(origins),
    )


async def stated(store: Store, access: Access, body: StatementBody, clock: FrozenClock) -> str:
    async with store.transaction() as tx:
        made = await service.say(tx, store.keys, access, body, request_id=TRACE, now=clock.now())
    assert isinstance(made, StatementReceipt), made
    return str(made.statement_id)


async def rows_of(store: Store, patient_id: UUID) -> list[tuple[Any, ...]]:
    async with store.transaction() as tx:
        found = await tx.fetch(
            """SELECT rtype, id, version, deleted, origin_patient_id, title, main_id FROM ehr_resource
            WHERE patient_id = $1 AND rtype IN ('AllergyIntolerance', 'VerificationResult')""",
            patient_id,
        )
    return sorted(tuple(row) for row in found)


async def test_s10_statements_go_with_a_merge_are_changed_in_their_place_and_come_back(
    store: Store, clock: FrozenClock
) -> None:
    one, other = await make_citizen(store, clock), await make_citizen(store, clock)
    ident = await stated(store, adding(one.patient_id), ALLERGY, clock)
    officers = await make_officers(store, clock)
    merge_id = await merged(store, officers, one.patient_id, other.patient_id, clock.now())
    async with store.transaction() as tx:
        unproven = await service.read(tx, adding(other.patient_id), clock.now())
        assert b"Penicillin" not in unproven.body
        proven = adding(other.patient_id, one.patient_id)
        assert b"Penicillin" in (await service.read(tx, proven, clock.now())).body
        changed = StatementBody(kind="allergy", name="Amoxicillin")
        done = await service.amend(tx, store.keys, proven, ident, changed, request_id=TRACE, now=clock.now())
        assert isinstance(done, StatementReceipt)
        assert done.version == 2
    assert await rows_of(store, other.patient_id) == [
        ("AllergyIntolerance", ident, 2, False, one.patient_id, "Amoxicillin", None)
    ]
    await separated(store, officers, merge_id, clock.now())
    assert await rows_of(store, one.patient_id) == [
        ("AllergyIntolerance", ident, 2, False, None, "Amoxicillin", None)
    ]
    assert await rows_of(store, other.patient_id) == []


async def test_s3_taking_back_what_a_doctor_wrote_takes_the_word_and_leaves_the_statement(
    store: Store, clock: FrozenClock
) -> None:
    citizen, doctor = await met(store, clock)
    start = clock.now()
    async with client_of(store, clock) as client:
        ident = (await say(client, citizen, PENICILLIN)).json()["statement_id"]
        assert (await judge(client, doctor, citizen, ident, "refuted")).status_code == 200
        done = await revert_since(store, clock, [str(doctor.actor.actor_id)], start)
        assert done.retracted == {"VerificationResult": 1}
        (left,) = await said(client, citizen)
    assert (left["version"], left["item"]["title"]) == (1, "Penicillin")
    assert "verdict" not in left["item"]


async def test_views_made_anew_say_the_same_of_who_declared(store: Store, clock: FrozenClock) -> None:
    citizen, doctor = await met(store, clock)
    async with client_of(store, clock) as client:
        ident = (await say(client, citizen, PENICILLIN)).json()["statement_id"]
        await judge(client, doctor, citizen, ident, "confirmed")
        before = await said(client, citizen)
        async with store.transaction() as tx:
            await tx.execute(
                "UPDATE ehr_resource SET item_version = 1 WHERE patient_id = $1", citizen.patient_id
            )
            assert await rebuild_views(tx, citizen.patient_id) == 3
        assert await said(client, citizen) == before


async def sheet_of(store: Store, access: Access, clock: FrozenClock) -> str:
    async with store.transaction() as tx:
        built = await summary.read(tx, store.keys, access, clock.now())
    paper = build_sheet(codec.decode(built.body, type=Summary), [], clock.now())
    return " ".join("".join(pdf_pages(paper.body)).split())


async def test_paper_says_who_declared_and_what_a_doctor_made_of_it(store: Store, clock: FrozenClock) -> None:
    citizen, doctor = await met(store, clock)
    for body in (ALLERGY, StatementBody(kind="blood-group", value="O+")):
        await stated(store, adding(citizen.patient_id), body, clock)
    text = await sheet_of(store, own(citizen.patient_id), clock)
    assert "tự khai, chưa có bác sĩ xác nhận" in text
    assert "Nhóm máu: O+ (tự khai, chưa có bác sĩ xác nhận)" in text
    async with client_of(store, clock) as client:
        listed = await said(client, citizen)
        ident = next(one["statement_id"] for one in listed if one["kind"] == "allergy")
        await judge(client, doctor, citizen, ident, "confirmed")
    assert "tự khai, bác sĩ xác nhận ngày" in await sheet_of(store, own(citizen.patient_id), clock)


async def test_the_change_feed_brings_a_statement_again_when_a_doctor_said_something(
    store: Store, clock: FrozenClock
) -> None:
    citizen, doctor = await met(store, clock)
    async with client_of(store, clock) as client:
        ident = (await say(client, citizen, PENICILLIN)).json()["statement_id"]
        first = (await client.get("/v1/me/changes", headers=bearer(citizen.token))).json()
        await judge(client, doctor, citizen, ident, "confirmed")
        page = await client.get(f"/v1/me/changes?since={first['cursor']}", headers=bearer(citizen.token))
    items = [one["item"] for one in page.json()["items"]]
    assert [(item["id"], item["verdict"]["outcome"]) for item in items] == [(ident, "confirmed")]


async def test_s23_what_carries_a_label_is_taken_from_a_proxy_and_not_shown_to_one(
    store: Store, clock: FrozenClock
) -> None:
    father, daughter = await make_citizen(store, clock), await make_citizen(store, clock)
    await make_proxy(store, clock, father, daughter, "read-record", "add-to-record")
    whose = {"X_Patient_Id": str(father.patient_id)}
    async with client_of(store, clock) as client:
        made = await say(client, daughter, {"kind": "disease", "name": "Trầm cảm"}, **whose)
        assert made.status_code == 201, made.text
        assert "Tr" not in made.text
        assert await said(client, daughter, **whose) == []
        assert [one["item"]["title"] for one in await said(client, father)] == ["Trầm cảm"]
        place = f"/v1/me/statements/{made.json()['statement_id']}/withdraw"
        headers = bearer(daughter.token) | {"X-Patient-Id": str(father.patient_id)}
        assert (await client.post(place, headers=headers)).json()["code"] == "statement-not-found"


@pytest.mark.parametrize("outcome", ["confirmed", "refuted"])
async def test_no_word_is_written_that_the_gate_stops(store: Store, clock: FrozenClock, outcome: Any) -> None:
    citizen, doctor = await met(store, clock)
    ident = await stated(store, adding(citizen.patient_id), ALLERGY, clock)
    access = mint_access(
        patient_id=citizen.patient_id,
        actor=doctor.actor,
        action="verify-statement",
        purpose="TREAT",
        basis="grant",
        basis_id=UUID(int=9),
        basis_version=1,
    )
    note = VerdictBody(outcome=outcome, version=1, note="Xét nghiệm HIV âm tính")
    async with store.transaction() as tx:
        done = await verdicts.judge(tx, access, ident, note, request_id=TRACE, now=clock.now())
    assert isinstance(done, Refused)
    assert done.problem.code == "statement-not-taken"
    assert [row[0] for row in await rows_of(store, citizen.patient_id)] == ["AllergyIntolerance"]


async def test_the_emergency_card_says_that_a_line_was_only_declared_and_leaves_out_what_was_refuted(
    store: Store, clock: FrozenClock
) -> None:
    citizen, doctor = await met(store, clock)
    group = StatementBody(kind="blood-group", value="O+")
    await stated(store, adding(citizen.patient_id), group, clock)
    ident = await stated(store, adding(citizen.patient_id), ALLERGY, clock)
    async with client_of(store, clock) as client:
        token = token_of(await tick(client, clock, citizen, "allergies", "blood-group"))
        shown = lines(await scan(client, token))
        assert shown["blood-group"] == ["Nhóm máu: O+ (tự khai, chưa có bác sĩ xác nhận)"]
        assert any("Penicillin" in line for line in shown["allergies"])
        await judge(client, doctor, citizen, ident, "refuted")
        assert lines(await scan(client, token))["allergies"] == []
