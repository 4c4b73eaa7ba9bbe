"""From how many steps a minute on a high heart rate is not judged, as this installation has it.

Set where a process opens its store (healthbook/wiring.py), so that every one judges alike.
"""

from typing import Final

from msgspec import Struct

from vitals.alerts.readings import STEPS_A_MINUTE


class Moving(Struct):
    """steps_a_minute: more than these explain a high heart rate, for ten minutes longer than they last."""

    steps_a_minute: int = STEPS_A_MINUTE


MOVING: Final = Moving()
