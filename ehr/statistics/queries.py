"""SQL of statistics. Rows of the record are read behind the one filter of ehr/reads/queries.py."""

from datetime import date
from uuid import UUID

from msgspec import Struct

from ehr.reads.queries import filtered
from ehr.statistics.models import Cell, Counted, SeenRow, Sender, SetRow
from store.statement import Command, Scalar, Statement


class Citizen(Struct, frozen=True):
    patient_id: UUID
    state: str


class HeadRow(Struct, frozen=True):
    patient_id: UUID
    head_seq: int


# A page of people is found first; the rest are look-ups of that page, each by itself: Citus joins nothing to
# a page that it had to gather from all shards.
PEOPLE = Statement(
    Citizen,
    # An account that somebody made with a phone alone (level 0 with a PIN) is no person of the population.
    "SELECT patient_id, state FROM citizen c WHERE patient_id > $1 AND NOT (level = 0 AND EXISTS (SELECT FROM"
    " citizen_pin p WHERE p.patient_id = c.patient_id)) ORDER BY patient_id LIMIT $2",
    fan_out="the nightly count walks every person, page by page",
)
HEADS = Statement(
    HeadRow,
    "SELECT patient_id, head_seq FROM ehr_head WHERE patient_id = ANY($1::uuid[])",
    fan_out="the records of one page of that walk",
)
SEEN = Statement(
    SeenRow,
    """
    SELECT patient_id, head_seq, state, rules, counted_on, bucket, bands FROM statistic_seen
    WHERE patient_id = ANY($1::uuid[])
    """,
    fan_out="what was counted of one page of that walk",
)
HAS_RECORD = Scalar(
    bool, filtered("SELECT EXISTS (SELECT FROM ehr_resource r WHERE {visible}) AS has_record")
)


class CaseRow(Struct, frozen=True):
    """A disease of a week."""

    week: date | None
    icd: str


# $10 the first day that is kept, $11 the instant after the last. Only events with a day count.
CASES = Statement(
    CaseRow,
    filtered(
        """
        SELECT DISTINCT date_trunc('week', r.eff AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS week,
            left(r.code, 3) AS icd
        FROM ehr_resource r
        WHERE {visible} AND r.rtype = 'Condition' AND r.section = 'problems' AND NOT r.negative
            AND r.code_system ~ 'icd-?10' AND r.code ~ '^[A-Z][0-9][0-9]'
            AND r.eff_precision IN ('instant', 'day') AND r.eff >= $10 AND r.eff < $11
        """
    ),
)

UPSERT_SEEN = Command(
    """
    INSERT INTO statistic_seen (patient_id, bucket, head_seq, rules, state, counted_on, bands)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (patient_id) DO UPDATE SET bucket = EXCLUDED.bucket, head_seq = EXCLUDED.head_seq,
        rules = EXCLUDED.rules, state = EXCLUDED.state, counted_on = EXCLUDED.counted_on,
        bands = EXCLUDED.bands
    """
)
DELETE_PERSON = Command("DELETE FROM statistic_person WHERE bucket = $1 AND person = $2")
DELETE_CASES = Command("DELETE FROM statistic_case WHERE bucket = $1 AND person = $2")
UPSERT_PERSON = Command(
    """
    INSERT INTO statistic_person (bucket, person, commune, age_group, bands) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (bucket, person) DO UPDATE SET commune = EXCLUDED.commune, age_group = EXCLUDED.age_group,
        bands = EXCLUDED.bands
    """
)
SET_GROUP = Command("UPDATE statistic_person SET age_group = $3 WHERE bucket = $1 AND person = $2")
INSERT_CASES = Command(
    """
    INSERT INTO statistic_case (bucket, person, commune, week, icd)
    SELECT $1, $2, $3, n.week, n.icd FROM unnest($4::date[], $5::text[]) AS n (week, icd)
    ON CONFLICT (bucket, person, week, icd) DO NOTHING
    """
)

COUNT_PEOPLE = Statement(
    Counted,
    """
    SELECT commune AS d1, age_group AS d2, bands AS d3, '' AS d4, count(*)::int AS count
    FROM statistic_person WHERE bucket = $1 GROUP BY commune, age_group, bands
    """,
)
COUNT_CASES = Statement(
    Counted,
    """
    SELECT to_char(week, 'YYYY-MM-DD') AS d1, commune AS d2, icd AS d3, '' AS d4, count(*)::int AS count
    FROM statistic_case WHERE bucket = $1 AND week >= $2 GROUP BY week, commune, icd
    """,
)
# What the gate stopped is not the department's: statuses are named, nothing else is read.
COUNT_SENDERS = Statement(
    Counted,
    """
    SELECT to_char(date_trunc('week', day), 'YYYY-MM-DD') AS d1, facility_id::text AS d2, status AS d3,
        reason AS d4, sum(count)::int AS count
    FROM ehr_intake_count
    WHERE day >= $1 AND status IN ('imported', 'quarantined', 'rejected', 'document', 'resolved', 'returned',
        'channel', 'axis-in-time', 'axis-late', 'axis-stopped', 'axis-kept-back')
    GROUP BY 1, 2, 3, 4
    """,
    fan_out="once a night the counts of all senders are summed, which are rows of facility and day",
)

FINGERPRINT = Scalar(bytes, "SELECT fingerprint FROM statistic_key WHERE name = $1")
INSERT_FINGERPRINT = Command(
    "INSERT INTO statistic_key (name, fingerprint) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"
)

INSERT_SET = Command(
    """
    INSERT INTO statistic_set (day, step, last_person, next_bucket) VALUES ($1, 'people', $2, 0)
    ON CONFLICT (day) DO NOTHING
    """
)
_SET = "SELECT day, step, last_person, next_bucket, published_at FROM statistic_set"
LOCK_SET = Statement(SetRow, f"{_SET} WHERE day = $1 FOR UPDATE")
LOCK_UNFINISHED = Statement(
    SetRow, f"{_SET} WHERE published_at IS NULL AND day >= $1 ORDER BY day LIMIT 1 FOR UPDATE"
)
MOVE_SET = Command(
    """
    UPDATE statistic_set SET step = $2, last_person = $3, next_bucket = $4, published_at = $5 WHERE day = $1
    """
)
PUBLISHED = Statement(SetRow, f"{_SET} WHERE published_at IS NOT NULL ORDER BY day DESC LIMIT $1")
INSERT_CELLS = Command(
    """
    INSERT INTO statistic_cell (day, cube, d1, d2, d3, d4, count)
    SELECT $1, $2, n.d1, n.d2, n.d3, n.d4, n.count
    FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::int[]) AS n (d1, d2, d3, d4, count)
    """
)
_CELLS = "SELECT cube, d1, d2, d3, d4, count FROM statistic_cell WHERE day = $1 AND cube = $2"
CELLS = Statement(Cell, f"{_CELLS} ORDER BY d1, d2, d3, d4")
CELLS_BETWEEN = Statement(Cell, f"{_CELLS} AND d1 >= $3 AND d1 <= $4 ORDER BY d1, d2, d3, d4")
SENDERS = Statement(
    Sender, "SELECT facility_id, name FROM facility WHERE closed_at IS NULL ORDER BY facility_id"
)

OLD_DAYS = Scalar(date, "SELECT day FROM statistic_set WHERE day < $1 ORDER BY day LIMIT $2")
DELETE_CELLS = Command("DELETE FROM statistic_cell WHERE day = $1 AND cube = $2")
DELETE_SET = Command("DELETE FROM statistic_set WHERE day = $1")
DELETE_OLD_CASES = Command("DELETE FROM statistic_case WHERE bucket = $1 AND week < $2")
