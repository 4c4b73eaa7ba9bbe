"""Draining deliveries: claim under a lease, send outside any transaction, settle.

At least once. A worker that dies between sending and settling leaves a lease that runs out; the
delivery becomes `unknown` and goes again with the same ids, which the device remembers.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Final, TypeAlias, get_args
from uuid import UUID

import structlog
from msgspec import Struct
from msgspec.structs import replace

from notifications import metrics, queries
from notifications.groups import ESCALATES
from notifications.models import Answered, Channel, Claimed, Outcome, PushMessage, SmsMessage, Way
from notifications.policy import LEASE, attempts_max, first_id_of, next_attempt, status_after
from notifications.ports import BATCH_MAX, RECORDED, FamilyLinks, PushSender, SmsSender
from notifications.preferences import DEFAULTS, Preferences
from notifications.quiet import quiet_until, spread_of
from notifications.service import open_address, open_sms, open_target
from notifications.sms_budget import Charge, charge, give_back, until_tomorrow
from store.database import Tx
from store.fields import FieldSealError
from store.keys import KeyRing

# Two batches of a sender: a claim costs a few statements however much it takes.
CLAIM_MAX: Final = 2 * BATCH_MAX
CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)
SEND_DEADLINE_SECONDS: Final = 10
# To these books nothing is pushed any more (security.md S18); one reported dead hears what is no reminder.
CLOSED: Final = frozenset({"frozen", "closed", "erasing"})
ENDED: Final = frozenset({"sent", "failed", "dropped"})
# FCM's word for 429 (notifications/fcm/outcomes.py).
QUOTA: Final = "quota"
PAUSE_MAX: Final = timedelta(minutes=10)
URGENT: Final = frozenset({"consent", "alert"})
# Ours: so many targets of another Firebase project within the time are no accident, but a wrong account.
MISMATCH: Final = "sender-mismatch"
MISMATCHED_MAX: Final = 20
MISMATCHED_WITHIN: Final = timedelta(hours=1)
BUDGET: Final = "budget"

log = structlog.get_logger("notifications")


class Senders(Struct, frozen=True):
    """links: whether one may still hear of another; None where no notice is about another."""

    push: PushSender
    sms: SmsSender
    links: FamilyLinks | None = None


class Outgoing(Struct, frozen=True):
    """A claimed delivery with what to send, or the outcome that makes sending needless. charge: of an SMS."""

    claimed: Claimed
    message: PushMessage | SmsMessage | None
    settled: Outcome | None = None
    charge: Charge | None = None


async def claim_batch(
    tx: Tx, keys: KeyRing, buckets: Sequence[int], now: datetime, channels: Sequence[Channel] = CHANNELS
) -> list[Outgoing]:
    """Take up to CLAIM_MAX deliveries of some buckets and a channel for the length of a lease, of each bucket
    the oldest first.

    On the way expired ones are dropped and leases that ran out become `unknown`. Whether each may still leave
    is decided anew; of several for one device and group the first leaves, the others take their turn.
    """
    claimed = list[Claimed]()
    for channel in channels:
        room = CLAIM_MAX
        for bucket in buckets:
            await queries.TIDY.run(tx, bucket, now, channel)
            found = await queries.CLAIM.all(tx, bucket, now, now + LEASE, room, channel)
            claimed, room = claimed + found, room - len(found)
            if not room:
                break
    if not claimed:
        return []
    claimed.sort(key=_written)
    people, devices = [row.patient_id for row in claimed], [row.device_id for row in claimed]
    ways = {(way.patient_id, way.device_id): way for way in await queries.WAYS.all(tx, people, devices)}
    answered = await _answered(tx, claimed)
    batch, under_way = [], set[tuple[UUID, UUID, str]]()
    for row in claimed:
        place = (row.patient_id, row.device_id, row.collapse)
        if row.channel == "push" and place in under_way:
            batch.append(Outgoing(row, None, _IN_TURN))
            continue
        under_way.add(place)
        batch.append(_prepare(keys, row, ways.get((row.patient_id, row.device_id)), answered, now))
    return await _within_budget(tx, keys, batch, now)


async def _within_budget(tx: Tx, keys: KeyRing, batch: list[Outgoing], now: datetime) -> list[Outgoing]:
    """The first try of an SMS is charged. One too many of a number or prefix waits for the next day."""
    places = [
        place
        for place, item in enumerate(batch)
        if isinstance(item.message, SmsMessage) and item.claimed.attempts == 1
    ]
    if not places:
        return batch
    messages = [one for place in places if isinstance(one := batch[place].message, SmsMessage)]
    for place, charged in zip(places, await charge(tx, keys, messages, now), strict=True):
        item = batch[place]
        kept = _kept_back(item.claimed, now) if charged.is_over else None
        batch[place] = Outgoing(item.claimed, None, kept) if kept else replace(item, charge=charged)
    return batch


def _kept_back(row: Claimed, now: datetime) -> Outcome:
    """Nothing is left today: tomorrow, or never where its time is over by then."""
    wait = until_tomorrow(now)
    if now + wait >= row.expires_at:
        return Outcome(status="dropped", error_code=BUDGET)
    seconds = ceil(wait.total_seconds())
    return Outcome(status="retry", error_code=BUDGET, retry_after_seconds=seconds, attempted=False)


def _written(row: Claimed) -> UUID:
    return row.delivery_id


_IN_TURN: Final = Outcome(status="retry", error_code="in-turn", retry_after_seconds=0, attempted=False)


async def _answered(tx: Tx, claimed: list[Claimed]) -> list[Answered]:
    """Of what is said again: which devices have reported which notice meanwhile."""
    asked = [row for row in claimed if row.attempts > 1 or (row.channel == "sms" and row.type in ESCALATES)]
    if not asked:
        return []
    return await queries.ANSWERED.all(
        tx, [row.patient_id for row in asked], [row.notification_id for row in asked]
    )


def _prepare(
    keys: KeyRing, row: Claimed, way: Way | None, answered: list[Answered], now: datetime
) -> Outgoing:
    about = [one for one in answered if one.notification_id == row.notification_id]
    if row.channel == "push" and any(one.device_id == row.device_id for one in about):
        # Nobody knew whether it left, but the phone has it: not a second time.
        return Outgoing(row, None, Outcome(status="sent", error_code="received"))
    if row.keeps_quiet and way is not None and (asleep := _asleep(way, now)) is not None:
        return Outgoing(row, None, asleep)
    is_answered = any(one.ends_sms for one in about)
    try:
        made = _push_of(keys, row, way) if row.channel == "push" else _sms_of(keys, row, way, is_answered)
    except FieldSealError:
        # Somebody moved a sealed cell (security.md S15): nothing is sent, somebody is told.
        log.error("delivery_seal_broken", delivery_id=str(row.delivery_id), alert=True)
        return Outgoing(row, None, Outcome(status="failed", error_code="seal-broken"))
    if isinstance(made, str):
        return Outgoing(row, None, Outcome(status="dropped", error_code=made))
    return Outgoing(row, made)


def _asleep(way: Way, now: datetime) -> Outcome | None:
    """What comes late, or goes again, keeps still in quiet hours as well: it waits for their end."""
    chosen = DEFAULTS
    if way.zone is not None:
        chosen = Preferences(zone=way.zone, quiet_from=way.quiet_from, quiet_until=way.quiet_until)
    ends = quiet_until(chosen, now)
    if ends is None:
        return None
    seconds = ceil((ends + spread_of(way.patient_id) - now).total_seconds())
    return Outcome(status="retry", error_code="quiet", retry_after_seconds=seconds, attempted=False)


def _push_of(keys: KeyRing, row: Claimed, way: Way | None) -> PushMessage | str:
    """The push, or why it does not leave after all."""
    if way is None or way.book in CLOSED or (way.book == "death-reported" and row.collapse == "reminder"):
        return "closed-book"
    if way.kind is None or way.value_sealed is None:
        return "no-target"
    return PushMessage(
        target=open_target(keys, row.patient_id, way.kind, way.value_sealed),
        type=row.type,
        id=row.notification_id,
        collapse=row.collapse,
        expires_at=row.expires_at,
        platform=way.platform,
        language=way.language or "vi",
    )


def _sms_of(keys: KeyRing, row: Claimed, way: Way | None, is_answered: bool) -> SmsMessage | str:
    if row.address_sealed is None or row.text_sealed is None:
        return "no-target"
    if row.type in ESCALATES and is_answered:
        return "answered"
    if row.type in ESCALATES and (way is None or way.book in CLOSED):
        return "closed-book"
    return SmsMessage(
        phone=open_address(keys, row.patient_id, row.address_sealed),
        bucket=row.bucket,
        id=row.delivery_id,
        sms=open_sms(keys, row.patient_id, row.text_sealed),
    )


async def send_batch(senders: Senders, batch: list[Outgoing]) -> list[Outcome]:
    """One outcome per delivery, in order. Never raises: what nobody knows is `unknown`.

    All leave at once: one after the other, slow answers would outlast the lease and everything would
    be sent again.
    """
    batch = await _still_linked(senders.links, batch)
    pushes = [item.message for item in batch if isinstance(item.message, PushMessage)]
    texts = [item.message for item in batch if isinstance(item.message, SmsMessage)]
    starts = range(0, len(pushes), BATCH_MAX)
    pushed, texted = await asyncio.gather(
        asyncio.gather(*(_send_pushes(senders.push, pushes[start : start + BATCH_MAX]) for start in starts)),
        asyncio.gather(*(_send_sms(senders.sms, message) for message in texts)),
    )
    push_outcomes = iter([outcome for some in pushed for outcome in some])
    sms_outcomes = iter(texted)
    outcomes: list[Outcome] = []
    for item in batch:
        if item.settled is not None:
            outcomes.append(item.settled)
        elif isinstance(item.message, SmsMessage):
            outcomes.append(next(sms_outcomes))
        else:
            outcomes.append(next(push_outcomes))
    return outcomes


async def _still_linked(links: FamilyLinks | None, batch: list[Outgoing]) -> list[Outgoing]:
    """A notice about somebody whom the receiver acts for no more is dropped. Nobody knows: it waits."""
    pairs = {
        (item.claimed.patient_id, item.claimed.dependent_id)
        for item in batch
        if item.settled is None and item.claimed.dependent_id is not None
    }
    if links is None or not pairs:
        return batch
    try:
        standing = await links.standing(pairs)
    except Exception as error:
        log.error("links_unknown", error=type(error).__name__)
        gone = Outcome(status="retry", error_code="links-unknown", attempted=False)
        standing = frozenset()
    else:
        gone = Outcome(status="dropped", error_code="link-ended")
    return [
        Outgoing(item.claimed, None, gone)
        if (pair := (item.claimed.patient_id, item.claimed.dependent_id)) in pairs and pair not in standing
        else item
        for item in batch
    ]


async def _send_pushes(sender: PushSender, pushes: list[PushMessage]) -> list[Outcome]:
    try:
        async with asyncio.timeout(SEND_DEADLINE_SECONDS):
            outcomes = await sender.send(pushes)
        if len(outcomes) != len(pushes):
            raise ValueError("not one outcome per message")
    except Exception as error:
        return [_unknown(error)] * len(pushes)
    return outcomes


async def _send_sms(sender: SmsSender, message: SmsMessage) -> Outcome:
    try:
        async with asyncio.timeout(SEND_DEADLINE_SECONDS):
            return await sender.send(message)
    except Exception as error:
        return _unknown(error)


def _unknown(error: Exception) -> Outcome:
    """By class alone: a provider's error text can hold the address."""
    return Outcome(status="unknown", error_code=type(error).__name__)


async def settle_batch(
    tx: Tx, batch: Sequence[Outgoing], outcomes: Sequence[Outcome], now: datetime, jitter: float
) -> None:
    """Write what became of each delivery of one claim that is still under its lease; dead targets go.

    jitter: from 0 to below 1; each delivery turns it by an own part, so that no two go again at one instant.
    """
    if not batch:
        return
    statuses = [
        status_after(outcome, item.claimed.attempts, attempts_max(item.claimed.type))
        for item, outcome in zip(batch, outcomes, strict=True)
    ]
    of = defaultdict[int, list[_Ended]](list)
    for item, outcome, status in zip(batch, outcomes, statuses, strict=True):
        of[item.claimed.bucket].append((item.claimed, outcome, _end(item, outcome, status, now, jitter)))
    for bucket, ended in sorted(of.items()):
        await _settle(tx, bucket, ended, now)
    await _after(tx, batch, outcomes, now)
    metrics.count(batch, outcomes, statuses, now)


async def _settle(tx: Tx, bucket: int, ended: Sequence["_Ended"], now: datetime) -> None:
    ends = dict[_End, int]()
    places = [ends.setdefault(end, len(ends) + 1) for _, _, end in ended]
    await queries.SETTLE.run(
        tx,
        bucket,
        now,
        ended[0][0].lease_until,
        [row.delivery_id for row, _, _ in ended],
        [outcome.message_id for _, outcome, _ in ended],
        places,
        *zip(*ends, strict=True),
    )


# Status, next_at, error_code, spared, is_over: what most of a batch have in common.
_End: TypeAlias = tuple[str, datetime, str | None, int, bool]
_Ended: TypeAlias = tuple[Claimed, Outcome, _End]


def _end(item: Outgoing, outcome: Outcome, status: str, now: datetime, jitter: float) -> _End:
    is_over = status in ENDED
    next_at = now if is_over else _again_at(item.claimed, outcome, now, jitter)
    kept = outcome.message_id == RECORDED
    return status, next_at, outcome.error_code, _spared(item, outcome), is_over and not kept


def _spared(item: Outgoing, outcome: Outcome) -> int:
    """What was held back costs no attempt, and neither does what met a way that is down. But what may have
    left was tried once: by that, whoever claims it again looks whether the phone has it."""
    is_first = outcome.status == "unknown" and item.claimed.attempts == 1
    return 0 if outcome.attempted or is_first else 1


def _again_at(row: Claimed, outcome: Outcome, now: datetime, jitter: float) -> datetime:
    """A request lives minutes: a quota that FCM reports does not hold it longer than any other failure."""
    own = (jitter + row.delivery_id.int % _PARTS / _PARTS) % 1
    if outcome.error_code == QUOTA and row.collapse in URGENT:
        outcome = replace(outcome, retry_after_seconds=None)
    return next_attempt(outcome, row.attempts, now, own)


_PARTS: Final = 9973


async def _after(tx: Tx, batch: Sequence[Outgoing], outcomes: Sequence[Outcome], now: datetime) -> None:
    await _forget_targets(tx, batch, outcomes, now)
    kept = [
        item.charge
        for item, outcome in zip(batch, outcomes, strict=True)
        if item.charge is not None and _spared(item, outcome)
    ]
    if kept:
        await give_back(tx, kept)
    refused = [
        (item.claimed, outcome)
        for item, outcome in zip(batch, outcomes, strict=True)
        if outcome.error_code == QUOTA
    ]
    if refused:
        until = min(max(next_attempt(outcome, 0, now, 0) for _, outcome in refused), now + PAUSE_MAX)
        # FCM has a quota of the project and one of each device, and one name for both.
        devices = {row.device_id for row, _ in refused}
        device = devices.pop() if len(devices) == 1 else None
        for bucket in sorted({item.claimed.bucket for item in batch}):
            await queries.PAUSE.run(tx, bucket, until, device)


async def _forget_targets(
    tx: Tx, batch: Sequence[Outgoing], outcomes: Sequence[Outcome], now: datetime
) -> None:
    """Targets that FCM calls dead go. Many of another project at once: the account is wrong, they stay."""
    codes = {outcome.error_code for outcome in outcomes if outcome.target_dead}
    if not codes:
        return
    many = MISMATCH in codes and await _is_wrong_account(tx, now)
    dead = [
        item.claimed
        for item, outcome in zip(batch, outcomes, strict=True)
        if outcome.target_dead and not (many and outcome.error_code == MISMATCH)
    ]
    await queries.DELETE_DEAD_TARGETS.run(
        tx,
        [row.patient_id for row in dead],
        [row.device_id for row in dead],
        [row.lease_until - LEASE for row in dead],
    )


async def _is_wrong_account(tx: Tx, now: datetime) -> bool:
    if (await queries.MISMATCHED.one(tx, now - MISMATCHED_WITHIN, MISMATCHED_MAX) or 0) < MISMATCHED_MAX:
        return False
    log.error("push_sender_mismatch", alert=True)
    return True


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Remove outcomes of deliveries made before that time, at most `limit`; notices stay in the inbox.

    How long they are kept is decided in healthbook/housekeeping.py.
    """
    return await queries.DELETE_ENDED.one(tx, first_id_of(before), limit) or 0


async def forget_stale_targets(tx: Tx, before: datetime, limit: int) -> int:
    """Remove targets that no phone confirmed since then (notifications.md §2), at most `limit`."""
    return await queries.DELETE_STALE_TARGETS.one(tx, before, limit) or 0


async def buckets_to_drain(tx: Tx, now: datetime, channels: Sequence[Channel] = CHANNELS) -> list[int]:
    return await queries.BUCKETS_TO_DRAIN.all(tx, now, channels)
