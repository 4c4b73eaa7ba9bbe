"""All SQL of the directory."""

from typing import Final

from store.statement import Command, Scalar, Statement
from visits.directory.models import CodeRow, FoundRow, Kept

# $1 today, $2 how many, $3 and $4 the last row of the page before (NULL: from the start). The inner statement
# picks a page; only its rows are looked up elsewhere.
_ROW: Final = (
    "SELECT f.facility_id, f.name, f.sort_name, c.code, l.address, l.latitude, l.longitude, l.phone, l.hours,"
    " f.apart FROM ("
)
_REST: Final = (
    ") f LEFT JOIN facility_listing l ON l.facility_id = f.facility_id"
    " LEFT JOIN LATERAL (SELECT code FROM facility_code WHERE facility_id = f.facility_id"
    " AND system = 'cskcb-5' AND valid_from <= $1 AND (valid_until IS NULL OR valid_until >= $1)"
    " ORDER BY valid_from DESC LIMIT 1) c ON true"
)
_NAMED: Final = " AND p.name_words @@ to_tsquery('simple', $5)"


def _by_name(tables: str, condition: str) -> str:
    """A page in the order of names."""
    return (
        _ROW  # noqa: S608 - constants of ours
        + f"SELECT p.facility_id, p.name, p.sort_name, NULL::float8 AS apart FROM {tables}"  # noqa: S608
        + f" WHERE p.closed_at IS NULL{condition}"
        + " AND ($3::text IS NULL OR (p.sort_name, p.facility_id) > ($3, $4::uuid))"
        + " ORDER BY p.sort_name, p.facility_id LIMIT $2"
        + _REST
        + " ORDER BY f.sort_name, f.facility_id"
    )


def _nearest(tables: str, apart: str, condition: str) -> str:
    """A page in the order of the distance from a point of the map; `s.spot <-> point` goes by the index."""
    return (
        _ROW  # noqa: S608 - constants of ours
        + f"SELECT p.facility_id, p.name, p.sort_name, {apart} AS apart FROM {tables}"  # noqa: S608
        + f" WHERE s.spot IS NOT NULL AND p.closed_at IS NULL{condition}"
        + f" AND ($3::float8 IS NULL OR ({apart}, p.facility_id) > ($3, $4::uuid))"
        + f" ORDER BY {apart}, p.facility_id LIMIT $2"
        + _REST
        + " ORDER BY f.apart, f.facility_id"
    )


def _on_own_map(x: str, specialty: str, width: str) -> str:
    """Bounded by the map of the specialty: a rare one does not lead through those of all others."""
    return (
        f" AND s.specialty = {specialty}"
        f" AND s.spot <@ box(point({x} - {width}, -{width}), point({x} + {width}, {width}))"
    )


_LISTED: Final = "facility_listing s JOIN facility p ON p.facility_id = s.facility_id"
_OFFERING: Final = "facility_specialty s JOIN facility p ON p.facility_id = s.facility_id"

# Of units in force or of those before the reform. Who names no former one is met by what that became.
_OF_CODE: Final = (
    "SELECT facility_id FROM facility_listing WHERE commune_code = $5"
    " UNION SELECT facility_id FROM facility_listing WHERE former_commune_code = $5"
    " UNION SELECT n.facility_id FROM administrative_successor a"
    " JOIN facility_listing n ON n.commune_code = a.new_code"
    " WHERE a.level = 'commune' AND a.code = $5 AND n.former_commune_code IS NULL"
)

NAMED = Statement(FoundRow, _by_name("facility p", _NAMED))
OF_SPECIALTY = Statement(FoundRow, _by_name(_OFFERING, " AND s.specialty = $5"))
OF_SPECIALTY_NAMED = Statement(FoundRow, _by_name(_OFFERING, " AND s.specialty = $6" + _NAMED))
OF_COMMUNE = Statement(
    FoundRow,
    _by_name(
        _LISTED,
        " AND s.facility_id IN ("
        + _OF_CODE
        + ") AND ($6::text IS NULL OR p.name_words @@ to_tsquery('simple', $6))"
        " AND ($7::text IS NULL OR EXISTS (SELECT FROM facility_specialty o WHERE o.specialty = $7"
        " AND o.facility_id = p.facility_id))",
    ),
)
NEAR = Statement(FoundRow, _nearest(_LISTED, "s.spot <-> point($5::float8, $6::float8)", ""))
NEAR_NAMED = Statement(FoundRow, _nearest(_LISTED, "s.spot <-> point($6::float8, $7::float8)", _NAMED))
NEAR_OF_SPECIALTY = Statement(
    FoundRow,
    _nearest(
        _OFFERING,
        "s.spot <-> point($5::float8, $6::float8)",
        _on_own_map("$5::float8", "$7", "$8::float8"),
    ),
)
# The words or the specialty lead, whichever is thought the rarer; the map only sorts what both left.
NEAR_OF_SPECIALTY_NAMED = Statement(
    FoundRow,
    _nearest(_OFFERING, "(s.spot <-> point($6::float8, $7::float8)) + 0", " AND s.specialty = $8" + _NAMED),
)

# Those that no distance can be told of: they say no place, or nothing at all.
_UNPLACED: Final = (
    " AND NOT EXISTS (SELECT FROM facility_listing l WHERE l.facility_id = p.facility_id"
    " AND l.spot IS NOT NULL)"
)
WITHOUT_PLACE = Statement(FoundRow, _by_name("facility p", _UNPLACED))
WITHOUT_PLACE_NAMED = Statement(FoundRow, _by_name("facility p", _NAMED + _UNPLACED))
WITHOUT_PLACE_OF_SPECIALTY = Statement(
    FoundRow, _by_name(_OFFERING, " AND s.specialty = $5 AND s.spot IS NULL")
)
WITHOUT_PLACE_OF_SPECIALTY_NAMED = Statement(
    FoundRow, _by_name(_OFFERING, " AND s.specialty = $6 AND s.spot IS NULL" + _NAMED)
)

ONE = Statement(
    FoundRow,
    _ROW  # noqa: S608 - constants of ours
    + "SELECT facility_id, name, sort_name, NULL::float8 AS apart FROM facility WHERE facility_id = $2"
    + " AND closed_at IS NULL"
    + _REST,
)
DETAILS = Statement(
    Kept,
    "SELECT address, commune_code, former_commune_code, latitude, longitude, phone, hours, changed_at"
    " FROM facility_listing WHERE facility_id = $1",
)
CODES = Statement(
    CodeRow,
    "SELECT system, code, valid_from, valid_until FROM facility_code WHERE facility_id = $1"
    " ORDER BY valid_from DESC, system LIMIT 100",
)
SPECIALTIES = Scalar(
    str, "SELECT specialty FROM facility_specialty WHERE facility_id = $1 ORDER BY specialty LIMIT 100"
)
DECLARED = Scalar(
    str,
    "SELECT specialty FROM facility_specialty WHERE facility_id = $1 AND is_declared ORDER BY specialty"
    " LIMIT 100",
)
KEEP_DETAILS = Command(
    "INSERT INTO facility_listing (facility_id, address, commune_code, former_commune_code, latitude,"
    " longitude, spot, phone, hours, changed_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, point($7, $8), $9, $10, $11)"
    " ON CONFLICT (facility_id) DO UPDATE SET address = excluded.address,"
    " commune_code = excluded.commune_code, former_commune_code = excluded.former_commune_code,"
    " latitude = excluded.latitude, longitude = excluded.longitude, spot = excluded.spot,"
    " phone = excluded.phone, hours = excluded.hours, changed_at = excluded.changed_at"
)
FORGET_SPECIALTIES = Command("DELETE FROM facility_specialty WHERE facility_id = $1")
KEEP_SPECIALTY = Command(
    "INSERT INTO facility_specialty (facility_id, specialty, spot, is_declared)"
    " VALUES ($1, $2, point($3, $4), $5)"
)
# The row of the facility is held while its specialties are written anew.
HOLD_FACILITY = Scalar(bool, "SELECT true AS held FROM facility WHERE facility_id = $1 FOR UPDATE")
