"""All SQL of grants and of their mirrors on the practitioner's side."""

from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from consent.models import EndReason, Grant, LiveGrant, PractitionerGrant
from consent.queries import granter_is_gone, waits_for_youth
from identity.queries import held
from store.database import Tx
from store.epoch import epoch_holds
from store.statement import Command, Scalar, Statement

# Merged persons whose rows were to be seen when the grant `g` was made (security.md S10).
ORIGINS = """ARRAY(SELECT o.origin_id FROM person_origin o WHERE o.patient_id = $1
            AND greatest(o.visible_at, o.moved_at, o.proven_at) <= g.created_at AND o.moved_at IS NOT NULL
            AND (o.proven_at IS NOT NULL OR NOT o.needs_proof))"""
# The grant `g` of the living person `c` at the instant $4.
IN_FORCE = f"""g.ended_at IS NULL
      AND g.starts_at <= $4 AND g.ends_at > $4 AND c.state IN ('active', 'death-reported')
      AND NOT {held("$1", "g.created_at", "g.confirmed_at")}
      AND NOT {epoch_holds("g.created_at", "g.confirmed_at")}
      AND NOT {waits_for_youth("g", "$4")} AND NOT {granter_is_gone("g", "$4")}"""

LIVE_GRANT = Statement(
    LiveGrant,
    f"""
    SELECT g.grant_id, g.version, g.types, g.since, g.until, g.labels, g.created_at, g.confirmed_at,
        g.told_on, {ORIGINS} AS origins, c.demographics AS sealed_person,
        EXISTS (SELECT FROM emergency_access e WHERE e.patient_id = $1 AND e.practitioner_id = $2
            AND e.facility_id = $3 AND e.ended_at IS NULL AND e.ends_at > $4) AS broke_glass
    FROM consent_grant g JOIN citizen c ON c.patient_id = g.patient_id
    WHERE g.patient_id = $1 AND g.practitioner_id = $2 AND g.facility_id = $3 AND {IN_FORCE}
    """,  # noqa: S608
)


async def live_grant(
    tx: Tx, patient_id: UUID, practitioner_id: UUID, facility_id: UUID, now: datetime
) -> LiveGrant | None:
    """The grant in force of this practitioner at this facility, of a living person; one statement."""
    return await LIVE_GRANT.one(tx, patient_id, practitioner_id, facility_id, now)


TELL_FIRST_USE = Scalar(
    UUID,
    """
    UPDATE consent_grant SET told_on = $3
    WHERE patient_id = $1 AND grant_id = $2 AND (told_on IS NULL OR told_on < $3)
    RETURNING grant_id
    """,
)


async def take_first_use(tx: Tx, patient_id: UUID, grant_id: UUID, day: date) -> bool:
    """True for the one use that is the grant's first of the day."""
    return await TELL_FIRST_USE.one(tx, patient_id, grant_id, day) is not None


RECENT_GRANT = Scalar(
    bool,
    """
    SELECT EXISTS (SELECT FROM consent_grant WHERE patient_id = $1 AND facility_id = $2 AND created_at > $3)
        AS known
    """,
)


async def has_recent_grant(tx: Tx, patient_id: UUID, facility_id: UUID, since: datetime) -> bool:
    return bool(await RECENT_GRANT.one(tx, patient_id, facility_id, since))


GRANT_COLUMNS = """patient_id, grant_id, version, supersedes, request_id, practitioner_id,
    practitioner_name, licence, facility_id, facility_name, purpose, tier, presence, types, since, until,
    labels, created_at, starts_at, ends_at, ended_at, end_reason, confirmed_at,
    narrowed_at"""


class Superseded(Struct, frozen=True):
    grant_id: UUID
    version: int


SUPERSEDE = Statement(
    Superseded,
    """
    UPDATE consent_grant SET ended_at = $4, end_reason = 'superseded'
    WHERE patient_id = $1 AND practitioner_id = $2 AND facility_id = $3 AND ended_at IS NULL
    RETURNING grant_id, version
    """,
)


async def supersede(
    tx: Tx, patient_id: UUID, practitioner_id: UUID, facility_id: UUID, now: datetime
) -> Superseded | None:
    """End the one grant that is not ended yet, in force or run out."""
    return await SUPERSEDE.one(tx, patient_id, practitioner_id, facility_id, now)


INSERT_GRANT = Command(
    """
    INSERT INTO consent_grant (patient_id, grant_id, version, supersedes, request_id, practitioner_id,
        practitioner_role_id, practitioner_name, licence, facility_id, facility_name, purpose, tier,
        presence, types, since, until, labels, created_at, starts_at, ends_at, confirmed_at, narrowed_at,
        artefact, fhir_consent)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
        $22, $23, $24, $25)
    """
)


async def insert_grant(
    tx: Tx, grant: Grant, *, practitioner_role_id: UUID, artefact: str, fhir_consent: str
) -> None:
    await INSERT_GRANT.run(
        tx,
        grant.patient_id,
        grant.grant_id,
        grant.version,
        grant.supersedes,
        grant.request_id,
        grant.practitioner_id,
        practitioner_role_id,
        grant.practitioner_name,
        grant.licence,
        grant.facility_id,
        grant.facility_name,
        grant.purpose,
        grant.tier,
        grant.presence,
        grant.types,
        grant.since,
        grant.until,
        grant.labels,
        grant.created_at,
        grant.starts_at,
        grant.ends_at,
        grant.confirmed_at,
        grant.narrowed_at,
        artefact,
        fhir_consent,
    )


INSERT_PRACTITIONER_GRANT = Command(
    """
    INSERT INTO practitioner_grant (actor_id, patient_id, grant_id, facility_id, purpose, types, since,
        until, starts_at, ends_at, agreed_at, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    """
)


async def insert_practitioner_grant(tx: Tx, grant: Grant) -> None:
    await INSERT_PRACTITIONER_GRANT.run(
        tx,
        grant.practitioner_id,
        grant.patient_id,
        grant.grant_id,
        grant.facility_id,
        grant.purpose,
        grant.types,
        grant.since,
        grant.until,
        grant.starts_at,
        grant.ends_at,
        grant.confirmed_at or grant.created_at,
        grant.version,
    )


END_PRACTITIONER_GRANT = Command(
    """
    UPDATE practitioner_grant SET ended_at = $4
    WHERE actor_id = $1 AND patient_id = $2 AND grant_id = $3 AND ended_at IS NULL
    """
)


async def end_practitioner_grant(
    tx: Tx, practitioner_id: UUID, patient_id: UUID, grant_id: UUID, now: datetime
) -> None:
    await END_PRACTITIONER_GRANT.run(tx, practitioner_id, patient_id, grant_id, now)


class OwnLine(Struct, frozen=True):
    """Of a practitioner's list: whose record. delegated_by: the doctor who handed it on, to a nurse."""

    patient_id: UUID
    delegated_by: UUID | None


OWN_LINE = Statement(
    OwnLine,
    "SELECT patient_id, delegated_by FROM practitioner_grant"
    " WHERE actor_id = $1 AND grant_id = $2 AND facility_id = $3",
)


async def own_line(tx: Tx, practitioner_id: UUID, grant_id: UUID, facility_id: UUID) -> OwnLine | None:
    """The practitioner's own grant at this facility, ended or not; None for anybody else's."""
    return await OWN_LINE.one(tx, practitioner_id, grant_id, facility_id)


class Revoked(Struct, frozen=True):
    practitioner_id: UUID
    version: int


REVOKE = Statement(
    Revoked,
    """
    UPDATE consent_grant SET ended_at = $3, end_reason = $4
    WHERE patient_id = $1 AND grant_id = $2 AND ended_at IS NULL
    RETURNING practitioner_id, version
    """,
)


async def revoke(
    tx: Tx, patient_id: UUID, grant_id: UUID, now: datetime, reason: EndReason = "revoked"
) -> Revoked | None:
    return await REVOKE.one(tx, patient_id, grant_id, now, reason)


class Narrowed(Struct, frozen=True):
    practitioner_role_id: UUID
    artefact: str


NARROW = Statement(
    Narrowed,
    """
    UPDATE consent_grant SET ended_at = $3, end_reason = 'narrowed'
    WHERE patient_id = $1 AND grant_id = $2 AND ended_at IS NULL
    RETURNING practitioner_role_id, artefact
    """,
)


async def end_for_narrower(tx: Tx, patient_id: UUID, grant_id: UUID, now: datetime) -> Narrowed:
    """End a version that a narrower one replaces; the person's consent lock is held, so it stands."""
    row = await NARROW.one(tx, patient_id, grant_id, now)
    assert row is not None
    return row


SUCCESSOR = Statement(
    Grant,
    f"""
    SELECT {GRANT_COLUMNS} FROM consent_grant
    WHERE patient_id = $1 AND practitioner_id = $2 AND facility_id = $3 AND ended_at IS NULL
    """,  # noqa: S608
)


async def successor_of(tx: Tx, grant: Grant) -> Grant | None:
    """The version of the same consent that has not been ended."""
    return await SUCCESSOR.one(tx, grant.patient_id, grant.practitioner_id, grant.facility_id)


CONFIRM_GRANT = Statement(
    Grant,
    f"""
    UPDATE consent_grant SET confirmed_at = $3
    WHERE patient_id = $1 AND grant_id = $2 AND ended_at IS NULL AND ends_at > $3
    RETURNING {GRANT_COLUMNS}
    """,  # noqa: S608
)


CONFIRM_PRACTITIONER_GRANT = Command(
    "UPDATE practitioner_grant SET agreed_at = $4 WHERE actor_id = $1 AND patient_id = $2 AND grant_id = $3"
)


async def confirm_grant(tx: Tx, patient_id: UUID, grant_id: UUID, now: datetime) -> Grant | None:
    """Both rows of a live grant say that the person agrees now; None for one that is over."""
    grant = await CONFIRM_GRANT.one(tx, patient_id, grant_id, now)
    if grant is not None:
        await CONFIRM_PRACTITIONER_GRANT.run(tx, grant.practitioner_id, patient_id, grant_id, now)
    return grant


GRANT_BY_ID = Statement(
    Grant,
    f"SELECT {GRANT_COLUMNS} FROM consent_grant WHERE patient_id = $1 AND grant_id = $2",  # noqa: S608
)


async def grant_by_id(tx: Tx, patient_id: UUID, grant_id: UUID) -> Grant | None:
    return await GRANT_BY_ID.one(tx, patient_id, grant_id)


class Proof(Struct, frozen=True):
    artefact: str
    fhir_consent: str


PROOF_OF_GRANT = Statement(
    Proof, "SELECT artefact, fhir_consent FROM consent_grant WHERE patient_id = $1 AND grant_id = $2"
)


async def proof_of_grant(tx: Tx, patient_id: UUID, grant_id: UUID) -> Proof | None:
    return await PROOF_OF_GRANT.one(tx, patient_id, grant_id)


GRANTS_OF_PERSON = Statement(
    Grant,
    f"""
    SELECT {GRANT_COLUMNS} FROM consent_grant WHERE patient_id = $1 AND grant_id < $2
    ORDER BY grant_id DESC LIMIT $3
    """,  # noqa: S608
)


async def grants_of_person(tx: Tx, patient_id: UUID, before: UUID, limit: int) -> list[Grant]:
    """Newest first: grant ids are time-ordered."""
    return await GRANTS_OF_PERSON.all(tx, patient_id, before, limit)


GRANTS_OF_PRACTITIONER = Statement(
    PractitionerGrant,
    f"""
    SELECT patient_id, grant_id, coalesce(version, 1) AS version, facility_id, purpose, types, since, until,
        starts_at, ends_at, coalesce(coalesce(agreed_at, starts_at) <= $6, false)
            OR {epoch_holds("practitioner_grant.starts_at", "practitioner_grant.agreed_at")} AS held
    FROM practitioner_grant
    WHERE actor_id = $1 AND facility_id = $2 AND ended_at IS NULL AND ends_at > $3 AND grant_id < $4
        AND ($7::uuid IS NULL OR patient_id = $7)
    ORDER BY grant_id DESC LIMIT $5
    """,  # noqa: S608
)


async def grants_of_practitioner(
    tx: Tx,
    practitioner_id: UUID,
    facility_id: UUID,
    now: datetime,
    before: UUID,
    limit: int,
    factors_reset_at: datetime | None,
    patient_id: UUID | None,
) -> list[PractitionerGrant]:
    """patient_id: of this person alone, where it is named."""
    return await GRANTS_OF_PRACTITIONER.all(
        tx, practitioner_id, facility_id, now, before, limit, factors_reset_at, patient_id
    )


LIVE_GRANTS_OF_PERSON = Statement(
    Grant,
    f"""
    SELECT {GRANT_COLUMNS} FROM consent_grant
    WHERE patient_id = $1 AND ended_at IS NULL AND ends_at > $2 ORDER BY grant_id
    """,  # noqa: S608
)


async def live_grants_of_person(tx: Tx, patient_id: UUID, now: datetime) -> list[Grant]:
    """Every grant in force or about to start, oldest first."""
    return await LIVE_GRANTS_OF_PERSON.all(tx, patient_id, now)


class GrantKey(Struct, frozen=True):
    patient_id: UUID
    grant_id: UUID


LIVE_GRANT_KEYS = Statement(
    GrantKey,
    """
    SELECT patient_id, grant_id FROM practitioner_grant
    WHERE actor_id = $1 AND ended_at IS NULL AND ends_at > $2 AND (patient_id, grant_id) > ($3, $4)
      AND delegated_by IS NULL
    ORDER BY patient_id, grant_id LIMIT $5
    """,
)


async def live_grant_keys(
    tx: Tx, practitioner_id: UUID, now: datetime, after: GrantKey, limit: int
) -> list[GrantKey]:
    """A page of everybody's grants to this practitioner, at every facility."""
    return await LIVE_GRANT_KEYS.all(tx, practitioner_id, now, after.patient_id, after.grant_id, limit)
