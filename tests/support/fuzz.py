"""What all fuzz suites share: the bound on a hanging reader, and one file read and prepared.

The bound counts processor time of this process, so that a busy machine is no failure.
"""

import io
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType
from typing import Final, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ehr.intake.models import BadInputError, BadUnit, Reason
from ehr.intake.reading import ReadUnit, read_units
from ehr.intake.units import prepare

FULL: Final = os.environ.get("HEALTHBOOK_COUNTS") == "full"
CPU_SECONDS_MAX: Final = 2
_WHERE_MAX: Final = 300

T = TypeVar("T")


class HangError(AssertionError):
    """A file costs more processor time than any file of a few kilobytes may."""


def quiet(examples: int) -> settings:
    """So many examples, and no clock on the wall."""
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def stopped_when_it_hangs(seconds: float = CPU_SECONDS_MAX) -> Iterator[None]:
    """So much processor time, then HangError where the code stands."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise HangError(f"more than {seconds} s of processor time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def take_in(data: bytes, now: datetime) -> None:
    """Read and prepare everything: each unit is prepared, or refused with reasons of a bounded length."""
    with stopped_when_it_hangs():
        for read in read_units(io.BytesIO(data), "noise", now):
            reasons = refusal(read)
            assert reasons is None or reasons
            assert all(len(reason.where) < _WHERE_MAX for reason in reasons or ())


def refusal(read: ReadUnit | BadUnit) -> list[Reason] | None:
    """Why a unit is refused, while it is read or while it is prepared; None when it is not."""
    if isinstance(read, BadUnit):
        return read.reasons
    try:
        prepare(read.unit, read.surveys, "source", None)
    except BadInputError as error:
        return error.reasons
    return None


def gathered(strategy: st.SearchStrategy[T], count: int) -> list[T]:
    """So many examples as a list, for a test that has to await something between them."""
    found: list[T] = []

    @given(strategy)
    @settings(quiet(count), phases=[Phase.generate], database=None)
    def gather(one: T) -> None:
        found.append(one)

    gather()
    return found
