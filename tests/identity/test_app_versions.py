"""Versions of apps: how they compare, what holds for one, what two operators enter, and what is counted."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from identity import practitioners
from identity.app_versions.models import App, AppPolicyRow, FeatureFrom, NewAppPolicy, UseRow
from identity.app_versions.policy import features_on, ordered, read_app, state_of, wrong_field
from identity.app_versions.service import PLATFORMS_MAX, all_policies, put
from identity.app_versions.standing import READ_EVERY, AppPolicies
from identity.app_versions.uses import EVERY_CALL, ROWS_A_DAY, AppUses, forget, uses_since
from identity.register import changes
from identity.register.changes import Applied
from kernel.access import Actor
from kernel.clock import local_day
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Store
from tests.support.app_versions import STORE_URL, policy_of
from tests.support.clock import FrozenClock

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "app"),
    [
        ("android/2.4.1", App("android", "2.4.1")),
        ("ios/0.0.0", App("ios", "0.0.0")),
        ("doctor-ios2/999999.0.10", App("doctor-ios2", "999999.0.10")),
        ("", None),
        ("2.4.1", None),
        ("android/2.4", None),
        ("android/2.4.1.0", None),
        ("android/02.4.1", None),
        ("android/2.4.1-beta", None),
        ("android/2.4.1\n", None),
        ("android/2.4.1 ", None),
        ("android/1000000.0.0", None),
        ("Android/2.4.1", None),
        ("a/2.4.1", None),
        ("a" * 21 + "/2.4.1", None),
        ("android/\u0662.4.1", None),
    ],
)
def test_a_version_has_one_spelling(text: str, app: App | None) -> None:
    assert read_app(text) == app


def test_versions_compare_by_number_and_not_by_letter() -> None:
    texts = ["10.0.0", "2.10.0", "2.9.0", "1.0.0", "0.10.0", "0.9.9", "0.0.1", "0.0.0"]
    assert sorted(texts, key=ordered, reverse=True) == texts
    assert sorted(texts, reverse=True) != texts


def row_of(features: str = "[]") -> AppPolicyRow:
    return AppPolicyRow(
        platform="android",
        policy_id=uuid7(NOW),
        minimum="2.9.0",
        recommended="2.10.0",
        store_url=STORE_URL,
        message_vi=None,
        message_en=None,
        features=features,
        changed_at=NOW,
    )


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ("2.8.999", "too-old"),
        ("2.9.0", "update-recommended"),
        ("2.9.999", "update-recommended"),
        ("2.10.0", "current"),
        ("3.0.0", "current"),
    ],
)
def test_the_minimum_itself_may_call_and_the_recommended_itself_is_current(version: str, state: str) -> None:
    assert state_of(version, row_of()) == state


def test_a_platform_nobody_entered_has_no_limits_and_no_features() -> None:
    assert state_of("0.0.0", None) == "unlisted"
    assert features_on("9.9.9", None) == []


def test_a_feature_is_off_unless_a_row_names_it_and_its_version_has_come() -> None:
    row = row_of(features='[{"name": "share-links", "from_version": "2.10.0"}]')
    assert features_on("2.9.9", row) == []
    assert features_on("2.10.0", row) == ["share-links"]


def test_a_feature_of_a_newer_program_is_left_alone() -> None:
    row = row_of(
        features='[{"name": "of-tomorrow", "from_version": "1.0.0", "more": 1},'
        '{"name": "vitals-sync", "from_version": "1.0.0"}]'
    )
    assert features_on("2.10.0", row) == ["vitals-sync"]


def test_what_cannot_be_used_is_named_by_its_field() -> None:
    twice = [FeatureFrom(name="share-links", from_version=version) for version in ("1.0.0", "2.0.0")]
    wrong = {
        "recommended": policy_of(minimum="2.10.0", recommended="2.9.0"),
        "store_url": policy_of(store_url="https://me@cua-hang.example/x"),
        "message_en": policy_of(message_vi="Có bản mới.", message_en=None),
        "features": policy_of(features=twice),
    }
    assert {wrong_field(new) for new in wrong.values()} == set(wrong)
    assert all(wrong_field(new) == field for field, new in wrong.items())
    assert wrong_field(policy_of(store_url="https://cua-hang.example:99999/")) == "store_url"
    assert wrong_field(policy_of(store_url="https://cua-hang.example:8443/a?id=vn.x&l=vi#b")) is None
    for address in (
        "https://evil.example\\.cua-hang.example/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://............/",
        "https://localhost/x",
        'https://cua-hang.example/"><script>',
        "https://cua-hang.example/a b",
    ):
        assert wrong_field(policy_of(store_url=address)) == "store_url", address
    assert wrong_field(policy_of()) is None


def operator(clock: FrozenClock) -> Actor:
    return Actor(kind="operator", actor_id=uuid7(clock.now()), name="Người vận hành")


async def propose(store: Store, clock: FrozenClock, actor: Actor, new: NewAppPolicy) -> UUID | Refused:
    async with store.transaction() as tx:
        return await changes.propose(tx, actor, "app-policy", new, "bản cũ lộ khóa", clock.now())


async def confirm(store: Store, clock: FrozenClock, actor: Actor, change_id: UUID) -> Applied | Refused:
    prepared = await practitioners.prepare_credential(store.keys, clock.now())
    async with store.transaction() as tx:
        return await changes.confirm(tx, store.keys, actor, change_id, prepared, clock.now())


async def test_s26_two_operators_change_what_holds_and_one_alone_changes_nothing(
    fresh_store: Store, clock: FrozenClock
) -> None:
    one = operator(clock)
    change_id = await propose(fresh_store, clock, one, policy_of())
    assert isinstance(change_id, UUID)
    alone = await confirm(fresh_store, clock, one, change_id)
    assert isinstance(alone, Refused)
    assert alone.problem.code == "second-account-needed"
    async with fresh_store.transaction() as tx:
        assert await all_policies(tx) == []
    done = await confirm(fresh_store, clock, operator(clock), change_id)
    assert isinstance(done, Applied)
    async with fresh_store.transaction() as tx:
        (row,) = await all_policies(tx)
    assert (row.policy_id, row.minimum) == (done.created_id, "2.9.0")


async def test_another_policy_takes_the_whole_place_of_the_one_before(
    fresh_store: Store, clock: FrozenClock
) -> None:
    async with fresh_store.transaction() as tx:
        await put(tx, policy_of(message_vi="Cũ.", message_en="Old."), clock.now(), clock.now())
        await put(tx, policy_of(minimum="2.9.5"), clock.now(), clock.now())
        (row,) = await all_policies(tx)
    assert (row.minimum, row.message_vi) == ("2.9.5", None)


async def test_the_older_of_two_proposals_brings_nothing_back(fresh_store: Store, clock: FrozenClock) -> None:
    older = await propose(fresh_store, clock, operator(clock), policy_of(minimum="1.0.0"))
    clock.advance(minutes=1)
    newer = await propose(fresh_store, clock, operator(clock), policy_of(minimum="2.9.5"))
    assert isinstance(older, UUID)
    assert isinstance(newer, UUID)
    clock.advance(minutes=1)
    assert isinstance(await confirm(fresh_store, clock, operator(clock), newer), Applied)
    refused = await confirm(fresh_store, clock, operator(clock), older)
    assert isinstance(refused, Refused)
    assert refused.problem.code == "app-policy-overtaken"
    async with fresh_store.transaction() as tx:
        (row,) = await all_policies(tx)
    assert row.minimum == "2.9.5"


async def test_a_facilitys_administrator_proposes_no_policy(store: Store, clock: FrozenClock) -> None:
    admin = Actor(kind="practitioner", role="facility-admin", actor_id=uuid7(clock.now()))
    refused = await propose(store, clock, admin, policy_of())
    assert isinstance(refused, Refused)
    assert refused.problem.code == "not-yours-to-change"


async def test_a_wrong_policy_is_refused_when_it_is_proposed(store: Store, clock: FrozenClock) -> None:
    refused = await propose(store, clock, operator(clock), policy_of(minimum="9.0.0"))
    assert isinstance(refused, Refused)
    assert (refused.problem.code, refused.where) == ("app-policy-invalid", "recommended")


async def test_there_are_so_many_platforms_and_no_more(fresh_store: Store, clock: FrozenClock) -> None:
    async with fresh_store.transaction() as tx:
        for number in range(PLATFORMS_MAX):
            assert isinstance(
                await put(tx, policy_of(platform=f"os-{number}"), clock.now(), clock.now()), UUID
            )
        refused = await put(tx, policy_of(platform="one-more"), clock.now(), clock.now())
        assert isinstance(refused, Refused)
        assert refused.where == "platform"
        assert isinstance(
            await put(tx, policy_of(platform="os-3", minimum="2.9.1"), clock.now(), clock.now()), UUID
        )


async def test_a_process_reads_anew_after_ten_seconds_and_not_before(
    fresh_store: Store, clock: FrozenClock
) -> None:
    held = AppPolicies()
    assert await held.of(fresh_store, "android", clock.now()) is None
    async with fresh_store.transaction() as tx:
        await put(tx, policy_of(), clock.now(), clock.now())
    just_before = clock.now() + READ_EVERY - timedelta(microseconds=1)
    assert await held.of(fresh_store, "android", just_before) is None
    found = await held.of(fresh_store, "android", clock.now() + READ_EVERY)
    assert found is not None
    assert found.minimum == "2.9.0"
    assert timedelta(seconds=30) > READ_EVERY


async def test_a_clock_that_was_set_back_reads_anew(fresh_store: Store, clock: FrozenClock) -> None:
    held = AppPolicies()
    assert await held.of(fresh_store, "android", clock.now()) is None
    async with fresh_store.transaction() as tx:
        await put(tx, policy_of(), clock.now(), clock.now())
    assert await held.of(fresh_store, "android", clock.now() - timedelta(days=1)) is not None


class Broken:
    """A store whose database is away, and that counts who asked."""

    def __init__(self) -> None:
        self.asked = 0

    def transaction(self) -> object:
        self.asked += 1
        raise asyncpg.CannotConnectNowError("the database is away")


async def test_where_the_database_is_away_what_held_last_holds_and_nobody_is_locked_out(
    fresh_store: Store, clock: FrozenClock
) -> None:
    away = Broken()
    never = AppPolicies()
    assert await never.of(away, "android", clock.now()) is None  # type: ignore[arg-type]
    assert await never.of(away, "android", clock.now()) is None  # type: ignore[arg-type]
    assert away.asked == 1, "asked again before its time"
    held = AppPolicies()
    async with fresh_store.transaction() as tx:
        await put(tx, policy_of(), clock.now(), clock.now())
    assert await held.of(fresh_store, "android", clock.now()) is not None
    later = clock.now() + timedelta(hours=1)
    assert await held.of(away, "android", later) is not None  # type: ignore[arg-type]


async def test_a_hundred_requests_at_once_read_once(fresh_store: Store, clock: FrozenClock) -> None:
    class Counting:
        asked = 0

        def transaction(self) -> object:
            self.asked += 1
            return fresh_store.transaction()

    held, counting = AppPolicies(), Counting()
    await asyncio.gather(*(held.of(counting, "android", clock.now()) for _ in range(100)))  # type: ignore[arg-type]
    assert counting.asked == 1
    later = clock.now() + READ_EVERY
    await asyncio.gather(*(held.of(counting, "android", later) for _ in range(100)))  # type: ignore[arg-type]
    assert counting.asked == 2


async def counted(store: Store, clock: FrozenClock) -> list[UseRow]:
    async with store.transaction() as tx:
        return await uses_since(tx, local_day(clock.now()))


async def test_calls_of_two_processes_add_up_by_version_and_day(
    fresh_store: Store, clock: FrozenClock
) -> None:
    app, ending = App("android", "2.4.1"), "old_operation"
    for _process in range(2):
        uses = AppUses()
        for _ in range(3):
            uses.count(app, EVERY_CALL, clock.now())
        uses.count(app, ending, clock.now())
        await uses.write(fresh_store)
        await uses.write(fresh_store)
    told = [(one.version, one.operation, one.calls) for one in await counted(fresh_store, clock)]
    assert told == [("2.4.1", ending, 2), ("2.4.1", "", 6)]


async def test_a_day_ends_at_midnight_in_vietnam(fresh_store: Store, clock: FrozenClock) -> None:
    uses, midnight = AppUses(), datetime(2026, 11, 21, 17, tzinfo=UTC)
    for at in (midnight - timedelta(seconds=1), midnight, midnight + timedelta(seconds=1)):
        uses.count(App("ios", "1.0.0"), EVERY_CALL, at)
    await uses.write(fresh_store)
    async with fresh_store.transaction() as tx:
        (both,) = await uses_since(tx, local_day(midnight) - timedelta(days=1))
        (second,) = await uses_since(tx, local_day(midnight))
    assert (both.calls, second.calls) == (3, 2)


async def test_versions_that_somebody_makes_up_fill_no_table(fresh_store: Store, clock: FrozenClock) -> None:
    for process in range(2):
        uses = AppUses()
        for number in range(ROWS_A_DAY + 50):
            uses.count(App("android", f"{process}.0.{number}"), EVERY_CALL, clock.now())
        await uses.write(fresh_store)
    async with fresh_store.transaction() as tx:
        rows = await tx.fetchval("SELECT count(*) FROM app_use")
        calls = await tx.fetchval("SELECT sum(calls) FROM app_use")
        other = await tx.fetchval("SELECT calls FROM app_use WHERE platform = 'other'")
    assert rows == ROWS_A_DAY + 1
    assert calls == 2 * (ROWS_A_DAY + 50)
    assert other == calls - ROWS_A_DAY


async def test_what_could_not_be_written_is_counted_with_the_next(
    fresh_store: Store, clock: FrozenClock
) -> None:
    uses = AppUses()
    uses.count(App("ios", "1.0.0"), EVERY_CALL, clock.now())
    with pytest.raises(asyncpg.CannotConnectNowError):
        await uses.write(Broken())  # type: ignore[arg-type]
    await uses.write(fresh_store)
    assert [one.calls for one in await counted(fresh_store, clock)] == [1]


async def test_counts_go_after_their_time(fresh_store: Store, clock: FrozenClock) -> None:
    uses, old = AppUses(), clock.now() - timedelta(days=401)
    for at in (old, clock.now()):
        uses.count(App("ios", "1.0.0"), EVERY_CALL, at)
    await uses.write(fresh_store)
    async with fresh_store.transaction() as tx:
        assert await forget(tx, clock.now() - timedelta(days=400), 500) == 1
        assert await forget(tx, clock.now() - timedelta(days=400), 500) == 0
    assert [one.calls for one in await counted(fresh_store, clock)] == [1]
