"""What a kept document refers to, and the names by which others refer to it.

References are kept in the sender's own spelling; our id of one is made of the sender and that spelling. Kept
text has no blanks, so finding them needs no parse.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import msgspec

from ehr.intake.compartment import DISPLAY_ONLY
from ehr.intake.ids import canonical, resource_id
from ehr.models import Referred

# One encounter or doctor is named by many rows.
our_id: Final = lru_cache(maxsize=65536)(resource_id)

# What tells of the things that it names.
TELLING: Final = frozenset(
    [
        *(
            "DiagnosticReport",
            "Composition",
            "Provenance",
            "DocumentReference",
            "Observation",
            "ImagingStudy",
        ),
        *("Media", "List", "Communication", "ClinicalImpression"),
    ]
)
# An encounter names its diagnoses.
_KEPT: Final = TELLING | {"Encounter"}
_REFERENCE: Final = re.compile(r'"reference":"([^"\\]+)"')
_OWNER: Final = re.compile(r'"(?:subject|patient|encounter)":\{"reference":"([^"\\]+)"')
_OWN_ID: Final = re.compile(r'"id":"([^"\\]+)"')
_NOBODY: Final = tuple(f"{kind}/" for kind in sorted(DISPLAY_ONLY | {"Patient"}))


def named_in(doc: str) -> set[str]:
    """Every reference in a kept document, in the spelling of its sender."""
    return {canonical(found) for found in _REFERENCE.findall(doc)}


def referred_ids(source_id: str, doc: str) -> set[str]:
    """Our ids of everything a kept document refers to."""
    return {our_id(source_id, name) for name in named_in(doc)}


def kept_refs(
    rtype: str, doc: str, encounter_id: str | None, refer: Callable[[str], Referred | None]
) -> str | None:
    """Our ids, with a blank between, of what a row tells of; None where it tells of nothing but itself.

    Left out: the person, the visit it happened in (a column of its own), who did it and where.
    """
    if rtype not in _KEPT or '"reference":"' not in doc:
        return None
    names = set(_REFERENCE.findall(doc)).difference(_OWNER.findall(doc))
    told = {name for name in names if name[0] != "#" and not canonical(name).startswith(_NOBODY)}
    found = {referred.id for name in told if (referred := refer(name)) is not None}
    return " ".join(sorted(found - {encounter_id, ""})) or None


def names_of(rtype: str, ident: str, source_id: str, doc: str) -> set[str]:
    """Our ids of every spelling by which rows of the same sender may name this row. The start of `doc` will
    do: a resource's own id stands there."""
    own = _own_id(doc)
    spelled = (f"{rtype}/{own}", f"urn:uuid:{own}") if own else ()
    return {ident, *(our_id(source_id, name) for name in spelled)}


class _Named(msgspec.Struct):
    id: str | None = None


_named = msgspec.json.Decoder(_Named).decode


def _own_id(doc: str) -> str | None:
    try:
        return _named(doc).id
    except msgspec.MsgspecError:
        found = _OWN_ID.search(doc)
        return found[1] if found else None
