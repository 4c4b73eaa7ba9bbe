"""SQL of articles: reviews, and the active problems of a book behind the one filter."""

from ehr.knowledge.models import Review
from ehr.reads.queries import filtered
from store.statement import Command, Scalar, Statement

REVIEWS = Statement(
    Review,
    """
    SELECT slug, content_sha256, version, reviewer, licence, reviewed_on, withdrawn_at
    FROM article_review ORDER BY slug, recorded_at
    """,
)
UPSERT_REVIEW = Command(
    """
    INSERT INTO article_review (slug, content_sha256, version, reviewer, licence, reviewed_on, recorded_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (slug, content_sha256) DO UPDATE SET reviewer = EXCLUDED.reviewer, licence = EXCLUDED.licence,
        reviewed_on = EXCLUDED.reviewed_on, recorded_at = EXCLUDED.recorded_at, withdrawn_at = NULL
    """
)
WITHDRAW = Scalar(
    str,
    "UPDATE article_review SET withdrawn_at = $2 WHERE slug = $1 AND withdrawn_at IS NULL RETURNING slug",
)
ACTIVE_GROUPS = Scalar(
    str,
    filtered(
        """
        SELECT DISTINCT left(r.code, 3) AS icd FROM ehr_resource r
        WHERE {visible} AND r.section = 'problems' AND r.active_until IS NOT NULL AND NOT r.negative
            AND r.code_system ~ 'icd-?10' AND r.code IS NOT NULL
        """
    ),
)
