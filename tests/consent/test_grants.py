"""The life of a grant: four ways in, one way out, and the decision that re-reads it every time."""

import json
from datetime import timedelta

import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from consent.decision import decide
from consent.grants import service as grants
from consent.grants.queries import Proof
from consent.models import Grant
from consent.requests import service as requests
from consent.role_caps import role_cap
from identity.models import Facility
from identity.practitioners import end_role, suspend
from kernel.access import ALL_LABELS, Access, Label, Role
from kernel.problems import Refused
from store.database import Store
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility, sign_in_again

People = tuple[Doctor, Citizen, Facility]


async def test_no_grant_and_no_such_person_are_the_same_refusal(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, facility = people
    nobody = facility.facility_id
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"
    assert await steps.read(store, clock, doctor, nobody) == "no-access"


@pytest.mark.parametrize("tier", ["A", "B"])
async def test_an_approved_request_opens_exactly_what_was_granted(
    store: Store, clock: FrozenClock, people: People, tier: str
) -> None:
    doctor, citizen, _ = people
    grant = await steps.granted(store, clock, doctor, citizen, tier=tier)
    access = await steps.read(store, clock, doctor, citizen.patient_id)
    assert isinstance(access, Access)
    assert access.basis_id == grant.grant_id
    assert access.types == frozenset(grant.types)
    assert access.withheld_labels == ALL_LABELS
    assert grant.tier == tier
    assert grant.ends_at == clock.now() + timedelta(hours=24)


async def test_the_citizen_narrows_four_dimensions(store: Store, clock: FrozenClock, people: People) -> None:
    doctor, citizen, _ = people
    day = clock.now().date()
    grant = await steps.granted(
        store,
        clock,
        doctor,
        citizen,
        types=frozenset({"AllergyIntolerance"}),
        since=day - timedelta(days=30),
        until=day,
        duration_seconds=3600,
    )
    assert grant.types == ["AllergyIntolerance"]
    assert (grant.since, grant.until) == (day - timedelta(days=30), day)
    assert grant.ends_at == clock.now() + timedelta(hours=1)


async def test_a_choice_wider_than_the_request_is_refused(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen, types=frozenset({"Immunization"}))
    wider = await steps.approve(
        store, clock, doctor, citizen, request.request_id, types=frozenset({"Immunization", "Condition"})
    )
    assert steps.code_of(wider) == "scope-exceeds-request"
    longer = await steps.approve(
        store, clock, doctor, citizen, request.request_id, duration_seconds=7 * 86400
    )
    assert steps.code_of(longer) == "scope-exceeds-request"


async def test_a_revoked_grant_refuses_the_next_read_and_revoking_again_changes_nothing(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    grant = await steps.granted(store, clock, doctor, citizen)
    assert await steps.revoke(store, clock, citizen, grant.grant_id) is None
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"
    assert await steps.revoke(store, clock, citizen, grant.grant_id) is None
    async with store.transaction() as tx:
        listed = await grants.grants_of_practitioner(tx, doctor.actor, None, 50, clock.now())
    assert listed == []


async def test_nobody_revokes_another_persons_grant(store: Store, clock: FrozenClock, people: People) -> None:
    doctor, citizen, _ = people
    stranger = await make_citizen(store, clock)
    grant = await steps.granted(store, clock, doctor, citizen)
    assert steps.code_of(await steps.revoke(store, clock, stranger, grant.grant_id)) == "grant-unknown"
    assert isinstance(await steps.read(store, clock, doctor, citizen.patient_id), Access)


async def test_a_colleague_at_the_same_facility_reads_nothing(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, facility = people
    colleague = await make_doctor(store, clock, facility)
    await steps.granted(store, clock, doctor, citizen)
    assert await steps.read(store, clock, colleague, citizen.patient_id) == "no-access"


async def test_a_new_grant_supersedes_and_scopes_are_never_united(
    store: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    first = await steps.granted(store, clock, doctor, citizen, types=frozenset({"Condition"}))
    second = await steps.granted(store, clock, doctor, citizen, types=frozenset({"Immunization"}))
    access = await steps.read(store, clock, doctor, citizen.patient_id)
    assert isinstance(access, Access)
    assert access.types == frozenset({"Immunization"})
    assert (second.version, second.supersedes) == (2, first.grant_id)
    live = await steps.count(
        owner,
        "SELECT count(*) FROM consent_grant WHERE patient_id = $1 AND ended_at IS NULL",
        citizen.patient_id,
    )
    assert live == 1


async def test_a_grant_ends_by_the_clock_with_no_sweeper(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    await steps.granted(store, clock, doctor, citizen, duration_seconds=3600)
    clock.advance(seconds=3599)
    await sign_in_again(store, clock, doctor)
    assert isinstance(await steps.read(store, clock, doctor, citizen.patient_id), Access)
    clock.advance(seconds=1)
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"


async def test_a_suspended_licence_ends_reading_at_once(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    await steps.granted(store, clock, doctor, citizen)
    async with store.transaction() as tx:
        await suspend(tx, doctor.practitioner_id, clock.now())
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "signed-out"


async def test_a_doctor_who_left_the_facility_reads_nothing(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    await steps.granted(store, clock, doctor, citizen)
    async with store.transaction() as tx:
        await end_role(tx, doctor.practitioner_role_id, clock.now())
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "signed-out"


async def test_a_frozen_person_is_read_by_nobody(
    store: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    await steps.granted(store, clock, doctor, citizen)
    async with owner.transaction() as tx:
        await tx.execute("UPDATE citizen SET state = 'frozen' WHERE patient_id = $1", citizen.patient_id)
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"


@pytest.mark.parametrize("role", ["doctor", "pharmacist", "vaccinator"])
async def test_a_role_is_granted_its_cap_at_most(store: Store, clock: FrozenClock, role: Role) -> None:
    member = await make_doctor(store, clock, await make_facility(store, clock), role=role)
    citizen = await make_citizen(store, clock)
    grant = await steps.granted(store, clock, member, citizen)
    assert frozenset(grant.types) <= role_cap(role)
    refused = await steps.ask(store, clock, member, citizen, types=frozenset({"Procedure"}))
    assert steps.code_of(refused) == (None if role == "doctor" else "role-may-not-ask")


async def test_a_clerk_may_not_ask(store: Store, clock: FrozenClock) -> None:
    clerk = await make_doctor(store, clock, await make_facility(store, clock), role="clerk")
    citizen = await make_citizen(store, clock)
    assert steps.code_of(await steps.ask(store, clock, clerk, citizen)) == "role-may-not-ask"


async def test_labels_are_left_out_unless_ticked_and_signed(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    request = await steps.asked(store, clock, doctor, citizen)
    row = await steps.row_of(store, doctor, request.request_id)
    ticked = steps.approval_for(store, citizen, row, clock.now(), tier="A", labels=Label.PSY | Label.HIV)
    half = steps.approval_for(store, citizen, row, clock.now(), tier="A", labels=Label.PSY | Label.HIV)
    del half.label_signatures["HIV"]
    refused = await steps.send_approval(store, clock, citizen, request.request_id, half)
    assert steps.code_of(refused) == "step-up-refused"
    grant = await steps.send_approval(store, clock, citizen, request.request_id, ticked)
    assert isinstance(grant, Grant)
    access = await steps.read(store, clock, doctor, citizen.patient_id)
    assert isinstance(access, Access)
    assert access.withheld_labels == ALL_LABELS & ~(Label.PSY | Label.HIV)


async def test_the_artefact_is_signed_and_says_what_was_granted(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    grant = await steps.granted(store, clock, doctor, citizen)
    async with store.transaction() as tx:
        proof = await grants.proof_of_grant(tx, citizen.patient_id, grant.grant_id, clock.now())
    assert isinstance(proof, Proof)
    (public,) = store.keys.public_keys("consent-artefact").values()
    opened = jws.deserialize_compact(proof.artefact, ECKey.import_key(public), algorithms=["ES256"])
    said = json.loads(opened.payload)
    assert opened.headers()["typ"] == "ssk-consent+jws"
    assert said["types"] == sorted(grant.types)
    assert said["patient"] == str(citizen.patient_id)
    assert said["device_signature"]
    fhir = json.loads(proof.fhir_consent)
    assert fhir["resourceType"] == "Consent"
    assert fhir["provision"]["type"] == "permit"


async def test_the_person_lists_grants_newest_first(store: Store, clock: FrozenClock, people: People) -> None:
    doctor, citizen, _ = people
    first = await steps.granted(store, clock, doctor, citizen)
    clock.advance(minutes=1)
    second = await steps.granted(store, clock, doctor, citizen)
    async with store.transaction() as tx:
        listed = await grants.grants_of_person(tx, citizen.patient_id, None, 50)
        rest = await grants.grants_of_person(tx, citizen.patient_id, second.grant_id, 50)
    assert [one.grant_id for one in listed] == [second.grant_id, first.grant_id]
    assert [one.grant_id for one in rest] == [first.grant_id]
    assert listed[1].end_reason == "superseded"


async def test_a_report_ends_the_request_and_every_grant_of_that_doctor(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    await steps.granted(store, clock, doctor, citizen)
    request = await steps.asked(store, clock, doctor, citizen)
    async with store.transaction() as tx:
        outcome = await requests.report_request(
            tx,
            await steps.own(tx, citizen, "manage-grants", clock.now()),
            request.request_id,
            trace_id=steps.TRACE,
            now=clock.now(),
        )
    assert outcome is None
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"
    again = await steps.asked(store, clock, doctor, kind="national-id", value=citizen.number)
    assert (await steps.row_of(store, doctor, again.request_id)).delivery == "withheld"


async def test_s8_a_device_on_probation_reads_the_summary_and_grants_no_more_than_tier_d(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, _, _ = people
    citizen = await make_citizen(store, clock, probation=True)
    async with store.transaction() as tx:
        summary = await decide(tx, citizen.actor, citizen.patient_id, "read-summary", "PATRQT", clock.now())
        timeline = await decide(tx, citizen.actor, citizen.patient_id, "read-timeline", "PATRQT", clock.now())
    assert isinstance(summary, Access)
    assert summary.withheld_labels == ALL_LABELS
    assert isinstance(timeline, Refused)
    assert timeline.problem.code == "device-on-probation"
    async with store.transaction() as tx:
        log = await decide(tx, citizen.actor, citizen.patient_id, "read-access-log", "PATRQT", clock.now())
    assert steps.code_of(log) == "device-on-probation"
    grant = await steps.granted(
        store, clock, doctor, citizen, tier="A", duration_seconds=30 * 86400, labels=Label.PSY
    )
    assert grant.ends_at - grant.starts_at == timedelta(hours=24)
    assert grant.labels == 0
    assert grant.since is not None


async def test_a_citizen_opens_nobody_elses_book(store: Store, clock: FrozenClock, people: People) -> None:
    _, citizen, _ = people
    other = await make_citizen(store, clock)
    async with store.transaction() as tx:
        decided = await decide(tx, citizen.actor, other.patient_id, "read-summary", "PATRQT", clock.now())
    assert steps.code_of(decided) == "not-your-book"
