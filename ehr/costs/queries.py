"""All SQL of costs. A visit's amounts have versions: the last that nobody took back stands.

Who sees them is the visit's own matter: `{visible}` of its Encounter (ehr/reads/queries.py).
"""

from datetime import datetime

from msgspec import Struct

from ehr.costs.models import SumCheck
from ehr.reads.queries import filtered
from store.statement import Scalar, Statement

# Amounts that are the same as those that stand make no version; none at all are one only after some.
KEEP = Scalar(
    int,
    """
    INSERT INTO ehr_cost (patient_id, encounter_id, number, total, in_scope, fund, copaid, self_paid, other,
        sum_check, benefits, credential, batch, received_at)
    SELECT $1, $2, coalesce((
            SELECT max(number) FROM ehr_cost WHERE patient_id = $1 AND encounter_id = $2
        ), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10::int[], $11, $12, $13
    WHERE NOT EXISTS (
        SELECT FROM ehr_cost s
        WHERE s.patient_id = $1 AND s.encounter_id = $2 AND s.taken_back_at IS NULL AND s.number = (
                SELECT max(number) FROM ehr_cost
                WHERE patient_id = $1 AND encounter_id = $2 AND taken_back_at IS NULL
            )
            AND (s.total, s.in_scope, s.fund, s.copaid, s.self_paid, s.other, s.sum_check, s.benefits)
                IS NOT DISTINCT FROM ($3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bigint, $8::bigint,
                    $9::text, $10::int[])
    ) AND (NOT $14::boolean OR EXISTS (
        SELECT FROM ehr_cost WHERE patient_id = $1 AND encounter_id = $2 AND taken_back_at IS NULL
    ))
    RETURNING number
    """,
)
TAKE_BACK = Scalar(
    str,
    """
    UPDATE ehr_cost SET taken_back_at = $4
    WHERE patient_id = $1 AND credential = ANY($2::text[]) AND received_at >= $3 AND taken_back_at IS NULL
    RETURNING encounter_id
    """,
)

# Amounts go with their Encounter when a merge moves it (ehr/merges/queries.py).
MOVED = (
    "number, total, in_scope, fund, copaid, self_paid, other, sum_check, benefits, credential, batch,"
    " received_at, taken_back_at"
)


class CostRow(Struct, frozen=True):
    """A visit that the access shows, with what stands of its amounts; all None where nothing was sent."""

    id: str
    sort_at: datetime
    item: str
    total: int | None
    in_scope: int | None
    fund: int | None
    copaid: int | None
    self_paid: int | None
    other: int | None
    sum_check: SumCheck | None
    benefits: list[int] | None
    received_at: datetime | None


_STANDING = """
    LEFT JOIN LATERAL (
        SELECT * FROM ehr_cost v
        WHERE v.patient_id = $1 AND v.encounter_id = r.id AND v.taken_back_at IS NULL
        ORDER BY v.number DESC LIMIT 1
    ) c ON true
    WHERE {visible} AND r.rtype = 'Encounter'"""
_SHOWN = (
    "r.id, r.sort_at, r.item, c.total, c.in_scope, c.fund, c.copaid, c.self_paid, c.other, c.sum_check,"
    " c.benefits, c.received_at"
)
OF_VISIT = Statement(
    CostRow,
    filtered(f"SELECT {_SHOWN} FROM ehr_resource r {_STANDING} AND r.id = $10"),  # noqa: S608
)
OF_YEAR = Statement(
    CostRow,
    filtered(
        f"SELECT {_SHOWN} FROM ehr_resource r {_STANDING}"  # noqa: S608
        " AND r.eff >= $10 AND r.eff < $11 AND (r.sort_at, r.id) < ($12, $13)"
        " ORDER BY r.sort_at DESC, r.id DESC LIMIT $14"
    ),
)


class SumRow(Struct, frozen=True):
    """Sums over the visits of a year; None: no visit has that amount."""

    total: int | None
    in_scope: int | None
    fund: int | None
    copaid: int | None
    self_paid: int | None
    other: int | None
    visits: int
    without: int


SUMS_OF_YEAR = Statement(
    SumRow,
    filtered(
        "SELECT sum(c.total)::bigint AS total, sum(c.in_scope)::bigint AS in_scope,"  # noqa: S608
        " sum(c.fund)::bigint AS fund, sum(c.copaid)::bigint AS copaid,"
        " sum(c.self_paid)::bigint AS self_paid, sum(c.other)::bigint AS other, count(*) AS visits,"
        " count(*) FILTER (WHERE coalesce(c.total, c.in_scope, c.fund, c.copaid, c.self_paid, c.other)"
        " IS NULL) AS without"
        f" FROM ehr_resource r {_STANDING} AND r.eff >= $10 AND r.eff < $11"
    ),
)
