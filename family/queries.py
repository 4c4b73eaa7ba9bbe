"""All SQL of links between two people. Each end has a row of its own, and a link stands when both say so."""

from datetime import datetime
from uuid import UUID

from family.models import (
    DeskProposalRow,
    Found,
    GuardianLinkRow,
    GuardianRow,
    Guardianship,
    InvitationRow,
    LinkRow,
    MirrorRow,
    ProposalRow,
    ProxyRow,
    WaitingRow,
)
from identity.queries import held
from store.epoch import epoch_holds
from store.statement import Command, Scalar, Statement

# A row of the `guardianship` family that opens something: not ended, and held by no merge and no restore.
_GUARDIAN_ROW = (
    "{0}.ended_at IS NULL AND NOT "
    + held("{1}", "{0}.since", "{0}.proven_at")
    + " AND NOT "
    + epoch_holds("{0}.since", "{0}.proven_at")
)
# Whoever was attested beside another guardian waits.
_STARTED = "coalesce({0}.starts_at <= {1}, true)"
_PROXY_ROW = (
    "{0}.ended_at IS NULL AND {0}.until > {1} AND NOT "
    + held("{2}", "{0}.since", "{0}.since")
    + " AND NOT "
    + epoch_holds("{0}.since")
)
# The birth note's own link is never proven again by itself (identity/births).
_BIRTH_ROW = (
    "NOT " + held("{1}", "{0}.linked_at", "{0}.linked_at") + " AND NOT " + epoch_holds("{0}.linked_at")
)


def _link_of(person: str, acting: str, now: str, *, same: str = "c.patient_id") -> str:
    """What links two people, by SQL expressions. Both ends are written together, so this end speaks for both;
    what a merge holds of who acts comes with the session (security.md S10). same: the person once more, for
    parts of their own: a parameter keeps them on one shard, a column of many people's rows on each theirs."""
    return f"""
    SELECT c.state, c.demographics,
        CASE WHEN g.ended_at IS NULL AND {_BIRTH_ROW.format("b", same)} THEN b.linked_at END AS birth_since,
        g.barred_at IS NOT NULL AS barred,
        CASE WHEN g.proof <> 'birth-note' AND {_GUARDIAN_ROW.format("g", same)}
            AND {_STARTED.format("g", now)} THEN greatest(g.since, g.proven_at) END AS guardian_since,
        coalesce(g.disputed_at, g.acting_disputed_at) IS NOT NULL AS guardian_disputed,
        coalesce(g.ticked, 0) AS ticked,
        CASE WHEN {_PROXY_ROW.format("p", now, same)} THEN p.since END AS proxy_since,
        coalesce(p.disputed_at, p.acting_disputed_at) IS NOT NULL AS proxy_disputed,
        coalesce(p.scopes, '{{}}') AS scopes, p.until AS proxy_until,
        p.court_facility_id IS NOT NULL AS by_court
    FROM citizen c
    LEFT JOIN birth_link b ON b.patient_id = c.patient_id AND b.mother_id = {acting}
    LEFT JOIN guardianship g ON g.patient_id = c.patient_id AND g.guardian_id = {acting}
    LEFT JOIN proxy p ON p.patient_id = c.patient_id AND p.proxy_id = {acting}
    WHERE c.patient_id = {person}
    """  # noqa: S608 - expressions of this file


def _guardians_of(whose: str, now: str) -> str:
    """Who stands as a guardian at these people's ends, by SQL expressions."""
    return f"""
    SELECT b.patient_id, b.mother_id AS guardian_id FROM birth_link b
    WHERE b.patient_id = {whose} AND {_BIRTH_ROW.format("b", "b.patient_id")}
      AND NOT EXISTS (SELECT FROM guardianship g
          WHERE g.patient_id = b.patient_id AND g.guardian_id = b.mother_id
            AND (g.barred_at IS NOT NULL OR g.ended_at IS NOT NULL))
    UNION
    SELECT g.patient_id, g.guardian_id FROM guardianship g
    WHERE g.patient_id = {whose} AND g.proof <> 'birth-note' AND g.barred_at IS NULL
      AND {_GUARDIAN_ROW.format("g", "g.patient_id")} AND {_STARTED.format("g", now)}
    """  # noqa: S608 - expressions of this file


# $1 whose book, $2 who acts, $3 now.
LINK_OF_PAIR = Statement(LinkRow, _link_of("$1", "$2", "$3", same="$1"))
GUARDIANS_OF = Statement(Guardianship, f"SELECT guardian_id FROM ({_guardians_of('$1', '$2')}) AS w")  # noqa: S608
# Each guardian of each of these people with the link between the two.
GUARDIANS_OF_MANY = Statement(
    GuardianLinkRow,
    f"""
    SELECT l.*, w.patient_id, w.guardian_id
    FROM ({_guardians_of("ANY($1::uuid[])", "$2")}) AS w
    CROSS JOIN LATERAL ({_link_of("w.patient_id", "w.guardian_id", "$2")}) AS l
    ORDER BY w.patient_id, w.guardian_id
    """,  # noqa: S608 - expressions of this file
    fan_out="one batch of due work holds many persons",
)

# Which of these pairs, by their places from 1, a link stands between, whatever age and scopes make of it. $1
# whose books, $2 who acts.
STANDING_PAIRS = Scalar(
    int,
    f"""
    SELECT u.n FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS u (patient_id, acting_id, n)
    CROSS JOIN LATERAL ({_link_of("u.patient_id", "u.acting_id", "$3")}) AS l
    WHERE NOT l.barred AND coalesce(l.birth_since, l.guardian_since, l.proxy_since) IS NOT NULL
    """,  # noqa: S608 - expressions of this file
    fan_out="one batch of due work holds many persons",
)

# Whether a child has a guardian beside $2, held by a merge or a restore or not: a stranger waits for them.
ANOTHER_STANDS = Scalar(
    bool,
    """
    SELECT EXISTS (
        SELECT FROM birth_link b WHERE b.patient_id = $1 AND b.mother_id <> $2
          AND NOT EXISTS (SELECT FROM guardianship g WHERE g.patient_id = $1 AND g.guardian_id = b.mother_id
              AND (g.barred_at IS NOT NULL OR g.ended_at IS NOT NULL))
    ) OR EXISTS (
        SELECT FROM guardianship g WHERE g.patient_id = $1 AND g.guardian_id <> $2 AND g.ended_at IS NULL
          AND g.barred_at IS NULL AND coalesce(g.starts_at <= $3, true)
    ) AS stands
    """,
)
STANDS_ALREADY = Scalar(
    bool,
    """
    SELECT EXISTS (SELECT FROM guardianship g WHERE g.patient_id = $1 AND g.guardian_id = $2
            AND g.ended_at IS NULL AND g.barred_at IS NULL AND coalesce(g.starts_at <= $3, true))
        OR EXISTS (SELECT FROM birth_link b WHERE b.patient_id = $1 AND b.mother_id = $2
            AND NOT EXISTS (SELECT FROM guardianship g WHERE g.patient_id = $1 AND g.guardian_id = $2))
        AS stands
    """,
)
WAITING_GUARDIANS = Statement(
    WaitingRow,
    f"""
    SELECT g.guardian_id, g.starts_at FROM guardianship g
    WHERE g.patient_id = $1 AND g.barred_at IS NULL AND g.starts_at IS NOT NULL AND g.starts_at > $2
      AND {_GUARDIAN_ROW.format("g", "g.patient_id")}
    ORDER BY g.starts_at LIMIT 20
    """,  # noqa: S608
)
# Until when one guardian waits; none where it stands, was said no to, or a merge or a restore holds it.
WAITS_UNTIL = Scalar(
    datetime,
    f"""
    SELECT g.starts_at FROM guardianship g JOIN citizen c ON c.patient_id = g.patient_id
    WHERE g.patient_id = $1 AND g.guardian_id = $2 AND g.barred_at IS NULL AND g.starts_at > $3
      AND c.state = ANY($4) AND {_GUARDIAN_ROW.format("g", "g.patient_id")}
    """,  # noqa: S608
)
# Somebody said no to this one while it waited, and no desk has seen the two since.
WAS_OBJECTED_TO = Scalar(
    bool,
    "SELECT EXISTS (SELECT FROM guardianship WHERE patient_id = $1 AND guardian_id = $2"
    " AND ended_at < starts_at) AS objected",
)
END_WAITING = Scalar(
    UUID,
    "UPDATE guardianship SET ended_at = $3 WHERE patient_id = $1 AND guardian_id = $2 AND starts_at > $3"
    " AND ended_at IS NULL RETURNING link_id",
)

# -- guardians

# A desk proves the link again after a restore; which labels the youth lets the guardian see it cannot know.
# $8 since when this epoch is.
PUT_GUARDIANSHIP = Scalar(
    UUID,
    """
    INSERT INTO guardianship (patient_id, guardian_id, link_id, proof, facility_id, since, starts_at, ticked)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 0)
    ON CONFLICT (patient_id, guardian_id) DO UPDATE SET proof = EXCLUDED.proof,
        facility_id = EXCLUDED.facility_id, proven_at = EXCLUDED.since, ended_at = NULL,
        starts_at = EXCLUDED.starts_at,
        ticked = CASE WHEN $8 > greatest(guardianship.since, guardianship.proven_at)
            THEN 0 ELSE guardianship.ticked END
    WHERE guardianship.barred_at IS NULL
    RETURNING link_id
    """,
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
    "UPDATE guardianship SET barred_at = $3, barred_at_facility = $4 WHERE patient_id = $1"
    " AND guardian_id = $2 AND barred_at IS NULL RETURNING link_id",
)
BARRED_AT_FACILITY = Scalar(
    UUID,
    "SELECT barred_at_facility FROM guardianship WHERE patient_id = $1 AND guardian_id = $2"
    " AND barred_at IS NOT NULL",
)
UNBAR_GUARDIAN = Scalar(
    UUID,
    "UPDATE guardianship SET barred_at = NULL, barred_at_facility = NULL WHERE patient_id = $1"
    " AND guardian_id = $2 AND barred_at IS NOT NULL RETURNING link_id",
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
# Each side has a dispute of its own: whose it is, the person acted for or who acts, picks the column.
DISPUTE_GUARDIANSHIP = Scalar(
    UUID,
    "UPDATE guardianship SET disputed_at = coalesce(disputed_at, $3) WHERE patient_id = $1"
    " AND guardian_id = $2 AND ended_at IS NULL RETURNING link_id",
)
DISPUTE_GUARDIANSHIP_ACTING = Scalar(
    UUID,
    "UPDATE guardianship SET acting_disputed_at = coalesce(acting_disputed_at, $3) WHERE patient_id = $1"
    " AND guardian_id = $2 AND ended_at IS NULL RETURNING link_id",
)
SETTLE_GUARDIANSHIP = Scalar(
    UUID,
    "UPDATE guardianship SET disputed_at = NULL WHERE patient_id = $1 AND guardian_id = $2"
    " AND disputed_at IS NOT NULL RETURNING link_id",
)
SETTLE_GUARDIANSHIP_ACTING = Scalar(
    UUID,
    "UPDATE guardianship SET acting_disputed_at = NULL WHERE patient_id = $1 AND guardian_id = $2"
    " AND acting_disputed_at IS NOT NULL RETURNING link_id",
)
# While it is disputed by anybody a tick can only be taken away.
TICK_LABELS = Scalar(
    UUID,
    "UPDATE guardianship SET ticked = $3 WHERE patient_id = $1 AND guardian_id = $2 AND ended_at IS NULL"
    " AND (coalesce(disputed_at, acting_disputed_at) IS NULL OR $3 & ~ticked = 0) RETURNING link_id",
)
GUARDIAN_ROWS = Statement(
    GuardianRow,
    "SELECT patient_id, guardian_id, link_id, proof, since, ticked FROM guardianship"
    " WHERE patient_id = $1 AND ended_at IS NULL AND barred_at IS NULL ORDER BY since LIMIT 20",
)
DEPENDENTS = Statement(
    MirrorRow,
    "SELECT patient_id, dependent_id, link_id, since FROM guardianship_by_guardian"
    " WHERE patient_id = $1 AND ended_at IS NULL ORDER BY since LIMIT 50",
)

# Whether anything was ever written between two people, at the end of the person acted for.
PAIR_KNOWN = Scalar(
    bool,
    """
    SELECT EXISTS (SELECT FROM proxy WHERE patient_id = $1 AND proxy_id = $2)
        OR EXISTS (SELECT FROM guardianship WHERE patient_id = $1 AND guardian_id = $2)
        OR EXISTS (SELECT FROM birth_link WHERE patient_id = $1 AND mother_id = $2) AS known
    """,
)

# -- what two accounts of a facility say

INSERT_PROPOSAL = Command(
    """
    INSERT INTO guardianship_proposal (proposal_id, kind, proof, child_id, guardian_id, facility_id,
        proposed_by, proposed_at, expires_at, document)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    """
)
_PROPOSAL = (
    "proposal_id, kind, proof, child_id AS patient_id, guardian_id, facility_id, proposed_by, document"
)
OPEN_PROPOSAL = Statement(
    ProposalRow,
    f"SELECT {_PROPOSAL} FROM guardianship_proposal WHERE proposal_id = $1 AND confirmed_by IS NULL"  # noqa: S608
    " AND expires_at > $2 AND proposed_by <> $3",
)
CONFIRM_PROPOSAL = Statement(
    ProposalRow,
    f"""
    UPDATE guardianship_proposal SET confirmed_by = $3
    WHERE proposal_id = $1 AND proposed_by <> $3 AND confirmed_by IS NULL AND expires_at > $2
    RETURNING {_PROPOSAL}
    """,  # noqa: S608
)
PROPOSAL_OF_ACTOR = Scalar(
    UUID,
    "SELECT proposal_id FROM guardianship_proposal WHERE proposal_id = $1 AND facility_id = $2"
    " AND (proposed_by = $3 OR confirmed_by = $3)",
)

# -- proxies

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
FIND_INVITATION = Statement(
    Found, "SELECT patient_id, invitation_id FROM proxy_invitation WHERE code_hash = $1 AND expires_at > $2"
)
DROP_INVITATION = Command("DELETE FROM proxy_invitation WHERE code_hash = $1")
INSERT_OFFER = Command(
    """
    INSERT INTO proxy_offer (patient_id, invitation_id, scopes, until, created_at, expires_at, facility_id,
        for_number)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    """
)
_OFFER = "patient_id, invitation_id, scopes, until, created_at, expires_at, for_number"
# $2 now. What was offered before a restore is dead.
_OPEN = "ended_at IS NULL AND expires_at > $2 AND until > $2 AND NOT " + epoch_holds("proxy_offer.created_at")
OPEN_OFFERS = Statement(
    InvitationRow,
    f"SELECT {_OFFER} FROM proxy_offer WHERE patient_id = $1 AND {_OPEN} ORDER BY created_at LIMIT 20",  # noqa: S608
)
TAKE_OFFER = Statement(
    InvitationRow,
    f"UPDATE proxy_offer SET ended_at = $2 WHERE patient_id = $1 AND invitation_id = $3 AND {_OPEN}"  # noqa: S608
    f" RETURNING {_OFFER}",
)
END_OFFERS = Command("UPDATE proxy_offer SET ended_at = $2 WHERE patient_id = $1 AND ended_at IS NULL")
# A dispute stays until it is taken back or the link ends: no code talks over it, nor over a court's decision.
PUT_PROXY = Scalar(
    UUID,
    """
    INSERT INTO proxy (patient_id, proxy_id, link_id, scopes, since, until, court_document, court_facility_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (patient_id, proxy_id) DO UPDATE SET link_id = EXCLUDED.link_id, scopes = EXCLUDED.scopes,
        since = EXCLUDED.since, until = EXCLUDED.until, ended_at = NULL,
        court_document = EXCLUDED.court_document, court_facility_id = EXCLUDED.court_facility_id
    WHERE proxy.disputed_at IS NULL AND proxy.acting_disputed_at IS NULL
      AND (EXCLUDED.court_facility_id IS NOT NULL OR proxy.court_facility_id IS NULL
        OR proxy.ended_at IS NOT NULL OR proxy.until <= EXCLUDED.since)
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
_PROXY = "patient_id, proxy_id, link_id, scopes, since, until"
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
    "UPDATE proxy SET ended_at = $3, disputed_at = NULL, acting_disputed_at = NULL WHERE patient_id = $1"
    " AND proxy_id = $2 AND ended_at IS NULL RETURNING link_id",
)
# The person's own word; a court's decision is not the person's to end.
END_OWN_PROXY = Scalar(
    UUID,
    "UPDATE proxy SET ended_at = $3, disputed_at = NULL, acting_disputed_at = NULL WHERE patient_id = $1"
    " AND proxy_id = $2 AND ended_at IS NULL AND court_facility_id IS NULL RETURNING link_id",
)
END_COURT_PROXY = Scalar(
    UUID,
    "UPDATE proxy SET ended_at = $3, disputed_at = NULL, acting_disputed_at = NULL WHERE patient_id = $1"
    " AND proxy_id = $2 AND ended_at IS NULL AND court_facility_id IS NOT NULL RETURNING link_id",
)
END_PROXY_BY_PROXY = Command(
    "UPDATE proxy_by_proxy SET ended_at = $3 WHERE patient_id = $1 AND dependent_id = $2 AND ended_at IS NULL"
)
RENEW_PROXY = Scalar(
    UUID,
    "UPDATE proxy SET until = $3, since = $4 WHERE patient_id = $1 AND proxy_id = $2 AND ended_at IS NULL"
    " AND until > $4 AND disputed_at IS NULL AND acting_disputed_at IS NULL AND court_facility_id IS NULL"
    " RETURNING link_id",
)
RENEW_PROXY_BY_PROXY = Command(
    "UPDATE proxy_by_proxy SET until = $3, since = $4 WHERE patient_id = $1 AND dependent_id = $2"
    " AND ended_at IS NULL"
)
DISPUTE_PROXY = Scalar(
    UUID,
    "UPDATE proxy SET disputed_at = coalesce(disputed_at, $3) WHERE patient_id = $1 AND proxy_id = $2"
    " AND ended_at IS NULL RETURNING link_id",
)
DISPUTE_PROXY_ACTING = Scalar(
    UUID,
    "UPDATE proxy SET acting_disputed_at = coalesce(acting_disputed_at, $3) WHERE patient_id = $1"
    " AND proxy_id = $2 AND ended_at IS NULL RETURNING link_id",
)
SETTLE_PROXY = Scalar(
    UUID,
    "UPDATE proxy SET disputed_at = NULL WHERE patient_id = $1 AND proxy_id = $2"
    " AND disputed_at IS NOT NULL RETURNING link_id",
)
SETTLE_PROXY_ACTING = Scalar(
    UUID,
    "UPDATE proxy SET acting_disputed_at = NULL WHERE patient_id = $1 AND proxy_id = $2"
    " AND acting_disputed_at IS NOT NULL RETURNING link_id",
)

# -- what two accounts of a desk write for somebody without a phone

INSERT_DESK_PROPOSAL = Command(
    """
    INSERT INTO proxy_proposal (proposal_id, person_id, scopes, until, for_number, facility_id, proposed_by,
        proposed_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    """
)
_DESK = "proposal_id, person_id AS patient_id, scopes, until, for_number, facility_id"
OPEN_DESK_PROPOSAL = Statement(
    DeskProposalRow,
    f"SELECT {_DESK} FROM proxy_proposal WHERE proposal_id = $1 AND confirmed_by IS NULL"  # noqa: S608
    " AND expires_at > $2 AND proposed_by <> $3 AND facility_id = $4",
)
CONFIRM_DESK_PROPOSAL = Scalar(
    UUID,
    "UPDATE proxy_proposal SET confirmed_by = $3 WHERE proposal_id = $1 AND proposed_by <> $3"
    " AND confirmed_by IS NULL AND expires_at > $2 AND facility_id = $4 RETURNING proposal_id",
)
DESK_PROPOSAL_OF_ACTOR = Scalar(
    UUID,
    "SELECT proposal_id FROM proxy_proposal WHERE proposal_id = $1 AND facility_id = $2"
    " AND (proposed_by = $3 OR confirmed_by = $3)",
)
