"""Whether what a counter is called says of whoever stands before it what nobody else should read. Pure."""

import re
from typing import Final

from identity.units.specialties import is_sensitive_name

# 'PREP2' and 'HIV 2' are as telling as 'PREP-2'.
_BEFORE_DIGITS: Final = re.compile(r"(?<=[^\W\d])(?=\d)|(?<=\d)(?=[^\W\d])")


def is_telling(text: str) -> bool:
    """By the words that make a department sensitive (identity/units/specialties.json)."""
    return is_sensitive_name(_BEFORE_DIGITS.sub(" ", text))
