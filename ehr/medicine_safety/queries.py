"""SQL of medicine safety: what is active behind the one filter, the loaded tables, and dismissals."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ehr.medicine_safety.models import Dismissal, LoadedTable, Name, Pair
from ehr.reads.queries import filtered
from store.statement import Command, Scalar, Statement


class ActiveRow(Struct, frozen=True):
    """An active medicine or allergy as it is stored."""

    rtype: str
    id: str
    version: int
    is_medicine: bool
    title: str
    encounter_id: str | None
    facility_id: UUID | None
    facility_name: str | None
    state: str
    item: str
    doc: str
    fold: bytes | None


# A list of medicines is what is taken today: what ended, what a "none known" says and what a doctor refuted
# is not on it.
ACTIVE = Statement(
    ActiveRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.version, r.section = 'medications' AS is_medicine, r.title, r.encounter_id,
            r.facility_id, f.name AS facility_name, r.state, r.item, r.doc, r.fold_key AS fold
        FROM ehr_resource r LEFT JOIN facility f ON f.facility_id = r.facility_id
        WHERE {visible} AND r.section IN ('medications', 'allergies') AND r.active_until >= $6::timestamptz
            AND NOT r.negative AND {standing}
        ORDER BY r.section, r.sort_at DESC, r.id LIMIT $10
        """
    ),
)
IN_FORCE = Statement(
    LoadedTable,
    """
    SELECT DISTINCT ON (kind) kind, version, lines, content_sha256, loaded_at FROM medicine_table
    ORDER BY kind, loaded_at DESC, version
    """,
)
LOADED = Statement(
    LoadedTable,
    """
    SELECT kind, version, lines, content_sha256, loaded_at FROM medicine_table
    WHERE kind = $1 AND version = $2
    """,
)
NAMES = Statement(
    Name,
    """
    SELECT name, ingredient, ingredient_name FROM medicine_name
    WHERE name = ANY($1::text[]) AND version = $2 ORDER BY name, ingredient
    """,
)


class Known(Struct, frozen=True):
    ingredient: str
    ingredient_name: str


KNOWN = Statement(
    Known,
    """
    SELECT a AS ingredient, min(a_name) AS ingredient_name FROM medicine_pair
    WHERE a = ANY($1::text[]) AND version = $2 GROUP BY a
    UNION
    SELECT b AS ingredient, min(b_name) AS ingredient_name FROM medicine_pair
    WHERE b = ANY($1::text[]) AND version = $2 GROUP BY b
    """,
)
PAIRS = Statement(
    Pair,
    """
    SELECT a, b, a_name, b_name, severity, words_vi, words_en, source, licence, version FROM medicine_pair
    WHERE a = ANY($1::text[]) AND b = ANY($1::text[]) AND version = $2 ORDER BY a, b
    """,
)
INSERT_TABLE = Command(
    """
    INSERT INTO medicine_table (kind, version, lines, content_sha256, loaded_at) VALUES ($1, $2, $3, $4, $5)
    """
)
INSERT_PAIR = Command(
    """
    INSERT INTO medicine_pair
        (version, a, b, a_name, b_name, severity, words_vi, words_en, source, licence)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    """
)
INSERT_NAME = Command(
    """
    INSERT INTO medicine_name (version, name, ingredient, ingredient_name, source, licence)
    VALUES ($1, $2, $3, $4, $5, $6)
    """
)
DISMISSALS = Statement(
    Dismissal,
    """
    SELECT d.finding, d.side, d.reason, d.dismissed_at, f.name AS facility_name
    FROM medicine_dismissal d LEFT JOIN facility f ON f.facility_id = d.facility_id
    WHERE d.patient_id = $1 AND d.finding = ANY($2::text[]) ORDER BY d.dismissed_at, d.side
    """,
)
INSERT_DISMISSAL = Scalar(
    datetime,
    """
    INSERT INTO medicine_dismissal (patient_id, finding, side, reason, actor_id, facility_id, dismissed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (patient_id, finding, side) DO NOTHING
    RETURNING dismissed_at
    """,
)
