"""All SQL of administrative units."""

from typing import Final

from store.statement import Command, Scalar, Statement
from visits.places.models import Place

_PLACE: Final = ", ".join(Place.__struct_fields__)

IS_KNOWN = Scalar(
    bool,
    "SELECT EXISTS (SELECT FROM administrative_unit WHERE level = 'commune' AND code = $1"
    " AND ($2::date IS NULL OR (valid_from <= $2 AND (valid_until IS NULL OR valid_until >= $2)))) AS known",
)
# Every meaning that a code had, the latest first.
MEANINGS = Statement(
    Place,
    f"SELECT {_PLACE} FROM administrative_unit"  # noqa: S608 - a constant of ours
    " WHERE level = $1 AND code = $2 ORDER BY valid_from DESC LIMIT 20",
)
IN_FORCE = Statement(
    Place,
    f"SELECT {_PLACE} FROM administrative_unit"  # noqa: S608 - a constant of ours
    " WHERE level = $1 AND parent_code IS NOT DISTINCT FROM $2 AND valid_from <= $3"
    " AND (valid_until IS NULL OR valid_until >= $3) AND ($4::text IS NULL OR (name, code) > ($4, $5))"
    " ORDER BY name, code LIMIT $6",
)
BECAME = Scalar(
    str,
    "SELECT new_code FROM administrative_successor WHERE level = $1 AND code = $2 AND valid_from = $3"
    " ORDER BY new_code LIMIT 200",
)
CAME_FROM = Scalar(
    str,
    "SELECT code FROM administrative_successor WHERE level = $1 AND new_code = $2 ORDER BY code LIMIT 200",
)
KEEP = Command(
    f"INSERT INTO administrative_unit ({_PLACE}) VALUES ($1, $2, $3, $4, $5, $6, $7)"  # noqa: S608
    " ON CONFLICT (level, code, valid_from) DO UPDATE SET valid_until = excluded.valid_until,"
    " name = excluded.name, parent_code = excluded.parent_code, source = excluded.source"
)
FORGET_SUCCESSORS = Command(
    "DELETE FROM administrative_successor WHERE level = $1 AND code = $2 AND valid_from = $3"
)
KEEP_SUCCESSOR = Command(
    "INSERT INTO administrative_successor (level, code, valid_from, new_code) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT DO NOTHING"
)
