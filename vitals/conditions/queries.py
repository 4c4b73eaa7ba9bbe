"""SQL of what a person's record says of diseases, behind the one filter."""

from ehr.reads.queries import filtered
from store.statement import Scalar

# $10: beginnings of ICD-10 codes. What nobody verified, what the person contests and what comes of a visit of
# a sensitive department counts for nothing here: such an entry is shown to some readers only.
STANDING = Scalar(
    str,
    filtered(
        """
        SELECT p.beginning FROM unnest($10::text[]) AS p (beginning) WHERE EXISTS (
            SELECT 1 FROM ehr_resource r
            WHERE {visible} AND r.rtype = 'Condition' AND r.section = 'problems'
                AND r.active_until >= $6::timestamptz AND NOT r.negative AND r.state = 'verified'
                AND NOT r.contested AND r.code_system ~ 'icd-?10' AND starts_with(r.code, p.beginning)
                AND NOT EXISTS (
                    SELECT 1 FROM ehr_resource v
                    WHERE v.patient_id = $1 AND v.rtype = 'Encounter' AND v.id = r.encounter_id
                        AND v.labels <> 0))
        ORDER BY p.beginning
        """
    ),
)
