"""What each role may ever be granted. Data with a version: an artefact names the version it was cut by.

Our own decision (consent.md "scope = … ∩ role cap"); a change is a new version, never an edit.
"""

from typing import Final

from kernel.access import RECORD_TYPES, RecordType, Role

VERSION: Final = "1"

NOTHING: Final[frozenset[RecordType]] = frozenset()

_VERSIONS: Final[dict[str, dict[Role, frozenset[RecordType]]]] = {
    "1": {
        "doctor": RECORD_TYPES,
        "pharmacist": frozenset({"AllergyIntolerance", "MedicationRequest", "MedicationStatement"}),
        "vaccinator": frozenset({"AllergyIntolerance", "Immunization"}),
        "nurse": frozenset(
            {
                "AllergyIntolerance",
                "Condition",
                "MedicationRequest",
                "MedicationStatement",
                "Immunization",
                "Observation.vital-signs",
            }
        ),
    }
}


def role_cap(role: Role | None, version: str = VERSION) -> frozenset[RecordType]:
    """The types a role may see at most; a role that is not listed sees nothing."""
    return NOTHING if role is None else _VERSIONS[version].get(role, NOTHING)
