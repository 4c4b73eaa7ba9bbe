"""The axis as this service needs it: an address that an operator set."""

from typing import Literal, Protocol

from partners.axis.message import Code

# busy: it asked to wait; login: it let us not in; refused: an HTTP status that says no, with no reply in it;
# bad-answer: none that the form knows, or the reply to another message.
Failure = Literal["timeout", "unreachable", "server-error", "busy", "login", "bad-answer", "refused"]


class AxisError(Exception):
    """No reply. The text is the reason alone, never the message."""

    def __init__(self, reason: Failure) -> None:
        super().__init__(reason)
        self.reason = reason


class Axis(Protocol):
    """Never called inside a transaction: an answer can take seconds."""

    async def push(self, body: bytes, msg_id: str) -> tuple[Code, bytes]:
        """The reply to one message, and its bytes as they came. Raises AxisError."""
        ...
