"""The insurance gateway as this service needs it. Its real interface is not public (docs/book.md)."""

from datetime import date
from typing import Literal, Protocol

from msgspec import Struct

# Why there is no answer: it took too long; nobody was there; it answered with what is no result; too many ask
# at once; no gateway is set.
Failure = Literal["timeout", "unreachable", "bad-answer", "busy", "not-set"]


class Question(Struct, frozen=True):
    """What the desk reads off the card: nothing of it comes from a record."""

    number: str
    name: str
    birth_date: date


class CheckError(Exception):
    """No answer. The text is the reason alone, never what was asked."""

    def __init__(self, reason: Failure) -> None:
        super().__init__(reason)
        self.reason = reason


class CoverageCheck(Protocol):
    """Never called inside a transaction: an answer can take seconds."""

    async def look_up(self, question: Question) -> str:
        """The result code, three digits. Raises CheckError."""
        ...
