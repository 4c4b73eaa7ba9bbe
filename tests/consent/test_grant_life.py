"""What becomes of a grant after it was given: narrowed, renewed, run out, taken back with others."""

import json
import secrets
from datetime import timedelta
from typing import Any

import pytest
import rfc8785
from fhir.resources.R4B.consent import Consent
from hypothesis import given
from hypothesis import strategies as st

from consent.approval import Signed
from consent.artefact import role_in
from consent.grants import prompts
from consent.grants import service as grants
from consent.grants.narrowing import narrow_grant
from consent.grants.policy import Narrower, RevokeBy, exceeds_grant, state_of
from consent.grants.queries import Proof
from consent.grants.renewal import Renewal, renew_grant, renewal_text
from consent.holds import held_of
from consent.models import Grant
from identity.models import Facility
from identity.practitioners import end_role
from kernel.access import ALL_LABELS, Access, Label
from kernel.problems import Refused
from store.database import Store
from tests.support import consent as steps
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility, sign_in_again
from tests.support.phone import base64url

People = tuple[Doctor, Citizen, Facility]
MONTH = 30 * 86400


async def narrow(
    store: Store, clock: FrozenClock, citizen: Citizen, grant: Grant, **less: Any
) -> Grant | Refused:
    async with store.transaction() as tx:
        access = await steps.own(tx, citizen, "manage-grants", clock.now())
        return await narrow_grant(
            tx, store.keys, access, grant.grant_id, Narrower(**less), trace_id=steps.TRACE, now=clock.now()
        )


async def narrowed(store: Store, clock: FrozenClock, citizen: Citizen, grant: Grant, **less: Any) -> Grant:
    version = await narrow(store, clock, citizen, grant, **less)
    assert isinstance(version, Grant), version
    return version


async def versions(store: Store, citizen: Citizen) -> list[Grant]:
    async with store.transaction() as tx:
        return await grants.grants_of_person(tx, citizen.patient_id, None, 50)


async def state(store: Store, clock: FrozenClock, grant: Grant) -> str:
    """As the person's list says it, read from the row."""
    async with store.transaction() as tx:
        row = await grants.grant_of_person(tx, grant.patient_id, grant.grant_id)
        assert isinstance(row, Grant)
        held = await held_of(tx, [row], clock.now())
    return state_of(row, held=row.grant_id in held, now=clock.now())


def renewal_for(citizen: Citizen, grant: Grant, clock: FrozenClock, **changes: Any) -> Renewal:
    """What the app sends: the whole of what is in force, unless `changes` say less or more."""
    instant = int(clock.now().timestamp())
    unsigned = Signed(nonce=base64url(secrets.token_bytes(16)), iat=instant, exp=instant + 120, signature="")
    fields: dict[str, Any] = {
        "types": frozenset(grant.types),
        "since": grant.since,
        "until": grant.until,
        "duration_seconds": int((grant.ends_at - grant.starts_at).total_seconds()),
    }
    draft = Renewal(**(fields | changes), signed=unsigned)
    text = rfc8785.dumps(renewal_text(citizen.actor, grant, draft, steps.ENVIRONMENT))
    signed = Signed(
        nonce=unsigned.nonce,
        iat=unsigned.iat,
        exp=unsigned.exp,
        signature=citizen.phone.step_up_key.sign(text),
    )
    return Renewal(**(fields | changes), signed=signed)


async def renew(
    store: Store, clock: FrozenClock, citizen: Citizen, grant: Grant, renewal: Renewal | None = None
) -> Grant | Refused:
    async with store.transaction() as tx:
        access = await steps.own(tx, citizen, "confirm-grants", clock.now(), store.keys)
        return await renew_grant(
            tx,
            store.keys,
            access,
            grant.grant_id,
            renewal or renewal_for(citizen, grant, clock),
            environment=steps.ENVIRONMENT,
            trace_id=steps.TRACE,
            now=clock.now(),
        )


async def long_grant(store: Store, clock: FrozenClock, people: People, **changes: Any) -> Grant:
    doctor, citizen, _ = people
    return await steps.granted(store, clock, doctor, citizen, duration_seconds=MONTH, **changes)


async def test_narrowing_takes_effect_on_the_next_read_and_makes_a_version(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    grant = await steps.granted(store, clock, doctor, citizen, tier="A", labels=Label.PSY)
    today = clock.now().date()
    version = await narrowed(
        store,
        clock,
        citizen,
        grant,
        types=frozenset({"Condition"}),
        since=today - timedelta(days=9),
        until=today,
        labels=Label.NONE,
        ends_at=clock.now() + timedelta(hours=1),
    )
    assert (version.version, version.supersedes) == (2, grant.grant_id)
    access = await steps.read(store, clock, doctor, citizen.patient_id)
    assert isinstance(access, Access)
    assert access.types == {"Condition"}
    assert (access.since, access.until) == (today - timedelta(days=9), today)
    assert access.withheld_labels == ALL_LABELS
    assert (access.basis_id, access.basis_version) == (version.grant_id, 2)
    clock.advance(hours=1)
    await sign_in_again(store, clock, doctor)
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"


async def test_the_old_artefact_stays_as_it_was_and_the_new_one_names_it(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    grant = await steps.granted(store, clock, doctor, citizen)
    async with store.transaction() as tx:
        before = await grants.proof_of_grant(tx, citizen.patient_id, grant.grant_id, clock.now())
    version = await narrowed(store, clock, citizen, grant, types=frozenset({"Condition"}))
    async with store.transaction() as tx:
        old = await grants.proof_of_grant(tx, citizen.patient_id, grant.grant_id, clock.now())
        new = await grants.proof_of_grant(tx, citizen.patient_id, version.grant_id, clock.now())
    assert isinstance(before, Proof)
    assert isinstance(old, Proof)
    assert isinstance(new, Proof)
    assert old.artefact == before.artefact
    assert role_in(new.artefact) == "doctor"
    for proof in (old, new):
        assert (
            Consent.model_validate_json(proof.fhir_consent).status == json.loads(proof.fhir_consent)["status"]
        )
    assert [json.loads(proof.fhir_consent)["status"] for proof in (before, old, new)] == [
        "active",
        "inactive",
        "active",
    ]


@pytest.mark.parametrize("what", ["types", "since", "until", "labels", "ends_at"])
async def test_nothing_can_be_made_wider(store: Store, clock: FrozenClock, people: People, what: str) -> None:
    doctor, citizen, _ = people
    today = clock.now().date()
    grant = await steps.granted(
        store, clock, doctor, citizen, types=frozenset({"Condition"}), since=today, until=today
    )
    wider = {
        "types": frozenset({"Condition", "Immunization"}),
        "since": today - timedelta(days=1),
        "until": today + timedelta(days=1),
        "labels": Label.HIV,
        "ends_at": grant.ends_at + timedelta(seconds=1),
    }[what]
    outcome = await narrow(store, clock, citizen, grant, **{what: wider})
    assert isinstance(outcome, Refused)
    assert (outcome.problem.code, outcome.where) == ("scope-exceeds-grant", what)
    assert len(await versions(store, citizen)) == 1


masks = st.integers(0, 255).map(Label)
some_types = st.frozensets(st.sampled_from(["Condition", "Immunization", "Procedure", "Device"]))


@given(some_types, some_types, masks, masks)
def test_what_narrowing_lets_through_lies_inside_the_grant(
    had: frozenset[Any], wanted: frozenset[Any], labels: Label, wanted_labels: Label
) -> None:
    grant = _grant(sorted(had), int(labels))
    fits = exceeds_grant(Narrower(types=wanted, labels=wanted_labels), grant) is None
    assert fits == (wanted <= had and wanted_labels & ~labels == 0)


async def test_a_repeat_of_a_narrowing_changes_nothing_and_an_old_version_stands_for_the_new(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    grant = await steps.granted(store, clock, doctor, citizen)
    first = await narrowed(store, clock, citizen, grant, types=frozenset({"Condition"}))
    assert await narrowed(store, clock, citizen, grant, types=frozenset({"Condition"})) == first
    assert len(await versions(store, citizen)) == 2
    assert await steps.revoke(store, clock, citizen, grant.grant_id) is None
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"


async def test_narrowing_lifts_no_hold(
    store: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    grant = await steps.granted(store, clock, doctor, citizen)
    clock.advance(minutes=1)
    async with owner.transaction() as tx:
        await tx.execute(
            "UPDATE account_credential SET reset_at = $2 WHERE actor_id = $1",
            doctor.practitioner_id,
            clock.now(),
        )
    clock.advance(minutes=1)
    version = await narrowed(store, clock, citizen, grant, types=frozenset({"Condition"}))
    assert await state(store, clock, version) == "held"
    assert await steps.read(store, clock, doctor, citizen.patient_id) == "no-access"


async def test_a_device_on_probation_may_narrow_and_renews_nothing(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, _, _ = people
    citizen = await make_citizen(store, clock, probation=True)
    grant = await steps.granted(store, clock, doctor, citizen)
    assert isinstance(await narrow(store, clock, citizen, grant, types=frozenset({"Condition"})), Grant)
    with pytest.raises(AssertionError, match="device-on-probation"):
        await renew(store, clock, citizen, grant)


async def test_how_a_grant_ended_is_told_apart(store: Store, clock: FrozenClock, people: People) -> None:
    doctor, citizen, facility = people
    superseded = await steps.granted(store, clock, doctor, citizen)
    cut = await steps.granted(store, clock, doctor, citizen)
    live = await narrowed(store, clock, citizen, cut, types=frozenset({"Condition"}))
    colleague = await make_doctor(store, clock, facility)
    revoked = await steps.granted(store, clock, colleague, citizen)
    await steps.revoke(store, clock, citizen, revoked.grant_id)
    seen = [await state(store, clock, one) for one in (superseded, cut, live, revoked)]
    assert seen == ["superseded", "narrowed", "live", "revoked"]
    clock.set(live.ends_at)
    assert await state(store, clock, live) == "expired"
    clock.advance(minutes=1)
    await steps.granted(store, clock, doctor, citizen)
    # Replaced a minute after it had run out: it ran out.
    assert await state(store, clock, live) == "expired"
    assert await state(store, clock, revoked) == "revoked"


@pytest.mark.parametrize(("by", "left"), [("doctor", 2), ("facility", 1), ("all", 0)])
async def test_all_of_a_doctor_a_facility_or_everybody_end_at_once(
    store: Store, clock: FrozenClock, people: People, by: RevokeBy, left: int
) -> None:
    doctor, citizen, facility = people
    elsewhere = await make_doctor(store, clock, await make_facility(store, clock))
    readers = [doctor, await make_doctor(store, clock, facility), elsewhere]
    given_ = [await steps.granted(store, clock, one, citizen) for one in readers]
    async with store.transaction() as tx:
        access = await steps.own(tx, citizen, "manage-grants", clock.now())
        like = given_[0].grant_id
        assert await grants.revoke_many(tx, access, like, by, trace_id=steps.TRACE, now=clock.now()) is None
    found = [await steps.read(store, clock, one, citizen.patient_id) for one in readers]
    assert sum(isinstance(one, Access) for one in found) == left
    assert found[0] == "no-access"


async def test_a_long_grant_is_renewed_without_a_new_visit(
    store: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    grant = await long_grant(store, clock, people, tier="A", labels=Label.PSY)
    clock.advance(days=28)
    await sign_in_again(store, clock, doctor)
    new = await renew(store, clock, citizen, grant)
    assert isinstance(new, Grant)
    assert (new.version, new.supersedes, new.tier) == (2, grant.grant_id, "A")
    assert new.starts_at == clock.now()
    assert new.ends_at == clock.now() + timedelta(seconds=MONTH)
    assert new.labels == 0
    access = await steps.read(store, clock, doctor, citizen.patient_id)
    assert isinstance(access, Access)
    assert access.basis_version == 2
    assert await state(store, clock, grant) == "superseded"


async def test_one_renewal_per_visit(store: Store, clock: FrozenClock, people: People) -> None:
    _, citizen, _ = people
    grant = await long_grant(store, clock, people)
    clock.advance(days=28)
    new = await renew(store, clock, citizen, grant)
    assert isinstance(new, Grant)
    clock.advance(days=1)
    assert steps.code_of(await renew(store, clock, citizen, new)) == "grant-not-renewable"


@pytest.mark.parametrize("how", ["short", "over", "revoked", "left", "remote"])
async def test_what_is_not_renewable(
    store: Store, owner: Store, clock: FrozenClock, people: People, how: str
) -> None:
    doctor, citizen, _ = people
    grant = await long_grant(store, clock, people)
    if how == "short":
        grant = await steps.granted(store, clock, doctor, citizen)
    if how == "over":
        clock.set(grant.ends_at)
    if how == "revoked":
        await steps.revoke(store, clock, citizen, grant.grant_id)
    if how == "left":
        async with store.transaction() as tx:
            await end_role(tx, doctor.practitioner_role_id, clock.now())
    if how == "remote":
        async with owner.transaction() as tx:
            await tx.execute(
                "UPDATE consent_grant SET presence = false WHERE patient_id = $1", citizen.patient_id
            )
    clock.advance(minutes=1)
    refused = await renew(store, clock, citizen, grant)
    assert steps.code_of(refused) == "grant-not-renewable"
    assert isinstance(refused, Refused)
    assert refused.where == ("duration_seconds" if how == "short" else None)


async def test_a_renewal_is_no_wider_or_longer_and_its_signature_names_the_choice(
    store: Store, clock: FrozenClock, people: People
) -> None:
    _, citizen, _ = people
    grant = await long_grant(store, clock, people, types=frozenset({"Condition"}))
    for changes in (
        {"types": frozenset({"Condition", "Immunization"})},
        {"duration_seconds": MONTH + 1},
    ):
        wider = renewal_for(citizen, grant, clock, **changes)
        assert steps.code_of(await renew(store, clock, citizen, grant, wider)) == "scope-exceeds-grant"
    signed = renewal_for(citizen, grant, clock, duration_seconds=86400)
    other = Renewal(types=signed.types, since=None, until=None, duration_seconds=MONTH, signed=signed.signed)
    assert steps.code_of(await renew(store, clock, citizen, grant, other)) == "step-up-refused"
    assert isinstance(await renew(store, clock, citizen, grant, signed), Grant)
    again = await renew(store, clock, citizen, grant, signed)
    assert isinstance(again, Refused)
    assert (again.problem.code, again.where) == ("grant-not-renewable", "version")


async def test_the_person_is_asked_72_hours_before_a_long_grant_ends(
    store: Store, owner: Store, clock: FrozenClock, people: People
) -> None:
    doctor, citizen, _ = people
    await steps.granted(store, clock, doctor, citizen)
    grant = await long_grant(store, clock, people)
    due = "SELECT count(*) FROM due_queue WHERE kind = 'grant-renewal' AND ref = $1 AND due_at = $2"
    ref = f"{citizen.patient_id}:{grant.grant_id}"
    assert await steps.count(owner, due, ref, grant.ends_at - timedelta(hours=72)) == 1
    all_of = "SELECT count(*) FROM due_queue WHERE kind = 'grant-renewal' AND ref LIKE $1 || '%'"
    assert await steps.count(owner, all_of, str(citizen.patient_id)) == 1
    clock.set(grant.ends_at - timedelta(hours=72))
    told = "SELECT count(*) FROM outbox WHERE patient_id = $1 AND event = 'consent.ending'"
    async with store.transaction() as tx:
        assert await prompts.prompt(tx, ref, clock.now()) is None
    assert await steps.count(owner, told, citizen.patient_id) == 1
    await steps.revoke(store, clock, citizen, grant.grant_id)
    async with store.transaction() as tx:
        await prompts.prompt(tx, ref, clock.now())
    assert await steps.count(owner, told, citizen.patient_id) == 1


def _grant(types: list[Any], labels: int) -> Grant:
    clock = FrozenClock()
    nobody = steps.UUID(int=0)
    return Grant(
        patient_id=nobody,
        grant_id=nobody,
        version=1,
        supersedes=None,
        request_id=nobody,
        practitioner_id=nobody,
        practitioner_name="",
        licence="",
        facility_id=nobody,
        facility_name="",
        purpose="TREAT",
        tier="A",
        presence=True,
        types=types,
        since=None,
        until=None,
        labels=labels,
        created_at=clock.now(),
        starts_at=clock.now(),
        ends_at=clock.now() + timedelta(days=1),
        ended_at=None,
        end_reason=None,
    )
