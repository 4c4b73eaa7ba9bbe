"""The register of clients, and families of their tokens."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

from healthbook.client_commands import clients_table
from identity import practitioners
from identity.app_clients import service, sessions
from identity.app_clients.models import (
    AppTokens,
    ChangedAppClient,
    EndedAppClient,
    NewAppClient,
    RefreshRow,
)
from identity.housekeeping.service import housekeeping
from identity.register import changes
from identity.register.changes import Applied, Change, ChangeKind
from identity.tokens import read_access_token
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.oauth import client_by_id, entry, key_of, make_app, make_partner, public
from tests.support.people import make_citizen, make_doctor, make_facility


def operator(clock: FrozenClock) -> Actor:
    return Actor(kind="operator", actor_id=uuid7(clock.now()), name="Người vận hành")


async def propose(
    store: Store, clock: FrozenClock, actor: Actor, kind: ChangeKind, change: Change
) -> UUID | Refused:
    async with store.transaction() as tx:
        return await changes.propose(tx, actor, kind, change, "lý do thử", clock.now())


async def confirm(store: Store, clock: FrozenClock, actor: Actor, change_id: UUID) -> Applied | Refused:
    prepared = await practitioners.prepare_credential(store.keys, clock.now())
    async with store.transaction() as tx:
        return await changes.confirm(tx, store.keys, actor, change_id, prepared, clock.now())


async def agreed(store: Store, clock: FrozenClock, kind: ChangeKind, change: Change) -> Applied | Refused:
    change_id = await propose(store, clock, operator(clock), kind, change)
    assert isinstance(change_id, UUID), change_id
    return await confirm(store, clock, operator(clock), change_id)


def good(**other: object) -> NewAppClient:
    return entry(jwks=public(key_of()), **other)


async def test_s26_two_operators_enter_change_and_end_a_client(store: Store, clock: FrozenClock) -> None:
    one = operator(clock)
    change_id = await propose(store, clock, one, "app-client", good())
    assert isinstance(change_id, UUID)
    alone = await confirm(store, clock, one, change_id)
    assert isinstance(alone, Refused)
    assert alone.problem.code == "second-account-needed"
    made = await confirm(store, clock, operator(clock), change_id)
    assert isinstance(made, Applied)
    assert (made.kind, made.client_secret) == ("app-client", None)
    before = await client_by_id(store, made.created_id)
    clock.advance(minutes=1)
    wanted = good(groups_max=["history"], quota_per_day=7)
    done = await agreed(
        store, clock, "app-client-change", ChangedAppClient(client_id=before.client_id, client=wanted)
    )
    assert isinstance(done, Applied)
    after = await client_by_id(store, before.client_id)
    assert (after.groups_max, after.quota_per_day) == (["history"], 7)
    assert after.jwks != before.jwks
    assert after.changed_at > before.changed_at
    ended = await agreed(store, clock, "app-client-end", EndedAppClient(client_id=before.client_id))
    assert isinstance(ended, Applied)
    async with store.transaction() as tx:
        assert await service.live_client(tx, before.client_id) is None
        assert await service.client_of(tx, before.client_id) is not None
    again = await agreed(store, clock, "app-client-end", EndedAppClient(client_id=before.client_id))
    assert isinstance(again, Refused)


async def test_another_name_holder_kind_or_proof_is_another_client(store: Store, clock: FrozenClock) -> None:
    """People agreed to this one; what was agreed with it would serve somebody else."""
    partner = await make_partner(store, clock)
    before = await client_by_id(store, partner.client_id)
    app = {"kind": "app", "groups_max": [], "scopes_max": ["patient/*.rs"]}
    for other, where in (
        ({"name": "Tên khác"}, "name"),
        ({"holder": "Công ty Khác"}, "holder"),
        (app, "kind"),
    ):
        changed = ChangedAppClient(client_id=before.client_id, client=good(**other))
        refused = await agreed(store, clock, "app-client-change", changed)
        assert isinstance(refused, Refused)
        assert (refused.problem.code, refused.where) == ("client-entry-invalid", where)
    assert await client_by_id(store, partner.client_id) == before


async def test_nobody_at_a_facility_enters_a_client_and_no_bad_entry_is_kept(
    store: Store, clock: FrozenClock
) -> None:
    house = await make_facility(store, clock)
    admin = (await make_doctor(store, clock, house, role="facility-admin")).actor
    refused = await propose(store, clock, admin, "app-client", good())
    assert isinstance(refused, Refused)
    assert refused.problem.code == "register-change-not-yours" or refused.problem.status == 403
    wrong = await propose(store, clock, operator(clock), "app-client", entry(jwks={"keys": []}))
    assert isinstance(wrong, Refused)
    assert (wrong.problem.code, wrong.where) == ("client-entry-invalid", "jwks")
    client = await client_by_id(store, (await make_partner(store, clock)).client_id)
    other = entry(kind="app", auth="none", groups_max=[], redirect_uris=["https://a.example.org/b"])
    changed = await agreed(
        store, clock, "app-client-change", ChangedAppClient(client_id=client.client_id, client=other)
    )
    assert isinstance(changed, Refused)
    assert changed.where == "kind"
    unknown = await agreed(
        store, clock, "app-client-change", ChangedAppClient(client_id=uuid4(), client=good())
    )
    assert isinstance(unknown, Refused)
    assert unknown.problem.code == "not-in-register"


async def family(store: Store, clock: FrozenClock) -> AppTokens:
    client = await make_app(store, clock)
    async with store.transaction() as tx:
        return await sessions.open_session(
            tx,
            client.client_id,
            scope="patient/*.rs",
            jkt=None,
            reference=uuid4(),
            with_refresh=True,
            now=clock.now(),
        )


def client_in(tokens: AppTokens) -> UUID:
    presented = sessions.read_app_token(tokens.access_token)
    assert presented is not None
    return presented[0]


async def refresh(store: Store, clock: FrozenClock, token: str, client_id: UUID) -> AppTokens | None:
    async with store.transaction() as tx:
        row = await sessions.family_of(tx, client_id, token, clock.now())
        return None if row is None else await sessions.rotate(tx, row, scope=row.scope, now=clock.now())


async def lives(store: Store, clock: FrozenClock, token: str) -> bool:
    async with store.transaction() as tx:
        return await sessions.live(tx, token, clock.now()) is not None


async def test_a_refresh_token_is_good_once_and_its_second_use_ends_the_family(
    store: Store, clock: FrozenClock
) -> None:
    first = await family(store, clock)
    assert first.refresh_token is not None
    client_id = client_in(first)
    second = await refresh(store, clock, first.refresh_token, client_id)
    assert second is not None
    assert second.refresh_token is not None
    assert not await lives(store, clock, first.access_token)
    assert await lives(store, clock, second.access_token)
    assert await refresh(store, clock, first.refresh_token, client_id) is None
    assert not await lives(store, clock, second.access_token)
    assert await refresh(store, clock, second.refresh_token, client_id) is None


async def test_of_many_refreshes_at_once_one_rotates_and_the_family_ends(
    store: Store, clock: FrozenClock
) -> None:
    first = await family(store, clock)
    token, client_id = first.refresh_token or "", client_in(first)
    done = await asyncio.gather(*(refresh(store, clock, token, client_id) for _ in range(10)))
    rotated = [one for one in done if one is not None]
    (one,) = rotated
    assert not await lives(store, clock, one.access_token)
    assert await refresh(store, clock, one.refresh_token or "", client_id) is None


async def test_a_refresh_token_is_its_clients_own_and_ends_with_the_consent_and_after_ninety_days(
    store: Store, clock: FrozenClock
) -> None:
    first = await family(store, clock)
    token, client_id = first.refresh_token or "", client_in(first)
    other = await make_app(store, clock)
    assert await refresh(store, clock, token, other.client_id) is None
    assert await lives(store, clock, first.access_token)
    clock.advance(days=90, seconds=-1)
    async with store.transaction() as tx:
        row = await sessions.family_of(tx, client_id, token, clock.now())
        assert isinstance(row, RefreshRow)
        assert row.reference is not None
        await sessions.end_of_consent(tx, client_id, row.reference, "consent-revoked", clock.now())
    assert await refresh(store, clock, token, client_id) is None
    later = await family(store, clock)
    clock.advance(days=90)
    assert await refresh(store, clock, later.refresh_token or "", client_in(later)) is None


async def test_a_family_lives_no_longer_than_the_consent(store: Store, clock: FrozenClock) -> None:
    client = await make_app(store, clock)
    async with store.transaction() as tx:
        tokens = await sessions.open_session(
            tx,
            client.client_id,
            scope="",
            jkt=None,
            reference=uuid4(),
            with_refresh=True,
            until=clock.now() + timedelta(minutes=5),
            now=clock.now(),
        )
    clock.advance(minutes=5)
    assert not await lives(store, clock, tokens.access_token)
    assert await refresh(store, clock, tokens.refresh_token or "", client.client_id) is None


async def test_an_answer_says_how_long_its_token_lives(store: Store, clock: FrozenClock) -> None:
    client = await make_app(store, clock)
    async with store.transaction() as tx:
        first = await sessions.open_session(
            tx,
            client.client_id,
            scope="",
            jkt=None,
            reference=uuid4(),
            with_refresh=True,
            until=clock.now() + timedelta(minutes=15),
            now=clock.now(),
        )
    assert first.expires_in_seconds == 600
    clock.advance(minutes=12)
    second = await refresh(store, clock, first.refresh_token or "", client.client_id)
    assert second is not None
    assert second.expires_in_seconds == 180


async def test_the_hourly_chore_takes_no_more_than_its_limit_of_one_client(
    fresh_store: Store, clock: FrozenClock
) -> None:
    """A partner that asks for a token with each call has thousands that ended."""
    partner = await make_partner(fresh_store, clock)
    for _ in range(5):
        await partner.opened(fresh_store)
    later = clock.now() + timedelta(minutes=11)
    async with fresh_store.transaction() as tx:
        assert [await housekeeping(tx, "app-sessions", later, 2) for _ in range(4)] == [2, 2, 1, 0]


async def test_no_token_of_one_kind_is_read_as_another(store: Store, clock: FrozenClock) -> None:
    first, citizen = await family(store, clock), await make_citizen(store, clock)
    assert read_access_token(first.access_token) is None
    assert sessions.read_app_token(citizen.token) is None
    assert sessions.read_app_token(first.refresh_token or "") is None
    assert sessions.read_app_token("") is None


async def test_ended_and_expired_families_go_and_living_ones_stay(store: Store, clock: FrozenClock) -> None:
    living, over = await family(store, clock), await family(store, clock)
    async with store.transaction() as tx:
        await sessions.end_of_client(tx, client_in(over), "client-ended", clock.now())
        assert await housekeeping(tx, "app-sessions", clock.now(), 500) == 0
        assert await housekeeping(tx, "app-sessions", clock.now() + timedelta(seconds=1), 500) >= 1
    assert await lives(store, clock, living.access_token)
    async with store.transaction() as tx:
        assert await sessions.family_of(tx, client_in(over), over.refresh_token or "", clock.now()) is None


async def test_the_command_line_shows_every_client(fresh_store: Store, clock: FrozenClock) -> None:
    assert await clients_table(fresh_store) == "no client is registered"
    app, partner = await make_app(fresh_store, clock), await make_partner(fresh_store, clock)
    async with fresh_store.transaction() as tx:
        await service.end(tx, EndedAppClient(client_id=partner.client_id), clock.now())
    lines = (await clients_table(fresh_store)).splitlines()
    assert len(lines) == 2
    assert {line.split()[0] for line in lines} == {str(app.client_id), str(partner.client_id)}
    assert next(line for line in lines if "ended" in line).startswith(str(partner.client_id))
