"""Who speaks, in the words in which the book shows it: never a name (security.md S23, S27)."""

from typing import Final

from ehr.exports.lines import SELF
from ehr.statements.models import Relative
from identity.people import open_demographics
from kernel.access import Access
from store.keys import KeyRing

# By the speaker's sex: unknown, male, female.
_WORDS: Final[dict[Relative, tuple[str, str, str]]] = {
    "spouse": ("vợ hoặc chồng", "chồng", "vợ"),
    "parent": ("bố hoặc mẹ", "bố", "mẹ"),
    "child": ("con", "con trai", "con gái"),
    "sibling": ("anh chị em", "anh hoặc em trai", "chị hoặc em gái"),
    "relative": ("người thân", "người thân", "người thân"),
    "guardian": ("người giám hộ", "người giám hộ", "người giám hộ"),
    "carer": ("người chăm sóc", "người chăm sóc", "người chăm sóc"),
}
_SEXES: Final = {"male": 1, "female": 2}
_PROXY: Final = "người được ủy quyền"


def speaker_of(keys: KeyRing, access: Access, said_by: Relative | None) -> str:
    """The person, or what the speaker says to be to the person."""
    if access.is_own:
        return SELF
    if said_by is None:
        return _WORDS["guardian"][0] if access.basis == "guardian" else _PROXY
    sealed = access.actor.sealed_person
    known = open_demographics(keys, access.actor.actor_id, sealed) if sealed else None
    return _WORDS[said_by][_SEXES.get((known.sex if known else None) or "", 0)]
