"""What people read about growth: data with a version, a word of nobody until a clinician approves it."""

from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from ehr.growth.models import Band, GrowthWords, Measure

_FILE: Final = Path(__file__).with_name("words") / "vi.json"


class Texts(Struct, frozen=True):
    """words: per measure and band; go_to: per band; nothing is said of what is within."""

    version: str
    note: str
    reviewed: bool
    source: str
    correction: str
    uncorrected: str
    self_declared: str
    titles: dict[Measure, str]
    words: dict[Measure, dict[Band, str]]
    go_to: dict[Band, str]
    implausible: str


@cache
def texts() -> Texts:
    return msgspec.json.decode(_FILE.read_bytes(), type=Texts)


def words_for(measure: Measure, band: Band, day: str, *, self_declared: bool) -> GrowthWords | None:
    """The words for the newest measurement of one measure; None within the two deviations."""
    told = texts()
    text = told.implausible if band == "implausible" else told.words[measure].get(band)
    if text is None:
        return None
    return GrowthWords(
        measure=measure,
        band=band,
        date=day,
        text_vi=text,
        go_to_vi=told.go_to[band],
        self_declared_vi=told.self_declared if self_declared else None,
        reviewed=told.reviewed,
    )
