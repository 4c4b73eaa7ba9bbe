"""All SQL of links between two people. Each end has a row of its own, and a link stands when both say so."""

from uuid import UUID

from family.models import (
    GuardianRow,
    Guardianship,
    InvitationRow,
    LinkRow,
    MirrorRow,
    ProposalRow,
    ProxyRow,
)
from identity.queries import held
from store.epoch import epoch_holds
from store.statement import Command, Scalar, Statement

# A row of the `guardianship` family that opens something: not ended, and held by no merge and no restore.
_GUARDIAN_ROW = (
    "{0}.ended_at IS NULL AND NOT "
    + held("{0}.patient_id", "{0}.since", "{0}.proven_at")
    + " AND NOT "
    + epoch_holds("{0}.since", "{0}.proven_at")
)
_PROXY_ROW = (
    "{0}.ended_at IS NULL AND {0}.until > {1} AND NOT "
    + held("{0}.patient_id", "{0}.since", "{0}.since")
    + " AND NOT "
    + epoch_holds("{0}.since")
)
# The birth note's own link is never proven again by itself (identity/births).
_BIRTH_ROW = (
    "NOT "
    + held("{0}.patient_id", "{0}.linked_at", "{0}.linked_at")
    + " AND NOT "
    + epoch_holds("{0}.linked_at")
)

# $1 whose book, $2 who acts, $3 now. Both ends are written together, so this end speaks for both; what a
# merge holds of who acts comes with the session (security.md S10).
LINK_OF_PAIR = Statement(
    LinkRow,
    f"""
    SELECT c.state, c.demographics,
        CASE WHEN g.ended_at IS NULL AND {_BIRTH_ROW.format("b")} THEN b.linked_at END AS birth_since,
        g.barred_at IS NOT NULL AS barred,
        CASE WHEN g.proof <> 'birth-note' AND {_GUARDIAN_ROW.format("g")}
            THEN greatest(g.since, g.proven_at) END AS guardian_since,
        g.disputed_at IS NOT NULL AS guardian_disputed, coalesce(g.ticked, 0) AS ticked,
        CASE WHEN {_PROXY_ROW.format("p", "$3")} THEN p.since END AS proxy_since,
        p.disputed_at IS NOT NULL AS proxy_disputed, coalesce(p.scopes, '{{}}') AS scopes,
        p.until AS proxy_until
    FROM citizen c
    LEFT JOIN birth_link b ON b.patient_id = c.patient_id AND b.mother_id = $2
    LEFT JOIN guardianship g ON g.patient_id = c.patient_id AND g.guardian_id = $2
    LEFT JOIN proxy p ON p.patient_id = c.patient_id AND p.proxy_id = $2
    WHERE c.patient_id = $1
    """,  # noqa: S608
)

GUARDIANS_OF = Statement(
    Guardianship,
    f"""
    SELECT b.mother_id AS guardian_id FROM birth_link b
    WHERE b.patient_id = $1 AND {_BIRTH_ROW.format("b")}
      AND NOT EXISTS (SELECT FROM guardianship g WHERE g.patient_id = $1 AND g.guardian_id = b.mother_id
          AND (g.barred_at IS NOT NULL OR g.ended_at IS NOT NULL))
    UNION
    SELECT g.guardian_id FROM guardianship g
    WHERE g.patient_id = $1 AND g.proof <> 'birth-note' AND g.barred_at IS NULL
      AND {_GUARDIAN_ROW.format("g")}
    """,  # noqa: S608
)

# -- guardians

# A desk proves the link again after a restore; which labels the youth lets the guardian see it cannot know.
PUT_GUARDIANSHIP = Scalar(
    UUID,
    f"""
    INSERT INTO guardianship (patient_id, guardian_id, link_id, proof, facility_id, since, ticked)
    VALUES ($1, $2, $3, $4, $5, $6, 0)
    ON CONFLICT (patient_id, guardian_id) DO UPDATE SET proof = EXCLUDED.proof,
        facility_id = EXCLUDED.facility_id, proven_at = EXCLUDED.since, ended_at = NULL,
        ticked = CASE WHEN {epoch_holds("guardianship.since", "guardianship.proven_at")}
            THEN 0 ELSE guardianship.ticked END
    WHERE guardianship.barred_at IS NULL
    RETURNING link_id
    """,  # noqa: S608
)
PUT_GUARDIANSHIP_BY_GUARDIAN = Command(
    """
    INSERT INTO guardianship_by_guardian (patient_id, dependent_id, link_id, since) VALUES ($1, $2, $3, $4)
    ON CONFLICT (patient_id, dependent_id) DO UPDATE SET link_id = EXCLUDED.link_id,
        proven_at = EXCLUDED.since, ended_at = NULL
    """
)
# A birth note's mother gets a row of her own as soon as something is to be said about her link.
NOTE_BIRTH_GUARDIAN = Command(
    """
    INSERT INTO guardianship (patient_id, guardian_id, link_id, proof, since, ticked)
    SELECT b.patient_id, b.mother_id, $3, 'birth-note', b.linked_at, 0 FROM birth_link b
    WHERE b.patient_id = $1 AND b.mother_id = $2
    ON CONFLICT (patient_id, guardian_id) DO NOTHING
    """
)
# A court may bar somebody before there is any link: then nobody makes one.
NOTE_BARRED = Command(
    """
    INSERT INTO guardianship (patient_id, guardian_id, link_id, proof, facility_id, since, ended_at, ticked)
    VALUES ($1, $2, $3, 'court-document', $4, $5, $5, 0)
    ON CONFLICT (patient_id, guardian_id) DO NOTHING
    """
)
BAR_GUARDIAN = Scalar(
    UUID,
    "UPDATE guardianship SET barred_at = $3 WHERE patient_id = $1 AND guardian_id = $2"
    " AND barred_at IS NULL RETURNING link_id",
)
UNBAR_GUARDIAN = Scalar(
    UUID,
    "UPDATE guardianship SET barred_at = NULL WHERE patient_id = $1 AND guardian_id = $2"
    " AND barred_at IS NOT NULL RETURNING link_id",
)
END_GUARDIANSHIP = Scalar(
    UUID,
    "UPDATE guardianship SET ended_at = $3 WHERE patient_id = $1 AND guardian_id = $2"
    " AND ended_at IS NULL RETURNING link_id",
)
END_GUARDIANSHIP_BY_GUARDIAN = Command(
    "UPDATE guardianship_by_guardian SET ended_at = $3 WHERE patient_id = $1 AND dependent_id = $2"
    " AND ended_at IS NULL"
)
DISPUTE_GUARDIANSHIP = Scalar(
    UUID,
    "UPDATE guardianship SET disputed_at = $3, disputed_by = $4 WHERE patient_id = $1 AND guardian_id = $2"
    " AND ended_at IS NULL AND disputed_at IS NULL RETURNING link_id",
)
SETTLE_GUARDIANSHIP = Scalar(
    UUID,
    "UPDATE guardianship SET disputed_at = NULL, disputed_by = NULL WHERE patient_id = $1"
    " AND guardian_id = $2 AND disputed_by = $3 RETURNING link_id",
)
TICK_LABELS = Scalar(
    UUID,
    "UPDATE guardianship SET ticked = $3 WHERE patient_id = $1 AND guardian_id = $2 AND ended_at IS NULL"
    " RETURNING link_id",
)
GUARDIAN_ROWS = Statement(
    GuardianRow,
    "SELECT patient_id, guardian_id, link_id, proof, since, disputed_at, ticked FROM guardianship"
    " WHERE patient_id = $1 AND ended_at IS NULL AND barred_at IS NULL ORDER BY since LIMIT 20",
)
DEPENDENTS = Statement(
    MirrorRow,
    "SELECT patient_id, dependent_id, link_id, since FROM guardianship_by_guardian"
    " WHERE patient_id = $1 AND ended_at IS NULL ORDER BY since LIMIT 50",
)

# -- what two accounts of a facility say

INSERT_PROPOSAL = Command(
    """
    INSERT INTO guardianship_proposal (proposal_id, kind, proof, child_id, guardian_id, facility_id,
        proposed_by, proposed_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    """
)
CONFIRM_PROPOSAL = Statement(
    ProposalRow,
    """
    UPDATE guardianship_proposal SET confirmed_by = $3
    WHERE proposal_id = $1 AND facility_id = $4 AND proposed_by <> $3 AND confirmed_by IS NULL
      AND expires_at > $2
    RETURNING proposal_id, kind, proof, child_id AS patient_id, guardian_id, facility_id, proposed_by
    """,
)
PROPOSAL_OF_ACTOR = Scalar(
    UUID,
    "SELECT proposal_id FROM guardianship_proposal WHERE proposal_id = $1 AND facility_id = $2"
    " AND (proposed_by = $3 OR confirmed_by = $3)",
)

# -- proxies

# The person's row is the lock under which proxies are counted.
LOCK_PERSON = Scalar(str, "SELECT state FROM citizen WHERE patient_id = $1 FOR UPDATE")
COUNT_PROXIES = Scalar(
    int,
    "SELECT count(*) AS live FROM proxy WHERE patient_id = $1 AND proxy_id <> $2 AND ended_at IS NULL"
    " AND until > $3",
)
INSERT_INVITATION = Command(
    """
    INSERT INTO proxy_invitation (code_hash, invitation_id, patient_id, scopes, until, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    """
)
LIVE_INVITATION = Statement(
    InvitationRow,
    f"""
    SELECT i.patient_id, i.scopes, i.until, i.created_at FROM proxy_invitation i
    WHERE i.code_hash = $1 AND i.used_at IS NULL AND i.expires_at > $2 AND i.until > $2
      AND NOT {epoch_holds("i.created_at")}
    """,  # noqa: S608
)
USE_INVITATION = Statement(
    InvitationRow,
    "UPDATE proxy_invitation SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL AND expires_at > $2"
    " RETURNING patient_id, scopes, until, created_at",
)
PUT_PROXY = Scalar(
    UUID,
    """
    INSERT INTO proxy (patient_id, proxy_id, link_id, scopes, since, until) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (patient_id, proxy_id) DO UPDATE SET link_id = EXCLUDED.link_id, scopes = EXCLUDED.scopes,
        since = EXCLUDED.since, until = EXCLUDED.until, ended_at = NULL, disputed_at = NULL,
        disputed_by = NULL
    RETURNING link_id
    """,
)
PUT_PROXY_BY_PROXY = Command(
    """
    INSERT INTO proxy_by_proxy (patient_id, dependent_id, link_id, since, until) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (patient_id, dependent_id) DO UPDATE SET link_id = EXCLUDED.link_id, since = EXCLUDED.since,
        until = EXCLUDED.until, ended_at = NULL
    """
)
_PROXY = "patient_id, proxy_id, link_id, scopes, since, until, disputed_at"
PROXIES_OF = Statement(
    ProxyRow,
    f"SELECT {_PROXY} FROM proxy WHERE patient_id = $1 AND ended_at IS NULL AND until > $2"  # noqa: S608
    " ORDER BY since LIMIT 20",
)
PRINCIPALS = Statement(
    MirrorRow,
    "SELECT patient_id, dependent_id, link_id, since FROM proxy_by_proxy"
    " WHERE patient_id = $1 AND ended_at IS NULL AND until > $2 ORDER BY since LIMIT 50",
)
END_PROXY = Scalar(
    UUID,
    "UPDATE proxy SET ended_at = $3 WHERE patient_id = $1 AND proxy_id = $2 AND ended_at IS NULL"
    " RETURNING link_id",
)
END_PROXY_BY_PROXY = Command(
    "UPDATE proxy_by_proxy SET ended_at = $3 WHERE patient_id = $1 AND dependent_id = $2 AND ended_at IS NULL"
)
RENEW_PROXY = Scalar(
    UUID,
    "UPDATE proxy SET until = $3, since = $4 WHERE patient_id = $1 AND proxy_id = $2 AND ended_at IS NULL"
    " AND until > $4 RETURNING link_id",
)
RENEW_PROXY_BY_PROXY = Command(
    "UPDATE proxy_by_proxy SET until = $3, since = $4 WHERE patient_id = $1 AND dependent_id = $2"
    " AND ended_at IS NULL"
)
DISPUTE_PROXY = Scalar(
    UUID,
    "UPDATE proxy SET disputed_at = $3, disputed_by = $4 WHERE patient_id = $1 AND proxy_id = $2"
    " AND ended_at IS NULL AND disputed_at IS NULL RETURNING link_id",
)
SETTLE_PROXY = Scalar(
    UUID,
    "UPDATE proxy SET disputed_at = NULL, disputed_by = NULL WHERE patient_id = $1 AND proxy_id = $2"
    " AND disputed_by = $3 RETURNING link_id",
)
