"""What the outside must offer, and the sender that stands in where no provider is set."""

from typing import Protocol

from notifications.models import Outcome, PushMessage, SmsMessage

RECORDED = "recorded"


class PushSender(Protocol):
    async def send(self, batch: list[PushMessage]) -> list[Outcome]:
        """One outcome per message, in order. At most 100 messages. An exception means: all unknown."""
        ...


class SmsSender(Protocol):
    async def send(self, message: SmsMessage) -> Outcome: ...


class RecordingPushSender:
    """Keeps every message in its delivery row, where the demo page shows it."""

    async def send(self, batch: list[PushMessage]) -> list[Outcome]:
        return [Outcome(status="sent", message_id=RECORDED) for _ in batch]


class RecordingSmsSender:
    """Keeps the sealed text in its delivery row until it expires; the demo page opens it."""

    async def send(self, message: SmsMessage) -> Outcome:  # noqa: ARG002 - the row is the record
        return Outcome(status="sent", message_id=RECORDED)
