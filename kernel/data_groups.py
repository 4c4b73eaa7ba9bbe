"""Which record types the four groups of a partner's data set are made of.

The groups are those of QĐ 31/QĐ-BYT (2026) art. 2 k3; which of our types belong to a group is our reading
(docs/mapping.md).
"""

from collections.abc import Iterable
from typing import Final

from kernel.access import PartnerGroup, RecordType

# "Other" are the cards and the person as facilities report them; whether a card is seen depends on the visit
# that it was reported with.
GROUP_TYPES: Final[dict[PartnerGroup, frozenset[RecordType]]] = {
    "administrative": frozenset({"Other", "Encounter"}),
    "history": frozenset({"AllergyIntolerance", "Condition", "Immunization"}),
    "encounters": frozenset(
        {
            *("Encounter", "Condition", "Observation.laboratory", "Observation.vital-signs"),
            *("Observation.other", "DiagnosticReport", "ImagingStudy", "MedicationRequest", "Procedure"),
        }
    ),
    "summary": frozenset(
        {
            *("Encounter", "Condition", "Observation.laboratory", "DiagnosticReport"),
            *("MedicationRequest", "CarePlan", "DocumentReference"),
        }
    ),
}


def types_of_groups(groups: Iterable[PartnerGroup]) -> frozenset[RecordType]:
    """Every record type that these groups are made of."""
    return frozenset[RecordType]().union(*(GROUP_TYPES[group] for group in groups))
