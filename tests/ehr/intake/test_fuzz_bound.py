"""The bound of the fuzz suites itself: processor time counts, waiting does not."""

import time

import pytest

from tests.support.fuzz import CPU_SECONDS_MAX, HangError, stopped_when_it_hangs


def hang() -> None:
    with stopped_when_it_hangs():
        while True:
            pass


def test_what_hangs_is_stopped() -> None:
    with pytest.raises(HangError):
        hang()


def test_what_waits_for_a_busy_machine_is_not_stopped() -> None:
    with stopped_when_it_hangs():
        time.sleep(CPU_SECONDS_MAX + 0.5)
