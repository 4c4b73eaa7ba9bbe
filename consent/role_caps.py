"""What each role may ever be granted. Data with a version: an artefact names the version it was cut by.

Our own decision (consent.md "scope = … ∩ role cap"); a change is a new version, never an edit:
`test_a_version_of_the_role_caps_is_never_edited` holds each version to its digest. The caps are data of the
program and not of the database: only a release changes them, and a decision costs no statement for them.
"""

from typing import Final

from msgspec import Struct

from kernel.access import RECORD_TYPES, RecordType, Role

VERSION: Final = "3"
DAY: Final = 24 * 3600

NOTHING: Final[frozenset[RecordType]] = frozenset()
# What there was to see before wearables came.
_UNTIL_WEARABLES: Final = RECORD_TYPES - {"Observation.wearable"}
_NURSING: Final[frozenset[RecordType]] = frozenset(
    {
        "AllergyIntolerance",
        "Condition",
        "MedicationRequest",
        "MedicationStatement",
        "Immunization",
        "Observation.vital-signs",
    }
)


class RoleCap(Struct, frozen=True, kw_only=True):
    """types: what a person may allow the role. delegated: what a doctor with a grant may hand to it.

    duration_seconds: how long at most; None: as long as the way of transfer allows.
    """

    types: frozenset[RecordType] = NOTHING
    delegated: frozenset[RecordType] = NOTHING
    duration_seconds: int | None = None


# Clerks, administrators, officers and analysts stand in no version: they see nothing.
VERSIONS: Final[dict[str, dict[Role, RoleCap]]] = {
    "1": {
        "doctor": RoleCap(types=_UNTIL_WEARABLES - {"Observation.pregnancy"}),
        "pharmacist": RoleCap(
            types=frozenset({"AllergyIntolerance", "MedicationRequest", "MedicationStatement"})
        ),
        "vaccinator": RoleCap(types=frozenset({"AllergyIntolerance", "Immunization"})),
        "nurse": RoleCap(types=_NURSING),
    },
    "2": {
        "doctor": RoleCap(types=_UNTIL_WEARABLES),
        "pharmacist": RoleCap(
            types=frozenset({"AllergyIntolerance", "MedicationRequest", "MedicationStatement"}),
            duration_seconds=3 * DAY,
        ),
        "vaccinator": RoleCap(
            types=frozenset({"AllergyIntolerance", "Immunization", "Observation.pregnancy"})
        ),
        # A nurse or commune health worker asks nobody: a doctor of the facility with a grant delegates.
        "nurse": RoleCap(delegated=_NURSING),
    },
    # What a person measures is a doctor's to see, where it was asked for by name; nobody else's.
    "3": {
        "doctor": RoleCap(types=RECORD_TYPES),
        "pharmacist": RoleCap(
            types=frozenset({"AllergyIntolerance", "MedicationRequest", "MedicationStatement"}),
            duration_seconds=3 * DAY,
        ),
        "vaccinator": RoleCap(
            types=frozenset({"AllergyIntolerance", "Immunization", "Observation.pregnancy"})
        ),
        "nurse": RoleCap(delegated=_NURSING),
    },
}

_NO_CAP: Final = RoleCap()


def cap_of_role(role: Role | None) -> RoleCap:
    return _NO_CAP if role is None else VERSIONS[VERSION].get(role, _NO_CAP)


def role_cap(role: Role | None) -> frozenset[RecordType]:
    """The types a person may allow a role; a role that is not listed sees nothing."""
    return cap_of_role(role).types
