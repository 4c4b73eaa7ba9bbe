"""The bound of the fuzz suites itself: processor time counts, waiting does not."""

import time

import pytest

from tests.support.fuzz import HangError, stopped_when_it_hangs

SECONDS = 0.3


def hang() -> None:
    with stopped_when_it_hangs(SECONDS):
        while True:
            pass


def test_what_hangs_is_stopped() -> None:
    with pytest.raises(HangError):
        hang()


def test_what_waits_for_a_busy_machine_is_not_stopped() -> None:
    with stopped_when_it_hangs(SECONDS):
        time.sleep(2 * SECONDS)
