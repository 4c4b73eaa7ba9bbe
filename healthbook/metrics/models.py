"""Rows of what is shown of an installation's state."""

from datetime import datetime

from msgspec import Struct


class Outbox(Struct, frozen=True):
    """waiting: events that could be handled now, the oldest since `oldest`; set_aside: failed so often that
    somebody has to look."""

    waiting: int
    oldest: datetime | None
    set_aside: int


class Connections(Struct, frozen=True):
    """Sessions of the database server, the most it takes, and its clock."""

    used: int
    most: int
    at: datetime


class SlowStatement(Struct, frozen=True):
    """Of one statement since the counts began: how often, how long in all, on average, at most."""

    calls: int
    seconds: float
    mean_ms: float
    max_ms: float
    rows_a_call: float
    query: str
