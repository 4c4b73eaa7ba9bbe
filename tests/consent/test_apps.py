"""What a person lets partners and apps have, and what each of their requests gets of it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from consent import standing
from consent.approval import Signed
from consent.apps import service
from consent.apps.models import AppConsent
from consent.apps.policy import pairwise_subject
from consent.decision import decide, decide_app, decide_app_news, decide_connection
from healthbook.recovery.replay import REPLAY
from identity.app_clients import service as clients
from identity.app_clients import sessions
from identity.app_clients.models import AppClient, ChangedAppClient, EndedAppClient
from kernel.access import ALL_LABELS, Access, Actor, PartnerGroup, RecordType
from kernel.data_groups import types_of_groups
from kernel.problems import Refused
from store.blobs import BlobStore
from store.database import Store, Tx
from store.journal import JournalKind, Line
from store.keys import KeyRing
from store.postgres import Server
from tests.consent.test_presence import Recorder
from tests.support.clock import FrozenClock
from tests.support.family import sign
from tests.support.http import bearer, client_of
from tests.support.oauth import (
    app_tokens,
    client_by_id,
    entry,
    key_of,
    let_in,
    make_app,
    make_partner,
    public,
)
from tests.support.people import Citizen, make_citizen
from tests.support.registry import make_officers, merged
from tests.support.restored import Own, new_epoch, own_database

BOTH: frozenset[PartnerGroup] = frozenset({"administrative", "history"})
LIST = "/v1/me/connected-apps"


@pytest.fixture
async def own(
    server: Server, make_database: Callable[[], Awaitable[str]], keys: KeyRing, blobs: BlobStore
) -> AsyncIterator[Own]:
    async with own_database(server, make_database, keys, blobs) as both:
        yield both


async def partner_of(store: Store, clock: FrozenClock) -> AppClient:
    return await client_by_id(store, (await make_partner(store, clock)).client_id)


def actor_of(client: AppClient, reference: UUID | None = None) -> Actor:
    return Actor(kind="app", actor_id=client.client_id, name=client.name, reference=reference)


async def reads(
    store: Store,
    clock: FrozenClock,
    client: AppClient,
    reference: UUID,
    groups: frozenset[PartnerGroup] = frozenset(),
) -> Access | str:
    async with store.transaction() as tx:
        decided = await decide_app(tx, actor_of(client), reference, "read-by-app", clock.now(), groups=groups)
    return decided.problem.code if isinstance(decided, Refused) else decided


async def end(store: Store, clock: FrozenClock, citizen: Citizen, consent_id: UUID) -> Refused | None:
    async with store.transaction() as tx:
        access = await _may(tx, store, citizen, clock)
        return await service.end(tx, access, consent_id, trace_id="t", now=clock.now())


async def _may(tx: Tx, store: Store, citizen: Citizen, clock: FrozenClock) -> Access:
    decided = await decide(
        tx, citizen.actor, citizen.patient_id, "manage-grants", "PATRQT", clock.now(), keys=store.keys
    )
    assert isinstance(decided, Access)
    return decided


async def test_a_partner_reads_what_was_ticked_and_nothing_sensitive(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    client = await partner_of(store, clock)
    given = await let_in(store, clock, citizen, client, groups=BOTH)
    access = await reads(store, clock, client, given.reference, BOTH)
    assert isinstance(access, Access)
    assert (access.basis, access.basis_id, access.patient_id) == (
        "partner",
        given.consent_id,
        citizen.patient_id,
    )
    assert access.withheld_labels == ALL_LABELS
    assert access.types is not None
    assert "Immunization" in access.types
    assert "MedicationRequest" not in access.types
    assert not access.is_own
    assert await reads(store, clock, client, given.reference, BOTH | {"summary"}) == "beyond-consent"


async def test_s19_no_other_client_and_no_invented_reference_opens_anything_and_costs_the_same(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    client, other = await partner_of(store, clock), await partner_of(store, clock)
    given = await let_in(store, clock, citizen, client, groups=BOTH)
    ended = await let_in(store, clock, await make_citizen(store, clock), client, groups=BOTH)
    await end(store, clock, citizen, given.consent_id)
    lists = []
    for who, reference in ((client, given.reference), (other, ended.reference), (client, uuid4())):
        recorder = Recorder(store)
        assert await reads(recorder, clock, who, reference) == "no-access"
        lists.append(recorder.statements)
    assert len(lists[0]) >= 2
    assert lists[0] == lists[1] == lists[2]


async def test_an_end_counts_on_the_very_next_request_and_ends_the_tokens(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    client = await make_app(store, clock)
    given = await let_in(store, clock, citizen, client, types=frozenset({"Immunization"}))
    tokens = await app_tokens(store, clock, given)
    assert isinstance(await reads(store, clock, client, given.reference), Access)
    assert await end(store, clock, citizen, given.consent_id) is None
    assert await reads(store, clock, client, given.reference) == "no-access"
    async with store.transaction() as tx:
        assert await sessions.live(tx, tokens.access_token, clock.now()) is None
        assert tokens.refresh_token is not None
        assert await sessions.family_of(tx, client.client_id, tokens.refresh_token, clock.now()) is None
    assert await end(store, clock, citizen, given.consent_id) is None
    stranger = await make_citizen(store, clock)
    refused = await end(store, clock, stranger, given.consent_id)
    assert isinstance(refused, Refused)
    assert refused.problem.code == "connected-app-unknown"


async def test_whatever_a_consent_stands_on_is_read_anew(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    """The client, the consent's end, the person's state: each flipped with nothing that sweeps."""
    client = await partner_of(store, clock)
    citizen = await make_citizen(store, clock)
    given = await let_in(store, clock, citizen, client, groups=BOTH, days=30)
    for state, opens in (
        ("frozen", False),
        ("closed", False),
        ("erasing", False),
        ("merged", False),
        ("death-reported", True),
        ("active", True),
    ):
        async with owner.transaction() as tx:
            await tx.execute("UPDATE citizen SET state = $2 WHERE patient_id = $1", citizen.patient_id, state)
        assert (await reads(store, clock, client, given.reference) != "no-access") is opens, state
    clock.set(given.ends_at - timedelta(seconds=1))
    assert isinstance(await reads(store, clock, client, given.reference), Access)
    clock.advance(seconds=1)
    assert await reads(store, clock, client, given.reference) == "no-access"
    again = await let_in(store, clock, citizen, client, groups=BOTH)
    async with store.transaction() as tx:
        await clients.end(tx, EndedAppClient(client_id=client.client_id), clock.now())
    assert await reads(store, clock, client, again.reference) == "no-access"


async def test_a_newer_consent_to_the_same_client_ends_the_older_and_is_never_wider_by_it(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    client = await partner_of(store, clock)
    first = await let_in(store, clock, citizen, client, groups=BOTH)
    clock.advance(seconds=1)
    second = await let_in(store, clock, citizen, client, groups=frozenset({"summary"}))
    assert await reads(store, clock, client, first.reference) == "no-access"
    assert await reads(store, clock, client, second.reference, BOTH) == "beyond-consent"
    async with store.transaction() as tx:
        found = await service.list_of(tx, citizen.patient_id, ended=True)
    assert [(one.consent.consent_id, one.state(clock.now())) for one in found] == [
        (second.consent_id, "live"),
        (first.consent_id, "ended"),
    ]


async def test_a_client_is_given_no_more_than_its_entry_and_nothing_for_ever(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    client = await partner_of(store, clock)
    given = await let_in(store, clock, citizen, client, groups=BOTH, days=5000)
    assert given.ends_at == clock.now() + timedelta(days=365)
    with pytest.raises(AssertionError, match="nothing-to-grant"):
        await let_in(store, clock, citizen, client)
    with pytest.raises(AssertionError, match="nothing-to-grant"):
        await let_in(store, clock, citizen, client, groups=BOTH, days=0)
    app = await make_app(store, clock)
    types: frozenset[RecordType] = frozenset({"Immunization"})
    with pytest.raises(AssertionError, match="beyond-client"):
        await let_in(store, clock, citizen, app, groups=BOTH, types=types)


async def test_a_group_that_the_register_took_away_leaves_by_no_consent_that_stands(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    key = key_of()
    client = await client_by_id(store, (await make_partner(store, clock, jwks=public(key))).client_id)
    given = await let_in(store, clock, citizen, client, groups=BOTH)
    narrower = entry(jwks=public(key), groups_max=["administrative", "summary"])
    async with store.transaction() as tx:
        changed = ChangedAppClient(client_id=client.client_id, client=narrower)
        assert await clients.change(tx, changed, clock.now()) is None
    beyond: list[frozenset[PartnerGroup]] = [frozenset({"history"}), BOTH, frozenset({"summary"})]
    for groups in beyond:
        assert await reads(store, clock, client, given.reference, groups) == "beyond-consent"
    access = await reads(store, clock, client, given.reference, frozenset({"administrative"}))
    assert isinstance(access, Access)
    assert access.types == types_of_groups(["administrative"])
    async with store.transaction() as tx:
        news = await decide_app_news(tx, given, clock.now())
    assert news is not None
    assert news.types == types_of_groups(["administrative"])


async def test_the_artefact_is_signed_and_names_no_other_persons_client(
    store: Store, owner: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    client = await partner_of(store, clock)
    given = await let_in(store, clock, citizen, client, groups=BOTH)
    async with owner.transaction() as tx:
        text = await tx.fetchval("SELECT artefact FROM app_consent WHERE consent_id = $1", given.consent_id)
    key = store.keys.public_keys("consent-artefact")
    (kid,) = key
    opened = jws.deserialize_compact(text, ECKey.import_key(key[kid]), algorithms=["ES256"])  # type: ignore[arg-type]
    said = json.loads(opened.payload)
    assert opened.headers()["typ"] == "ssk-app-consent+jws"
    assert said["reference"] == str(given.reference)
    assert said["groups"] == sorted(BOTH)


async def test_what_a_client_calls_a_person_is_its_own_word(store: Store, clock: FrozenClock) -> None:
    one, other = uuid4(), uuid4()
    person, another = uuid4(), uuid4()
    subjects = {
        pairwise_subject(store.keys, client, whom) for client in (one, other) for whom in (person, another)
    }
    assert len(subjects) == 4
    assert pairwise_subject(store.keys, one, person) in subjects
    assert not [word for word in subjects if str(person) in word or person.hex in word]


async def test_who_is_under_fifteen_lets_no_app_in(store: Store, clock: FrozenClock) -> None:
    """±1 second around the birthday's midnight in Vietnam."""
    client = await partner_of(store, clock)
    youth = await make_citizen(store, clock, birth_date="2011-11-23")
    midnight = clock.now().replace(day=22, hour=17, minute=0)
    clock.set(midnight - timedelta(seconds=1))
    with pytest.raises(AssertionError, match="guardian-needed"):
        await let_in(store, clock, youth, client, groups=BOTH)
    clock.set(midnight)
    assert isinstance(await let_in(store, clock, youth, client, groups=BOTH), AppConsent)


async def test_a_device_on_probation_lets_nobody_in_and_ends_what_is_there_not(
    store: Store, clock: FrozenClock
) -> None:
    new = await make_citizen(store, clock, probation=True)
    with pytest.raises(AssertionError, match="device-on-probation"):
        await let_in(store, clock, new, await partner_of(store, clock), groups=BOTH)


async def test_who_signed_in_on_the_page_may_let_a_client_in_and_do_nothing_else(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    child = await make_citizen(store, clock, birth_date="2015-01-01")
    async with store.transaction() as tx:
        decided = await decide_connection(tx, store.keys, citizen.patient_id, 2, clock.now())
        assert isinstance(decided, Access)
        assert (decided.action, decided.is_own) == ("connect-app", True)
        for whom, code in ((child.patient_id, "guardian-needed"), (uuid4(), "no-access")):
            refused = await decide_connection(tx, store.keys, whom, 2, clock.now())
            assert isinstance(refused, Refused)
            assert refused.problem.code == code


async def test_no_actor_but_a_client_reads_by_an_apps_consent(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    client = await partner_of(store, clock)
    given = await let_in(store, clock, citizen, client, groups=BOTH)
    bound = actor_of(client, uuid4())
    async with store.transaction() as tx:
        for actor in (citizen.actor, bound, Actor(kind="facility-system", actor_id=client.client_id)):
            decided = await decide_app(tx, actor, given.reference, "read-by-app", clock.now())
            assert isinstance(decided, Refused)
        decided = await decide_app(tx, actor_of(client), given.reference, "read-summary", clock.now())
        assert isinstance(decided, Refused)
        asked = await decide(
            tx, actor_of(client), citizen.patient_id, "read-by-app", "PATRQT", clock.now(), keys=store.keys
        )
        assert isinstance(asked, Refused)


async def test_s12_consents_to_clients_are_held_after_a_restore_until_confirmed(
    own: Own, clock: FrozenClock
) -> None:
    store, owner = own
    citizen, client = await make_citizen(store, clock), await make_app(store, clock)
    given = await let_in(store, clock, citizen, client, types=frozenset({"Immunization"}))
    tokens = await app_tokens(store, clock, given)
    clock.advance(minutes=1)
    await new_epoch(owner, clock)
    clock.advance(seconds=1)
    assert await reads(store, clock, client, given.reference) == "no-access"
    async with store.transaction() as tx:
        assert await sessions.live(tx, tokens.access_token, clock.now()) is None
        assert tokens.refresh_token is not None
        assert await sessions.family_of(tx, client.client_id, tokens.refresh_token, clock.now()) is None
        (held,) = await service.list_of(tx, citizen.patient_id)
        assert held.state(clock.now()) == "held"
        assert [
            one.held for one in await standing.standing_of(tx, store.keys, citizen.patient_id, clock.now())
        ]
    await confirm_in_app(store, clock, citizen, given)
    assert isinstance(await reads(store, clock, client, given.reference), Access)


async def confirm_in_app(store: Store, clock: FrozenClock, citizen: Citizen, given: AppConsent) -> None:
    facts: dict[str, Any] = {
        "consent_id": str(given.consent_id),
        "client": str(given.client_id),
        "name": given.client_name,
        "groups": sorted(given.groups),
        "types": sorted(given.types),
        "scope": given.scope,
        "ends": int(given.ends_at.timestamp()),
    }
    by = await sign(citizen, "app-consent-confirm", facts, clock.now())
    signed = Signed(nonce=by.nonce, iat=by.iat, exp=by.exp, signature=by.signature)
    async with store.transaction() as tx:
        access = await decide(
            tx, citizen.actor, citizen.patient_id, "confirm-grants", "PATRQT", clock.now(), keys=store.keys
        )
        assert isinstance(access, Access)
        done = await service.confirm(
            tx, access, given.consent_id, signed, environment="test", trace_id="t", now=clock.now()
        )
    assert isinstance(done, AppConsent), done


async def test_s10_a_merge_holds_both_sides_consents_and_shows_nothing_of_the_other(
    store: Store, clock: FrozenClock
) -> None:
    one, other = await make_citizen(store, clock), await make_citizen(store, clock)
    client = await partner_of(store, clock)
    of_one = await let_in(store, clock, one, client, groups=BOTH)
    of_other = await let_in(store, clock, other, client, groups=BOTH)
    officers = await make_officers(store, clock)
    clock.advance(minutes=1)
    await merged(store, officers, one.patient_id, other.patient_id, clock.now())
    clock.advance(seconds=1)
    assert await reads(store, clock, client, of_one.reference) == "no-access"
    assert await reads(store, clock, client, of_other.reference) == "no-access"


async def test_s11_all_clients_stand_in_one_list_and_end_with_the_session_alone(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    partner, app = await partner_of(store, clock), await make_app(store, clock)
    first = await let_in(store, clock, citizen, partner, groups=BOTH)
    clock.advance(seconds=1)
    second = await let_in(store, clock, citizen, app, types=frozenset({"Immunization"}), scope="patient/*.rs")
    assert isinstance(await reads(store, clock, app, second.reference), Access)
    async with client_of(store, clock) as http:
        items = (await http.get(LIST, headers=bearer(citizen.token))).json()["items"]
        assert [(one["kind"], one["state"]) for one in items] == [("app", "live"), ("partner", "live")]
        assert items[0]["last_used_at"] is not None
        assert items[1]["last_used_at"] is None
        assert items[1]["groups"] == sorted(BOTH)
        assert "reference" not in items[0]
        seen = (await http.get("/v1/me/who-can-see-me", headers=bearer(citizen.token))).json()["items"]
        assert {one["id"] for one in seen if one["kind"] == "app"} == {
            str(first.consent_id),
            str(second.consent_id),
        }
        gone = await http.delete(f"{LIST}/{first.consent_id}", headers=bearer(citizen.token))
        assert gone.status_code == 204
        assert await reads(store, clock, partner, first.reference) == "no-access"
        assert isinstance(await reads(store, clock, app, second.reference), Access)
        stranger = await make_citizen(store, clock)
        for path in (f"{LIST}/{second.consent_id}", f"{LIST}/{uuid4()}"):
            refused = await http.delete(path, headers=bearer(stranger.token))
            assert (refused.status_code, refused.json()["code"]) == (404, "connected-app-unknown")
        assert (await http.delete(LIST, headers=bearer(citizen.token))).status_code == 204
        assert await reads(store, clock, app, second.reference) == "no-access"
        log = (await http.get("/v1/me/access-log", headers=bearer(citizen.token))).text
        assert "consent:app:connect" in log
        assert "consent:app:end" in log


async def test_ending_everything_ends_the_clients_too(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    partner = await partner_of(store, clock)
    given = await let_in(store, clock, citizen, partner, groups=BOTH)
    async with client_of(store, clock) as http:
        done = await http.post("/v1/me/who-can-see-me/end-all", headers=bearer(citizen.token))
        assert done.status_code == 204
    assert await reads(store, clock, partner, given.reference) == "no-access"


async def test_the_first_use_of_a_day_is_told_and_a_use_is_noted_once_a_minute(
    store: Store, owner: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    client = await partner_of(store, clock)
    given = await let_in(store, clock, citizen, client, groups=BOTH)

    async def told() -> int:
        async with owner.transaction() as tx:
            sql = "SELECT count(*) FROM outbox WHERE patient_id = $1 AND event = 'consent.app-used'"
            return int(await tx.fetchval(sql, citizen.patient_id))

    for _ in range(3):
        assert isinstance(await reads(store, clock, client, given.reference), Access)
    assert await told() == 1
    first = clock.now()
    clock.advance(seconds=59)
    await reads(store, clock, client, given.reference)
    async with store.transaction() as tx:
        (one,) = await service.list_of(tx, citizen.patient_id)
    assert one.consent.last_used_at == first
    clock.advance(days=1)
    await reads(store, clock, client, given.reference)
    assert await told() == 2


async def test_s12_an_end_of_a_client_or_its_consent_is_done_again(
    store: Store, clock: FrozenClock, citizen: Citizen
) -> None:
    """What the journal says of them, over a backup that knows neither end; once more changes nothing."""
    first, second = await partner_of(store, clock), await partner_of(store, clock)
    given = await let_in(store, clock, citizen, first, groups=BOTH)
    stays = await let_in(store, clock, citizen, second, groups=BOTH)
    lines: list[tuple[JournalKind, UUID, dict[str, str]]] = [
        ("app-end", citizen.patient_id, {"consent_id": str(given.consent_id)}),
        ("app-client-end", second.client_id, {"client_id": str(second.client_id)}),
    ]
    for kind, whose, ids in lines * 2:
        line = Line(at=clock.now(), ids=ids, kind=kind, patient_id=whose, prev="", seq=1)
        async with store.transaction() as tx:
            await REPLAY[kind](tx, line, clock.now())
    assert await reads(store, clock, first, given.reference) == "no-access"
    assert await reads(store, clock, second, stays.reference) == "no-access"
