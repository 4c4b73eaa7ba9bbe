"""Vietnamese names of codes: our own small table, not yet reviewed by a clinician (texts/displays_vi.json).

The ministry publishes no Vietnamese displays (ehr-core.md §6). `DISPLAY_VERSION` is stored with every
reading view, so that views made with an older table can be found and rebuilt.
"""

from functools import lru_cache
from importlib.resources import files

import msgspec
from msgspec import Struct

# Raise by one when the table or the making of reading views changes.
DISPLAY_VERSION = 5

ICD10 = "icd-10"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
_ICD_MARKS = ("icd-10", "icd10", "ICD10", "ICD-10")


class DisplayTable(Struct, frozen=True, kw_only=True):
    """systems: short system name → code → names, the first shown, all searchable."""

    version: int
    note: str
    systems: dict[str, dict[str, list[str]]]


TABLE = msgspec.json.decode(files("ehr").joinpath("texts/displays_vi.json").read_bytes(), type=DisplayTable)


@lru_cache(maxsize=256)
def system_key(system: str | None) -> str:
    """One name for the many ways a code system is written; ICD-10 has a dozen national ones."""
    if system is None:
        return ""
    return ICD10 if any(mark in system for mark in _ICD_MARKS) else system


def names_of(system: str | None, code: str | None) -> list[str]:
    """Vietnamese names of a code, best first; of its three-character category where ICD-10 has no own."""
    names = TABLE.systems.get(system_key(system))
    if names is None or code is None:
        return []
    found = names.get(code)
    if found is None and names is TABLE.systems.get(ICD10):
        found = names.get(code[:5]) or names.get(code[:3])
    return found or []
