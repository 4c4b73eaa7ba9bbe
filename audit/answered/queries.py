"""SQL of the counts of reads that left."""

from audit.answered.models import Reconciled
from store.statement import Command, Statement

ADD = Command(
    """
    INSERT INTO answered_read AS a (patient_id, basis_id, answered, answered_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (patient_id, basis_id) DO UPDATE SET
        answered = a.answered + excluded.answered, answered_at = greatest(a.answered_at, excluded.answered_at)
    """
)

# Both counts from one snapshot: a row is written before its answer leaves, so no read on its way is a gap.
BOTH = Statement(
    Reconciled,
    """
    SELECT a.patient_id, a.basis_id, a.answered, count(l.seq) AS logged
    FROM (SELECT patient_id, basis_id, answered FROM answered_read
          WHERE (patient_id, basis_id) > ($1, $2) AND answered_at >= $3
          ORDER BY patient_id, basis_id LIMIT $4) a
    LEFT JOIN access_log l ON l.patient_id = a.patient_id AND l.actor_kind = 'practitioner'
        AND l.entry::json -> 'grant' ->> 'id' = a.basis_id::text
        AND l.entry::json ->> 'basis' IS NOT NULL
        AND l.entry::json ->> 'outcome' IN ('ok', 'unchanged')
        AND l.entry::json ->> 'action' LIKE '%:read'
    GROUP BY a.patient_id, a.basis_id, a.answered
    ORDER BY a.patient_id, a.basis_id
    """,
    fan_out="the reconciler walks every basis that was read under",
)
