"""A line of the monthly file."""

from datetime import date
from uuid import UUID

from msgspec import Struct


class Line(Struct, frozen=True):
    """What one practitioner did at one facility in one month.

    people: different persons; grants, emergencies: different ones read under; people_in_an_hour: the most of
    one clock hour; out of hours as patterns.json says.
    """

    facility_id: UUID
    practitioner_id: UUID
    role: str
    requests: int
    reads: int
    people: int
    grants: int
    emergencies: int
    emergency_reads: int
    refusals: int
    people_in_an_hour: int
    reads_out_of_hours: int


class CountedMonth(Struct, frozen=True):
    """The first day of a month whose lines stand."""

    month: date


class Threshold(Struct, frozen=True):
    """A value that an operator set."""

    name: str
    value: int
