"""The one contract of the port PushSender: recording, and the real firebase-admin client against a server of
HTTP v1, once with its address patched and once with nothing patched at all."""

import asyncio
import socket
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import firebase_admin
import pytest
import structlog

from notifications.fcm.sender import APNS_HELD, APNS_SHUT_FOR, FAILURES_MAX, SHUT_FOR
from notifications.models import Outcome, Platform, PushMessage, PushTarget, TargetKind
from notifications.ports import BATCH_MAX, PushSender, RecordingPushSender
from tests.support.clock import FrozenClock
from tests.support.fcm_client import can_unshare, on_the_wire, patched, wire_address
from tests.support.fcm_server import RETRY_AFTER, FcmServer, running_fcm

# Long enough for everything that answers on a busy machine, and short for what hangs.
DEADLINE, SHORT = 8.0, 1.0
# Shown where `fcm-wire` could not be: the same cases ran with the patched address.
NO_WIRE = "no mount namespace or port 443 here: fcm-wire runs with FCM_URL patched"


# For what only the real client can show.
real_client = pytest.mark.parametrize("place", ["fcm", "fcm-wire"], indirect=True)


def push(target: str, platform: Platform | None = "android", kind: TargetKind = "fid") -> PushMessage:
    return PushMessage(
        target=PushTarget(kind, target),
        type="medicine-due",
        id=uuid4(),
        collapse="reminder",
        expires_at=datetime.now(UTC) + timedelta(hours=1),
        platform=platform,
    )


@dataclass
class Place:
    """A sender, and the server behind it where there is one."""

    sender: PushSender
    server: FcmServer | None


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FcmServer | None]:
    """The server at port 443, or None where this machine forbids it; said aloud, never skipped."""
    if not can_unshare():
        warnings.warn(NO_WIRE, stacklevel=1)
        yield None
        return
    with running_fcm(tmp_path_factory.mktemp("wire"), (wire_address(), 443)) as server:
        yield server


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FcmServer]:
    with running_fcm(tmp_path_factory.mktemp("plain")) as server:
        yield server


@asynccontextmanager
async def client_of(
    wire: FcmServer | None, plain: FcmServer, directory: Path, deadline: float
) -> AsyncIterator[Place]:
    """The real client, where this machine allows it with nothing patched."""
    if wire is None:
        async with patched(plain, directory, deadline) as sender:
            yield Place(sender, plain)
    else:
        async with on_the_wire(wire, directory, deadline) as sender_there:
            yield Place(sender_there, wire)


@pytest.fixture(scope="module", params=["recording", "fcm", "fcm-wire"])
async def place(
    request: pytest.FixtureRequest, plain: FcmServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Place]:
    if request.param == "recording":
        yield Place(RecordingPushSender(), None)
        return
    wire = request.getfixturevalue("wire") if request.param == "fcm-wire" else None
    async with client_of(wire, plain, tmp_path_factory.mktemp("client"), DEADLINE) as made:
        yield made


@pytest.fixture
def served(place: Place) -> FcmServer:
    """The server of a real client, with nothing asked yet."""
    assert place.server is not None
    place.server.asked.clear()
    place.server.accepted.clear()
    place.server.apns_broken, place.server.close_after = True, 0
    return place.server


@pytest.fixture
async def local(
    plain: FcmServer, tmp_path: Path, clock: FrozenClock
) -> AsyncIterator[tuple[PushSender, FcmServer]]:
    """A fresh sender of this process under a clock that stands, with nothing asked yet."""
    plain.asked.clear()
    plain.tokens.clear()
    plain.token_status, plain.apns_broken = 200, True
    clock.set(datetime.now(UTC))
    async with patched(plain, tmp_path, DEADLINE, clock) as sender:
        yield sender, plain


# Every sender.


async def test_every_message_of_a_full_batch_is_sent_and_has_an_id(place: Place) -> None:
    outcomes = await place.sender.send([push(f"ok-{n}") for n in range(BATCH_MAX)])
    assert [one.status for one in outcomes] == ["sent"] * BATCH_MAX
    assert all(one.message_id for one in outcomes)
    assert not any(one.target_dead or one.error_code for one in outcomes)


async def test_an_empty_batch_is_no_outcome(place: Place) -> None:
    assert await place.sender.send([]) == []


async def test_more_than_a_hundred_are_refused_before_one_leaves(place: Place) -> None:
    with pytest.raises(ValueError, match="100"):
        await place.sender.send([push("ok-1")] * (BATCH_MAX + 1))


# The real client.

ROWS = [
    ("ok", Outcome(status="sent")),
    ("gone", Outcome(status="failed", error_code="unregistered", target_dead=True)),
    ("quota", Outcome(status="retry", error_code="quota", retry_after_seconds=RETRY_AFTER)),
    ("bad", Outcome(status="failed", error_code="invalid-target", target_dead=True)),
    ("field", Outcome(status="failed", error_code="invalid-target", target_dead=True)),
    ("badreq", Outcome(status="dropped", error_code="invalid-message")),
    ("sender", Outcome(status="failed", error_code="sender-mismatch", target_dead=True)),
    ("apns", Outcome(status="retry", error_code="third-party-auth")),
    ("down", Outcome(status="retry", error_code="unavailable")),
    ("broken", Outcome(status="retry", error_code="internal")),
    ("once503", Outcome(status="sent")),
    ("odd", Outcome(status="unknown", error_code="unknown")),
    ("off", Outcome(status="unknown", error_code="permission-denied")),
    ("html", Outcome(status="unknown", error_code="unknown")),
    ("nameless", Outcome(status="unknown", error_code="no-name")),
]


def without_id(outcome: Outcome) -> Outcome:
    return Outcome(
        status=outcome.status,
        error_code=outcome.error_code,
        retry_after_seconds=outcome.retry_after_seconds,
        target_dead=outcome.target_dead,
        attempted=outcome.attempted,
    )


@real_client
@pytest.mark.parametrize("kind", ["fid", "fcm_token"])
async def test_each_answer_of_fcm_is_its_own_outcome_in_one_batch(
    place: Place, served: FcmServer, kind: TargetKind
) -> None:
    batch = [push(f"{word}-{uuid4().hex}", kind=kind) for word, _ in ROWS]
    outcomes = await place.sender.send(batch)
    assert [(word, without_id(one)) for (word, _), one in zip(ROWS, outcomes, strict=True)] == ROWS
    field = "fid" if kind == "fid" else "token"
    assert {one[field] for one in served.asked} == {one.target.value for one in batch if one.target}
    assert not any("validate_only" in one for one in served.asked)


@pytest.mark.parametrize("way", ["fcm", "fcm-wire"])
async def test_what_hangs_neither_outlasts_the_deadline_nor_stops_the_next_batch(
    request: pytest.FixtureRequest, plain: FcmServer, tmp_path: Path, way: str
) -> None:
    wire = request.getfixturevalue("wire") if way == "fcm-wire" else None
    late = Outcome(status="unknown", error_code="deadline")
    async with client_of(wire, plain, tmp_path, SHORT) as place:
        outcomes = await place.sender.send([push(f"hang-{n}") for n in range(20)] + [push("ok-behind")])
        assert outcomes[:20] == [late] * 20
        # httpcore reads for whoever waits first: an answer behind a hung request may not be seen.
        assert outcomes[20] == late or outcomes[20].status == "sent"
        left = [push(f"ok-{n}") for n in range(BATCH_MAX)]
        for _ in range(5):
            again = await place.sender.send(left)
            # Late, or on a connection that ended with a hung request: neither is lost, and goes again.
            assert {one.status for one in again} <= {"sent", "unknown"}
            left = [one for one, outcome in zip(left, again, strict=True) if outcome.status != "sent"]
        assert left == []


@real_client
async def test_a_connection_that_ends_leaves_unknown_and_the_same_ids_go_again(
    place: Place, served: FcmServer
) -> None:
    await place.sender.send([push("ok-0")])
    served.close_after = 30
    batch = [push(f"ok-{n}") for n in range(60)]
    first = await place.sender.send(batch)
    assert {one.status for one in first} <= {"sent", "unknown", "retry"}
    assert any(one.status != "sent" for one in first)
    served.close_after = 0
    left = [one for one, outcome in zip(batch, first, strict=True) if outcome.status != "sent"]
    assert {one.status for one in await place.sender.send(left)} == {"sent"}
    ids = Counter(message["data"]["id"] for message in served.accepted)
    assert {str(one.id) for one in batch} <= set(ids)


@real_client
async def test_a_message_holds_constants_and_ids_alone(place: Place, served: FcmServer) -> None:
    one = push("ok-shape", None)
    await place.sender.send([one])
    (message,) = served.asked
    item = f"medicine-due-{one.id}"
    ttl = message["android"].pop("ttl")
    assert 3500 <= int(ttl.removesuffix("s")) <= 3600
    assert message == {
        "fid": "ok-shape",
        "notification": {"title": "Sổ sức khỏe", "body": "Bạn có lời nhắc. Mở ứng dụng để xem."},
        "data": {"v": "1", "type": "medicine-due", "id": str(one.id)},
        "android": {
            "collapse_key": "reminder",
            "priority": "normal",
            "notification": {"tag": item, "channel_id": "reminder", "visibility": "PRIVATE"},
        },
        "apns": {
            "headers": {
                "apns-priority": "5",
                "apns-expiration": str(int(one.expires_at.timestamp())),
                "apns-collapse-id": item,
            },
            "payload": {"aps": {"mutable-content": 1, "thread-id": "reminder"}},
        },
    }


@real_client
async def test_all_sends_of_a_batch_share_one_http2_connection(place: Place, served: FcmServer) -> None:
    await place.sender.send([push("ok-warm")])
    before = served.connections
    await place.sender.send([push(f"ok-{n}") for n in range(BATCH_MAX)])
    assert served.connections <= before + 1


# Time, tokens and the breaker, with a clock that stands.


async def test_the_breaker_stops_iphones_alone_and_a_probe_opens_it(
    local: tuple[PushSender, FcmServer], clock: FrozenClock
) -> None:
    sender, server = local
    assert (await sender.send([push("apns-1", "ios")]))[0].error_code == "third-party-auth"
    asked = len(server.asked)
    held = Outcome(status="retry", error_code=APNS_HELD, retry_after_seconds=60, attempted=False)
    outcomes = await sender.send([push("apns-2", "ios"), push("ok-1", "android"), push("ok-2", None)])
    assert outcomes[0] == held
    assert [one.status for one in outcomes[1:]] == ["sent", "sent"]
    assert len(server.asked) == asked + 2
    clock.advance(seconds=APNS_SHUT_FOR.total_seconds())
    probe = await sender.send([push(f"apns-{n}", "ios") for n in range(3)])
    assert Counter(one.error_code for one in probe) == {"third-party-auth": 1, APNS_HELD: 2}
    server.apns_broken = False
    clock.advance(seconds=APNS_SHUT_FOR.total_seconds())
    assert (await sender.send([push("apns-4", "ios")]))[0].status == "sent"
    assert {one.status for one in await sender.send([push("apns-5", "ios")] * 5)} == {"sent"}


HELD = Outcome(
    status="retry",
    error_code="breaker",
    retry_after_seconds=int(SHUT_FOR.total_seconds()),
    attempted=False,
)


async def test_a_way_that_is_down_is_left_alone_and_a_probe_opens_it(
    local: tuple[PushSender, FcmServer], clock: FrozenClock
) -> None:
    sender, server = local
    failed = [(await sender.send([push(f"down-{n}"), push(f"down-x{n}")]))[0] for n in range(FAILURES_MAX)]
    assert {one.error_code for one in failed} == {"unavailable"}
    # The first may have met a bad moment of its own; from then on no message is to blame.
    assert [one.attempted for one in failed] == [True] + [False] * (FAILURES_MAX - 1)
    asked = len(server.asked)
    assert await sender.send([push("ok-1"), push("ok-2", "ios")]) == [HELD] * 2
    assert len(server.asked) == asked
    clock.advance(seconds=SHUT_FOR.total_seconds())
    probe, *others = await sender.send([push(f"down-p{n}") for n in range(3)])
    assert (probe.error_code, probe.attempted) == ("unavailable", False)
    assert others == [HELD] * 2
    clock.advance(seconds=SHUT_FOR.total_seconds())
    assert [one.status for one in await sender.send([push("ok-3"), push("ok-4")])] == ["sent", "retry"]
    assert [one.status for one in await sender.send([push("ok-5"), push("ok-6")])] == ["sent", "sent"]


async def test_one_answer_of_a_batch_keeps_the_way_open(local: tuple[PushSender, FcmServer]) -> None:
    sender, _ = local
    for n in range(FAILURES_MAX + 1):
        one, other = await sender.send([push(f"down-a{n}"), push(f"gone-a{n}")])
        assert (one.error_code, one.attempted, other.error_code) == ("unavailable", True, "unregistered")
    together = [sender.send([push(f"down-b{n}")]) for n in range(FAILURES_MAX + 1)]
    assert {one.attempted for (one,) in await asyncio.gather(*together)} == {True}
    assert (await sender.send([push("ok-1")]))[0].status == "sent"


@pytest.mark.parametrize("is_token", [True, False])
async def test_what_hangs_shuts_the_way(
    plain: FcmServer, tmp_path: Path, clock: FrozenClock, is_token: bool
) -> None:
    clock.set(datetime.now(UTC))
    plain.token_status = 0 if is_token else 200
    async with patched(plain, tmp_path, SHORT / 4, clock) as sender:
        seen = [(await sender.send([push(f"hang-{n}")]))[0] for n in range(FAILURES_MAX)]
        plain.token_status = 200
        held = await sender.send([push("ok-1")])
    assert {one.error_code for one in seen} == {"token-fetch" if is_token else "deadline"}
    assert held == [HELD]


async def test_a_broken_apns_key_fetches_no_token_in_the_event_loop(
    local: tuple[PushSender, FcmServer],
) -> None:
    sender, server = local
    await sender.send([push("ok-1")])
    assert len(server.tokens) == 1
    await sender.send([push(f"apns-{n}", "ios") for n in range(20)])
    assert len(server.tokens) == 1
    await sender.send([push("ok-2"), push("ok-3")])
    assert len(server.tokens) == 2


async def test_one_token_serves_batches_side_by_side(local: tuple[PushSender, FcmServer]) -> None:
    sender, server = local
    await asyncio.gather(*(sender.send([push(f"ok-{n}")]) for n in range(4)))
    assert len(server.tokens) == 1


@pytest.mark.parametrize(("status", "deadline"), [(400, DEADLINE), (401, DEADLINE), (0, SHORT)])
async def test_without_a_token_nothing_leaves_and_everything_is_unknown(
    plain: FcmServer, tmp_path: Path, status: int, deadline: float
) -> None:
    plain.asked.clear()
    plain.token_status = status
    async with patched(plain, tmp_path, deadline) as sender:
        with structlog.testing.capture_logs() as logs:
            outcomes = await sender.send([push("ok-1"), push("ok-2", "ios")])
        plain.token_status = 200
        assert outcomes == [Outcome(status="unknown", error_code="token-fetch", attempted=False)] * 2
        assert plain.asked == []
        assert [(line["event"], line["alert"]) for line in logs] == [("push_token_failed", True)]
        if status:
            assert (await sender.send([push("ok-3")]))[0].status == "sent"


async def test_what_has_no_target_or_no_time_left_is_dropped_and_never_sent(
    local: tuple[PushSender, FcmServer], clock: FrozenClock
) -> None:
    sender, server = local
    late = push("ok-late")
    clock.set(late.expires_at)
    nowhere = PushMessage(
        target=None,
        type="check-in",
        id=uuid4(),
        collapse="info",
        expires_at=clock.now() + timedelta(hours=1),
    )
    outcomes = await sender.send([late, nowhere])
    assert [(one.status, one.error_code) for one in outcomes] == [
        ("dropped", "expired"),
        ("dropped", "no-target"),
    ]
    assert server.asked == []


async def test_a_malformed_message_is_a_dead_letter_with_an_alert_that_holds_no_target(
    local: tuple[PushSender, FcmServer],
) -> None:
    sender, _ = local
    with structlog.testing.capture_logs() as logs:
        await sender.send([push("badreq-secret-target")])
    assert [(line["event"], line["alert"], line["type"]) for line in logs] == [
        ("push_malformed", True, "medicine-due")
    ]
    assert "secret-target" not in str(logs)


async def test_nobody_at_the_address_is_tried_again(tmp_path: Path) -> None:
    with running_fcm(tmp_path) as server, socket.create_server(("127.0.0.1", 0)) as nobody:
        server.port = nobody.getsockname()[1]
        nobody.close()
        async with patched(server, tmp_path, DEADLINE) as sender:
            (outcome,) = await sender.send([push("ok-1")])
    assert outcome == Outcome(status="retry", error_code="unavailable")


async def test_a_new_loop_has_a_sender_of_its_own_and_nothing_of_the_client_is_left(
    plain: FcmServer, tmp_path: Path
) -> None:
    def one_run() -> str:
        async def run() -> str:
            async with patched(plain, tmp_path, DEADLINE) as sender:
                return (await sender.send([push("ok-1")]))[0].status

        return asyncio.run(run())

    before = set(firebase_admin._apps)
    assert [await asyncio.to_thread(one_run) for _ in range(2)] == ["sent", "sent"]
    assert set(firebase_admin._apps) == before
