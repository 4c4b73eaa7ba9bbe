"""What the desk does next after a look-up, in plain words."""

import json
from functools import cache
from importlib.resources import files

from msgspec import Struct

from visits.lookup.models import Outcome


class Next(Struct, frozen=True):
    vi: str
    en: str


@cache
def _texts() -> dict[str, Next]:
    raw = json.loads((files(__package__) / "texts" / "vi.json").read_bytes())
    return {outcome: Next(one["vi"], one["en"]) for outcome, one in raw.items()}


def next_after(outcome: Outcome) -> Next:
    """The next step after an outcome. That a number was somebody's once is not told (security.md S19)."""
    return _texts()["unknown" if outcome == "ended" else outcome]
