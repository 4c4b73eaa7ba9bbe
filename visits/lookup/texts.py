"""What the desk does next after a look-up, in plain words."""

import json
from functools import cache
from importlib.resources import files

from msgspec import Struct

from visits.lookup.models import LookUpKind, Outcome


class Next(Struct, frozen=True):
    vi: str
    en: str


@cache
def _texts() -> dict[str, Next]:
    raw = json.loads((files(__package__) / "texts" / "vi.json").read_bytes())
    return {key: Next(one["vi"], one["en"]) for key, one in raw.items()}


def next_after(outcome: Outcome, kind: LookUpKind) -> Next:
    """The next step after an outcome: a phone has words of its own where a card's number would be next."""
    texts = _texts()
    return texts.get(f"{outcome}:{kind}", texts[outcome])
