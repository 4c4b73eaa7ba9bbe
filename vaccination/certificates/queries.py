"""All SQL of certificates, of what they rest on, and of when facilities may vaccinate."""

from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from ehr.intake.systems import PERSON_EXTENSIONS
from store.database import Tx
from store.statement import Command, Scalar, Statement
from vaccination.book.queries import DoseRow
from vaccination.certificates.models import CertificateRow, Period, SetBy

DOSES_MAX = 500

# Not through the filter: what a person hides from readers says nothing of whether its facility stands by it.
# Nothing of it leaves but the certificate, which its person alone can fetch.
_STANDING = """
    SELECT r.id, r.version, r.updated, r.eff, r.eff_precision, r.state, r.facility_id,
        f.name AS facility_name, r.source_id, r.code_system, r.code, r.title, r.item, r.doc,
        CASE WHEN r.contested THEN 'disputed' END AS mark, CASE WHEN r.twin THEN r.fold_key END AS fold
    FROM ehr_resource r LEFT JOIN facility f ON f.facility_id = r.facility_id
    WHERE r.patient_id = $1 AND r.section = 'immunizations' AND r.rtype = 'Immunization'
        AND r.status = 'completed' AND NOT r.negative AND NOT r.deleted AND r.state <> 'disputed'"""
# $2: doses that are asked about. They are among the rows however many newer ones somebody sent.
STANDING = Statement(
    DoseRow,
    f"{_STANDING} ORDER BY r.id = ANY ($2::text[]) DESC, r.sort_at DESC, r.id DESC LIMIT {DOSES_MAX}",
)


class SideRow(Struct, frozen=True):
    """What stands beside a dose. said_at: when a version of it first said of the same vaccine and day that it
    was given. credential: of who sent what it says now."""

    id: str
    origin_patient_id: UUID | None
    credential: str
    said_at: datetime


# An entry of another vaccine, of a dose that was not given or that somebody else gave, does not vouch for
# this one's day. How manieth it was and its lot may be put right late.
_SAID = """jsonb_build_array({0}.doc::jsonb -> 'status', {0}.doc::jsonb -> 'occurrenceDateTime',
                {0}.doc::jsonb -> 'vaccineCode', {0}.doc::jsonb #> '{{protocolApplied,0,targetDisease}}',
                coalesce({0}.doc::jsonb -> 'primarySource', 'true'))"""
SIDES = Statement(
    SideRow,
    f"""
    SELECT r.id, r.origin_patient_id, r.credential, least(r.updated, (
        SELECT min(h.updated) FROM ehr_history h
        WHERE h.patient_id = $1 AND h.rtype = 'Immunization' AND h.id = r.id AND NOT h.deleted
            AND {_SAID.format("h")} = {_SAID.format("r")})) AS said_at
    FROM ehr_resource r
    WHERE r.patient_id = $1 AND r.rtype = 'Immunization' AND r.id = ANY ($2::text[])
    """,  # noqa: S608 - a constant of ours
)


class FreshRow(Struct, frozen=True):
    """Until when what came from one system can be relied on: it was asked then, whole."""

    source_id: str
    asked_at: datetime | None


# The part of the book that doses are in (ehr/core/policy.py).
FRESH = Statement(
    FreshRow,
    """
    SELECT source_id, CASE WHEN whole AND complete THEN asked_at END AS asked_at FROM ehr_core_part
    WHERE patient_id = $1 AND part = 'immunizations'
    """,
)


class NationalityRow(Struct, frozen=True):
    """code: as records of facilities say it (MA_QUOCTICH)."""

    code: str


_URL, _SYSTEM = PERSON_EXTENSIONS["MA_QUOCTICH"]
NATIONALITIES = Statement(
    NationalityRow,
    f"""
    SELECT DISTINCT said ->> 'code' AS code
    FROM ehr_resource r, jsonb_path_query(r.doc::jsonb, '$.extension[*] ? (@.url == "{_URL}")
        .valueCodeableConcept.coding[*] ? (@.system == "{_SYSTEM}")') AS said
    WHERE r.patient_id = $1 AND r.rtype = 'Patient' AND NOT r.deleted
    """,  # noqa: S608 - constants of ours
)

INSERT_PERIOD = Scalar(
    UUID,
    """
    INSERT INTO vaccination_authority (facility_id, from_on, until_on, recorded_at)
    SELECT $1, $2, $3, $4 WHERE NOT EXISTS (
        SELECT FROM vaccination_authority
        WHERE facility_id = $1 AND from_on <= coalesce($3, 'infinity'::date)
            AND coalesce(until_on, 'infinity'::date) >= $2)
    ON CONFLICT DO NOTHING RETURNING facility_id
    """,
)
END_PERIOD = Scalar(
    UUID,
    """
    UPDATE vaccination_authority SET until_on = $2
    WHERE facility_id = $1 AND from_on <= $2 AND coalesce(until_on, 'infinity'::date) >= $2
    RETURNING facility_id
    """,
)
PERIODS = Statement(
    Period,
    """
    SELECT facility_id, from_on, until_on FROM vaccination_authority
    WHERE facility_id = ANY ($1::uuid[]) ORDER BY facility_id, from_on
    """,
)


class Confirmed(Struct, frozen=True):
    dose_id: str
    said_sha256: bytes


CONFIRMED = Statement(
    Confirmed, "SELECT dose_id, said_sha256 FROM vaccination_confirmation WHERE patient_id = $1"
)
CONFIRM = Scalar(
    str,
    """
    INSERT INTO vaccination_confirmation
        (patient_id, dose_id, said_sha256, facility_id, confirmed_by, confirmed_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING dose_id
    """,
)
ASK = Command(
    """
    INSERT INTO facility_vaccination_confirmation
        (facility_id, confirmation_id, patient_id, dose_id, said_sha256, asked_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
    """
)


class AskedRow(Struct, frozen=True):
    confirmation_id: UUID
    patient_id: UUID
    dose_id: str
    said_sha256: bytes
    asked_at: datetime


ASKED = Statement(
    AskedRow,
    """
    SELECT confirmation_id, patient_id, dose_id, said_sha256, asked_at FROM facility_vaccination_confirmation
    WHERE facility_id = $1 AND confirmed_at IS NULL ORDER BY confirmation_id LIMIT $2
    """,
)
ASKED_ONE = Statement(
    AskedRow,
    """
    SELECT confirmation_id, patient_id, dose_id, said_sha256, asked_at FROM facility_vaccination_confirmation
    WHERE facility_id = $1 AND confirmation_id = $2 AND confirmed_at IS NULL FOR UPDATE
    """,
)
ANSWER = Command(
    """
    UPDATE facility_vaccination_confirmation SET confirmed_at = $3
    WHERE facility_id = $1 AND confirmation_id = $2
    """
)

_CERTIFICATE = """patient_id, certificate_id, dose_id, issuance_id, signer_id, kid, algorithm, state, content,
        facts_sha256, begun_at, issued_at, expires_at, replaces, replaced_by, ended_at, end_reason"""
CERTIFICATES = Statement(
    CertificateRow,
    f"""
    SELECT {_CERTIFICATE} FROM vaccination_certificate
    WHERE patient_id = $1 AND state NOT IN ('signing', 'abandoned')
    ORDER BY certificate_id DESC LIMIT 500
    """,  # noqa: S608 - a constant of ours
)
CERTIFICATE = Statement(
    CertificateRow,
    f"SELECT {_CERTIFICATE} FROM vaccination_certificate WHERE patient_id = $1 AND certificate_id = $2",  # noqa: S608
)
LOCK = Statement(
    CertificateRow,
    f"""
    SELECT {_CERTIFICATE} FROM vaccination_certificate
    WHERE patient_id = $1 AND certificate_id = $2 FOR UPDATE
    """,  # noqa: S608 - a constant of ours
)
OF_DOSE = Statement(
    CertificateRow,
    f"""
    SELECT {_CERTIFICATE} FROM vaccination_certificate
    WHERE patient_id = $1 AND dose_id = $2 AND state IN ('signing', 'valid', 'renewed')
    ORDER BY certificate_id FOR UPDATE
    """,  # noqa: S608 - a constant of ours
)
# Those of a person that verifiers still accept, or that are being made.
LIVE = Statement(
    CertificateRow,
    f"""
    SELECT {_CERTIFICATE} FROM vaccination_certificate
    WHERE patient_id = $1 AND state IN ('signing', 'valid', 'renewed') AND expires_at > $2
    ORDER BY certificate_id FOR UPDATE
    """,  # noqa: S608 - a constant of ours
)
BEGIN = Scalar(
    UUID,
    """
    INSERT INTO vaccination_certificate (patient_id, certificate_id, dose_id, issuance_id, signer_id, kid,
        algorithm, state, content, facts_sha256, begun_at, expires_at, replaces)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'signing', $8, $9, $10, $11, $12)
    ON CONFLICT DO NOTHING RETURNING certificate_id
    """,
)
COMPLETE = Command(
    """
    UPDATE vaccination_certificate SET state = 'valid', content = $3, issued_at = $4
    WHERE patient_id = $1 AND certificate_id = $2
    """
)
END = Command(
    """
    UPDATE vaccination_certificate SET state = $3, ended_at = $4, end_reason = $5,
        replaced_by = coalesce($6, replaced_by)
    WHERE patient_id = $1 AND certificate_id = $2
    """
)
REPLACED_BY = Command(
    "UPDATE vaccination_certificate SET replaced_by = $3 WHERE patient_id = $1 AND certificate_id = $2"
)
KEEP_NUMBER = Command(
    """
    INSERT INTO vaccination_certificate_number (number_hash, patient_id, certificate_id) VALUES ($1, $2, $3)
    """
)


class NumberRow(Struct, frozen=True):
    patient_id: UUID
    certificate_id: UUID


OF_NUMBER = Statement(
    NumberRow, "SELECT patient_id, certificate_id FROM vaccination_certificate_number WHERE number_hash = $1"
)


class PassportRow(Struct, frozen=True):
    names: bytes
    set_by: SetBy


PASSPORT = Statement(PassportRow, "SELECT names, set_by FROM vaccination_passport_name WHERE patient_id = $1")
SET_PASSPORT = Command(
    """
    INSERT INTO vaccination_passport_name AS n (patient_id, names, set_by, set_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (patient_id) DO UPDATE
        SET names = EXCLUDED.names, set_by = EXCLUDED.set_by, set_at = EXCLUDED.set_at
    """
)


async def may_vaccinate(tx: Tx, facilities: set[UUID]) -> dict[UUID, list[Period]]:
    """The periods of each facility that has one."""
    found: dict[UUID, list[Period]] = {}
    for period in await PERIODS.all(tx, sorted(facilities)) if facilities else ():
        found.setdefault(period.facility_id, []).append(period)
    return found


def covers(periods: list[Period], day: date) -> bool:
    return any(one.from_on <= day and (one.until_on is None or day <= one.until_on) for one in periods)
