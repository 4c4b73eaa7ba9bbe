"""SQL of completeness: which kinds of things a book holds, behind the one filter of ehr/reads/queries.py."""

from ehr.completeness.models import Facet
from ehr.reads.queries import filtered
from store.statement import Scalar, Statement

# $10 the codes that profiles ask for: other codes are not told apart.
FACETS = Statement(
    Facet,
    filtered(
        """
        SELECT DISTINCT r.rtype, r.section, CASE WHEN r.code = ANY ($10::text[]) THEN r.code END AS code
        FROM ehr_resource r WHERE {visible}
        """
    ),
)
NUMBER_KINDS = Scalar(
    str, "SELECT DISTINCT kind FROM patient_identifier_rev WHERE patient_id = $1 AND status = 'live'"
)
HAS_PHONE = Scalar(bool, "SELECT EXISTS (SELECT FROM phone WHERE patient_id = $1) AS has_phone")
