"""Pushes through Firebase Cloud Messaging. This package alone imports firebase_admin.

Every message is a request of its own, so each gets its own deadline and its own outcome: one that hangs
does not make the others of its batch unknown. firebase-admin tries 500 and 503 again by itself within it.
Where nothing of a batch is answered the way is down: after some in a row it is left alone for a while.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Final, Self

import structlog
from firebase_admin import exceptions, messaging
from msgspec.structs import replace

from kernel.clock import Clock
from notifications.breaker import Breaker
from notifications.fcm.account import ServiceAccount
from notifications.fcm.client import FcmClient
from notifications.fcm.credential import LoopCredential
from notifications.fcm.messages import message_of
from notifications.fcm.outcomes import DEADLINE, MALFORMED, NO_TOKEN, UNREACHABLE, outcome_of
from notifications.models import Outcome, PushMessage
from notifications.ports import check_batch

# Below the deadline of the drain around it, which knows nothing about single messages.
DEADLINE_SECONDS: Final = 9.0
APNS_SHUT_FOR: Final = timedelta(minutes=1)
APNS_HELD: Final = "apns-breaker"
# Ours, as of the gateway of SMS. Batches side by side that fail count once.
FAILURES_MAX: Final = 3
SHUT_FOR: Final = timedelta(seconds=30)

log = structlog.get_logger("notifications")


class FcmSender:
    """One Firebase project, in the event loop that made it; closed in the same loop."""

    def __init__(
        self, account: ServiceAccount, clock: Clock, deadline_seconds: float = DEADLINE_SECONDS
    ) -> None:
        self._clock, self._deadline = clock, deadline_seconds
        self._project = account.project_id
        self._credential = LoopCredential(account)
        self._client = FcmClient(self._project, self._credential)
        self._retired: set[asyncio.Task[None]] = set()
        # A broken APNs key is refused for every iPhone alike, at three requests a message.
        self._apns = Breaker(1, APNS_SHUT_FOR, APNS_HELD)
        self._way = Breaker(FAILURES_MAX, SHUT_FOR)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def send(self, batch: list[PushMessage]) -> list[Outcome]:
        """One outcome per message, in order. Raises ValueError above 100 messages, and nothing else."""
        check_batch(batch)
        now, failures = self._clock.now(), self._way.failures
        kept = [self._kept_back(push, now) for push in batch]
        leaving = [push for push, outcome in zip(batch, kept, strict=True) if outcome is None]
        if not leaving:
            return [outcome for outcome in kept if outcome is not None]
        answers = iter(self._judged(await self._leave(leaving, now), failures))
        return [outcome or next(answers) for outcome in kept]

    async def _leave(self, batch: list[PushMessage], now: datetime) -> list[Outcome]:
        failure = await self._without_token()
        if failure is not None:
            log.error("push_token_failed", error=failure, alert=True)
            return [NO_TOKEN] * len(batch)
        return list(await asyncio.gather(*(self._send_one(push, now) for push in batch)))

    def _judged(self, outcomes: list[Outcome], failures: int) -> list[Outcome]:
        """Learn whether the way is open. failures: in a row when the batch left. Where it was down before,
        no message is to blame, and none pays an attempt."""
        if any(outcome.error_code not in UNREACHABLE for outcome in outcomes):
            self._way.succeeded()
            return outcomes
        if self._way.failures == failures and self._way.failed(self._clock.now()):
            log.error("push_shut", error=outcomes[0].error_code, alert=True)
        return [replace(outcome, attempted=False) for outcome in outcomes] if failures else outcomes

    async def _without_token(self) -> str | None:
        """Why there is no access token; None when there is one."""
        try:
            async with asyncio.timeout(self._deadline):
                return await self._credential.ready()
        except TimeoutError:
            return "TimeoutError"

    async def _send_one(self, push: PushMessage, now: datetime) -> Outcome:
        client = self._client
        try:
            response = await client.send(message_of(push, now), self._deadline)
        except TimeoutError:
            self._retire(client)
            return DEADLINE
        except (exceptions.FirebaseError, ValueError) as error:
            return self._refused(push, error)
        return self._answered(push, response)

    def _kept_back(self, push: PushMessage, now: datetime) -> Outcome | None:
        """What becomes of a push that does not leave; None where it does."""
        if push.target is None or not push.target.value:
            return Outcome(status="dropped", error_code="no-target")
        if push.expires_at <= now:
            return Outcome(status="dropped", error_code="expired")
        held = self._apns.held(now) if push.platform == "ios" else None
        return held or self._way.held(now)

    def _answered(self, push: PushMessage, response: messaging.SendResponse) -> Outcome:
        if response.exception is not None:
            return self._refused(push, response.exception)
        if response.message_id is None:
            return Outcome(status="unknown", error_code="no-name")
        if push.platform == "ios":
            self._apns.succeeded()
        return Outcome(status="sent", message_id=response.message_id)

    def _refused(self, push: PushMessage, error: exceptions.FirebaseError | ValueError) -> Outcome:
        # A ValueError is firebase-admin itself finding the message malformed: nothing left.
        outcome = outcome_of(error) if isinstance(error, exceptions.FirebaseError) else MALFORMED
        if outcome.error_code == MALFORMED.error_code:
            log.error("push_malformed", type=push.type, platform=push.platform, alert=True)
        if isinstance(error, messaging.ThirdPartyAuthError) and self._apns.failed(self._clock.now()):
            log.error("push_apns_refused", alert=True)
        return outcome

    def _retire(self, hung: FcmClient) -> None:
        """Go on over a new connection. httpcore 1.0 gives up a request without telling the server, whose
        limit of open streams would then be reached by requests that nobody waits for."""
        if hung is not self._client:
            return
        self._client = FcmClient(self._project, self._credential)
        task = asyncio.create_task(hung.close())
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)

    async def close(self) -> None:
        await self._client.close()
        await asyncio.gather(*self._retired)
