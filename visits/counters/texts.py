"""The words of a poster, in both languages."""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from documents.posters import Step


class Texts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """printed: with `printed` and `until`, days in Vietnam."""

    title: Step
    steps: list[Step]
    notes: list[Step]
    printed: str


TEXTS: Final = msgspec.json.decode((Path(__file__).parent / "texts" / "vi.json").read_bytes(), type=Texts)
