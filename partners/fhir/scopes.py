"""What of a consent a token's scope covers: a refresh may have narrowed it."""

from kernel.access import RecordType
from partners.fhir.kinds import PATIENT, Interaction
from partners.smart.scopes import BY_RESOURCE, WHO, read_scopes


def kinds_in(scope: str, rtype: str, interaction: Interaction) -> frozenset[RecordType]:
    """The kinds of entries of this type that the scope lets read (r) or search (s)."""
    wanted = read_scopes(scope)
    covered = BY_RESOURCE.get(rtype, frozenset())
    if wanted is None:
        return frozenset()
    items = (one.items & covered for one in wanted.asked if interaction in one.permission)
    return frozenset(item for found in items for item in found if item != WHO)


def covers_person(scope: str, interaction: Interaction) -> bool:
    """Whether the scope covers who the person is."""
    wanted = read_scopes(scope)
    return wanted is not None and any(
        WHO in one.items and interaction in one.permission and one.resource in (PATIENT, "*")
        for one in wanted.asked
    )


def readable_kinds(scope: str) -> frozenset[RecordType]:
    """Every kind of entry that the scope lets read: what a reference may lead to."""
    return frozenset(kind for rtype in BY_RESOURCE for kind in kinds_in(scope, rtype, "r"))
