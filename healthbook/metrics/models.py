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
