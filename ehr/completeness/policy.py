"""Measuring a book against a profile. Pure.

Paths: `person/<name>` of the sealed person data, `section/<name>`, `type/<FHIR type>`, `code/<code>`.
"""

from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from ehr.completeness.models import Contents, Facet, Measured, Profile, ProfileRow, RowState

_FILES: Final = Path(__file__).parent / "profiles"
_CODE: Final = "code/"


@cache
def profiles() -> tuple[Profile, ...]:
    """Every profile by its key; a file that does not parse stops the program at its start."""
    found = [msgspec.json.decode(path.read_bytes(), type=Profile) for path in sorted(_FILES.glob("*.json"))]
    return tuple(sorted(found, key=lambda profile: profile.key))


@cache
def asked_codes() -> list[str]:
    """The codes that any profile asks for."""
    paths = {path for profile in profiles() for row in profile.rows for path in row.any_of}
    return sorted(path.removeprefix(_CODE) for path in paths if path.startswith(_CODE))


def paths_of(facets: list[Facet]) -> frozenset[str]:
    """What a book holds, as paths."""
    found = {f"type/{facet.rtype}" for facet in facets}
    found |= {f"section/{facet.section}" for facet in facets if facet.section}
    found |= {f"{_CODE}{facet.code}" for facet in facets if facet.code}
    return frozenset(found)


def measure(profile: Profile, contents: Contents) -> Measured:
    rows = [row for row in profile.rows if row.only in (None, contents.sex)]
    counted = [row for row in rows if row.any_of]
    there = [row for row in counted if _is_there(row, contents)]
    return Measured(
        profile=profile.key,
        title_vi=profile.title_vi,
        confirmed=profile.confirmed,
        note_vi=profile.note_vi,
        present=len(there),
        total=len(counted),
        percent=_percent(there, counted),
        rows=[_state(row, contents) for row in rows],
    )


def _percent(there: list[ProfileRow], counted: list[ProfileRow]) -> int | None:
    whole = sum(row.weight for row in counted)
    return 100 * sum(row.weight for row in there) // whole if whole else None


def _state(row: ProfileRow, contents: Contents) -> RowState:
    state = RowState(key=row.key, part=row.part, title_vi=row.title_vi, state="not-measured")
    if not row.any_of:
        return state
    return msgspec.structs.replace(state, state="present" if _is_there(row, contents) else "missing")


def _is_there(row: ProfileRow, contents: Contents) -> bool:
    return not contents.paths.isdisjoint(row.any_of)
