"""What the outside must offer, and the sender that stands in where no provider is set."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from notifications.models import Outcome, PushMessage, SmsMessage

RECORDED = "recorded"
BATCH_MAX = 100


class PushSender(Protocol):
    async def send(self, batch: list[PushMessage]) -> list[Outcome]:
        """One outcome per message, in order. An exception means: all unknown.

        Raises ValueError above BATCH_MAX messages, before one leaves.
        """
        ...


class SmsSender(Protocol):
    async def send(self, message: SmsMessage) -> Outcome: ...


class FamilyLinks(Protocol):
    async def standing(self, pairs: Collection[tuple[UUID, UUID]]) -> frozenset[tuple[UUID, UUID]]:
        """Of pairs (who acts, for whom) those between whom a link stands now. Asked before a push leaves."""
        ...


class RecordingPushSender:
    """Keeps every message in its delivery row, where the demo page shows it."""

    async def send(self, batch: list[PushMessage]) -> list[Outcome]:
        check_batch(batch)
        return [Outcome(status="sent", message_id=RECORDED) for _ in batch]


class RecordingSmsSender:
    """Keeps the sealed text in its delivery row until it expires; the demo page opens it."""

    async def send(self, message: SmsMessage) -> Outcome:  # noqa: ARG002 - the row is the record
        return Outcome(status="sent", message_id=RECORDED)


def check_batch(batch: list[PushMessage]) -> None:
    """Raises ValueError for a batch that is too large."""
    if len(batch) > BATCH_MAX:
        raise ValueError(f"a batch has at most {BATCH_MAX} messages")
