"""All SQL of consents to apps and partners, and of the clients' side of them."""

from uuid import UUID

from consent.apps.models import AppConsent, ByReference, HeldRow, LiveConsent
from identity.queries import held
from store.epoch import epoch_holds
from store.statement import Command, Scalar, Statement

_COLUMNS = """a.patient_id, a.consent_id, a.client_id, a.kind, a.client_name, a.holder, a.reference, a.groups,
    a.types, a.scope, a.verification_id, a.device_id, a.created_at, a.ends_at, a.confirmed_at, a.ended_at,
    a.end_reason, a.last_used_at"""
# What a merge of persons or a restored backup holds until the person says it again (security.md S10, S12).
# $1 is the person in every statement with one of these two.
_HELD = f"""({held("$1", "a.created_at", "a.confirmed_at")}
    OR {epoch_holds("a.created_at", "a.confirmed_at")})"""
# Merged persons whose rows were to be seen when the consent was given.
_ORIGINS = """ARRAY(SELECT o.origin_id FROM person_origin o WHERE o.patient_id = $1
    AND greatest(o.visible_at, o.moved_at, o.proven_at) <= a.created_at AND o.moved_at IS NOT NULL
    AND (o.proven_at IS NOT NULL OR NOT o.needs_proof))"""

INSERT = Command(
    """
    INSERT INTO app_consent (patient_id, consent_id, client_id, kind, client_name, holder, reference, groups,
        types, scope, verification_id, device_id, artefact, created_at, ends_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
    """
)
INSERT_BY_CLIENT = Command(
    """
    INSERT INTO app_consent_by_client (client_id, reference, patient_id, consent_id, created_at)
    VALUES ($1, $2, $3, $4, $5)
    """
)
BY_REFERENCE = Statement(
    ByReference,
    "SELECT patient_id, consent_id FROM app_consent_by_client WHERE client_id = $1 AND reference = $2",
)
# $1 person, $2 consent, $3 client, $4 now. A client that was ended is in no force.
LIVE = Statement(
    LiveConsent,
    f"""
    SELECT a.consent_id, a.kind, a.groups, a.types, k.groups_max, a.last_used_at, a.told_on,
        {_ORIGINS} AS origins, c.demographics AS sealed_person
    FROM app_consent a JOIN citizen c ON c.patient_id = a.patient_id
        JOIN app_client k ON k.client_id = a.client_id
    WHERE a.patient_id = $1 AND a.consent_id = $2 AND a.client_id = $3 AND a.ended_at IS NULL
        AND a.ends_at > $4 AND k.ended_at IS NULL AND c.state IN ('active', 'death-reported')
        AND NOT {_HELD}
    """,  # noqa: S608
)
NOTE_USE = Command("UPDATE app_consent SET last_used_at = $3 WHERE patient_id = $1 AND consent_id = $2")
NOTE_END_OF_ALL = Command("UPDATE consent_guard SET apps_ended_at = $2 WHERE patient_id = $1")
ENDED_SINCE = Scalar(bool, "SELECT apps_ended_at >= $2 AS ended FROM consent_guard WHERE patient_id = $1")
TAKE_FIRST_USE = Scalar(
    UUID,
    """
    UPDATE app_consent SET told_on = $3
    WHERE patient_id = $1 AND consent_id = $2 AND (told_on IS NULL OR told_on < $3)
    RETURNING consent_id
    """,
)
OF_PERSON = Statement(
    AppConsent,
    f"""
    SELECT {_COLUMNS} FROM app_consent a
    WHERE a.patient_id = $1 AND (a.ended_at IS NULL OR $2) ORDER BY a.consent_id DESC LIMIT $3
    """,  # noqa: S608
)
BY_ID = Statement(
    AppConsent,
    f"SELECT {_COLUMNS} FROM app_consent a WHERE a.patient_id = $1 AND a.consent_id = $2",  # noqa: S608
)
HELD = Statement(
    HeldRow,
    f"""
    SELECT a.consent_id, {_HELD} AS held FROM app_consent a WHERE a.patient_id = $1 AND a.ended_at IS NULL
    """,  # noqa: S608
)
END = Statement(
    AppConsent,
    f"""
    UPDATE app_consent AS a SET ended_at = $3, end_reason = $4
    WHERE a.patient_id = $1 AND a.consent_id = $2 AND a.ended_at IS NULL RETURNING {_COLUMNS}
    """,  # noqa: S608
)
SUPERSEDE = Statement(
    AppConsent,
    f"""
    UPDATE app_consent AS a SET ended_at = $3, end_reason = 'superseded'
    WHERE a.patient_id = $1 AND a.client_id = $2 AND a.ended_at IS NULL RETURNING {_COLUMNS}
    """,  # noqa: S608
)
CONFIRM = Statement(
    AppConsent,
    f"""
    UPDATE app_consent AS a SET confirmed_at = $3
    WHERE a.patient_id = $1 AND a.consent_id = $2 AND a.ended_at IS NULL AND a.ends_at > $3
    RETURNING {_COLUMNS}
    """,  # noqa: S608
)
