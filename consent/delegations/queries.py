"""All SQL of delegations and of the nurse's line in the list of grants."""

from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from consent.grants.queries import IN_FORCE, ORIGINS
from consent.models import Grant
from kernel.access import RecordType
from store.database import Tx
from store.epoch import epoch_holds
from store.statement import Command, Scalar, Statement


class LiveDelegation(Struct, frozen=True):
    """A delegation in force with the grant it stands on, and who gave that one's doctor the right to it."""

    delegation_id: UUID
    grant_id: UUID
    version: int
    types: list[RecordType]
    since: date | None
    until: date | None
    delegated_at: datetime
    created_at: datetime
    confirmed_at: datetime | None
    delegated_by: UUID
    practitioner_role_id: UUID
    told_on: date | None
    origins: list[UUID]
    sealed_person: bytes


LIVE_DELEGATION = Statement(
    LiveDelegation,
    f"""
    SELECT d.delegation_id, g.grant_id, g.version, d.types, g.since, g.until, d.created_at AS delegated_at,
        g.created_at, g.confirmed_at, d.delegated_by, g.practitioner_role_id, d.told_on, {ORIGINS} AS origins,
        c.demographics AS sealed_person
    FROM consent_delegation d
    JOIN consent_grant g ON g.patient_id = d.patient_id AND g.grant_id = d.grant_id
    JOIN citizen c ON c.patient_id = g.patient_id
    WHERE d.patient_id = $1 AND d.practitioner_id = $2 AND d.facility_id = $3 AND d.ended_at IS NULL
      AND NOT {epoch_holds("d.created_at")} AND {IN_FORCE}
      AND NOT EXISTS (SELECT FROM consent_block b WHERE b.patient_id = d.patient_id
        AND b.target_id IN (d.practitioner_id, d.facility_id) AND b.lifted_at IS NULL)
    """,  # noqa: S608
)


async def live_delegation(
    tx: Tx, patient_id: UUID, practitioner_id: UUID, facility_id: UUID, now: datetime
) -> LiveDelegation | None:
    """What this nurse may do here now, with the grant it stands on re-read; one statement."""
    return await LIVE_DELEGATION.one(tx, patient_id, practitioner_id, facility_id, now)


TELL_FIRST_USE = Scalar(
    UUID,
    """
    UPDATE consent_delegation SET told_on = $3
    WHERE patient_id = $1 AND delegation_id = $2 AND (told_on IS NULL OR told_on < $3)
    RETURNING delegation_id
    """,
)


async def take_first_use(tx: Tx, patient_id: UUID, delegation_id: UUID, day: date) -> bool:
    return await TELL_FIRST_USE.one(tx, patient_id, delegation_id, day) is not None


class Delegation(Struct, frozen=True):
    """A row of consent_delegation as its citizen and its doctor see it."""

    patient_id: UUID
    delegation_id: UUID
    grant_id: UUID
    delegated_by: UUID
    practitioner_id: UUID
    practitioner_name: str
    licence: str
    facility_id: UUID
    facility_name: str
    types: list[RecordType]
    created_at: datetime
    ended_at: datetime | None


COLUMNS = """patient_id, delegation_id, grant_id, delegated_by, practitioner_id, practitioner_name, licence,
    facility_id, facility_name, types, created_at, ended_at"""

INSERT_DELEGATION = Command(
    f"""
    INSERT INTO consent_delegation ({COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL)
    """  # noqa: S608
)
INSERT_LINE = Command(
    """
    INSERT INTO practitioner_grant (actor_id, patient_id, grant_id, facility_id, purpose, types, since,
        until, starts_at, ends_at, agreed_at, version, delegated_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    """
)


async def insert_delegation(tx: Tx, made: Delegation, grant: Grant) -> None:
    """The person's row and the nurse's line, whose id is the delegation's."""
    await INSERT_DELEGATION.run(
        tx,
        made.patient_id,
        made.delegation_id,
        made.grant_id,
        made.delegated_by,
        made.practitioner_id,
        made.practitioner_name,
        made.licence,
        made.facility_id,
        made.facility_name,
        made.types,
        made.created_at,
    )
    await INSERT_LINE.run(
        tx,
        made.practitioner_id,
        made.patient_id,
        made.delegation_id,
        made.facility_id,
        grant.purpose,
        made.types,
        grant.since,
        grant.until,
        grant.starts_at,
        grant.ends_at,
        made.created_at,
        grant.version,
        made.delegated_by,
    )


END_DELEGATION = Scalar(
    UUID,
    """
    UPDATE consent_delegation SET ended_at = $3
    WHERE patient_id = $1 AND delegation_id = $2 AND ended_at IS NULL
    RETURNING practitioner_id
    """,
)


async def end_delegation(tx: Tx, patient_id: UUID, delegation_id: UUID, now: datetime) -> UUID | None:
    """The nurse whose delegation it was; None when it had ended."""
    return await END_DELEGATION.one(tx, patient_id, delegation_id, now)


class Ended(Struct, frozen=True):
    delegation_id: UUID
    practitioner_id: UUID


END_OF_GRANT = Statement(
    Ended,
    """
    UPDATE consent_delegation SET ended_at = $3
    WHERE patient_id = $1 AND grant_id = $2 AND ended_at IS NULL
    RETURNING delegation_id, practitioner_id
    """,
)


async def end_of_grant(tx: Tx, patient_id: UUID, grant_id: UUID, now: datetime) -> list[Ended]:
    return await END_OF_GRANT.all(tx, patient_id, grant_id, now)


LIVE_DELEGATIONS = Statement(
    Delegation,
    f"""
    SELECT {COLUMNS} FROM consent_delegation WHERE patient_id = $1 AND ended_at IS NULL
    ORDER BY delegation_id
    """,  # noqa: S608
)


async def live_delegations(tx: Tx, patient_id: UUID) -> list[Delegation]:
    """All that have not ended, oldest first; those of a grant that ran out open nothing."""
    return await LIVE_DELEGATIONS.all(tx, patient_id)


HANDED_ON = Statement(
    Delegation,
    f"""
    SELECT {COLUMNS} FROM consent_delegation
    WHERE patient_id = ANY($1::uuid[]) AND delegated_by = $2 AND ended_at IS NULL ORDER BY delegation_id
    """,  # noqa: S608
    fan_out="a page of the people who let a practitioner in: at most a hundred",
)


async def handed_on(tx: Tx, practitioner_id: UUID, patient_ids: list[UUID]) -> list[Delegation]:
    """What one doctor handed to nurses of these persons' books and has not ended, oldest first."""
    return await HANDED_ON.all(tx, patient_ids, practitioner_id)


DELEGATION_BY_ID = Statement(
    Delegation,
    f"SELECT {COLUMNS} FROM consent_delegation WHERE patient_id = $1 AND delegation_id = $2",  # noqa: S608
)


async def delegation_by_id(tx: Tx, patient_id: UUID, delegation_id: UUID) -> Delegation | None:
    return await DELEGATION_BY_ID.one(tx, patient_id, delegation_id)
