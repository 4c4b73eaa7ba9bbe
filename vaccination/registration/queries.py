"""All SQL of campaigns and of the person's end of registrations."""

from typing import Final
from uuid import UUID

from msgspec import Struct

from store.statement import Command, Scalar, Statement
from vaccination.registration.models import CampaignRow, RegistrationRow

_CAMPAIGN: Final = ", ".join(CampaignRow.__struct_fields__)
_ROW: Final = ", ".join(RegistrationRow.__struct_fields__)
_SELECT: Final = f"SELECT {_ROW} FROM vaccination_registration"  # noqa: S608 - a constant of ours

INSERT_CAMPAIGN = Command(
    f"INSERT INTO vaccination_campaign ({_CAMPAIGN})"  # noqa: S608 - a constant of ours
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)"
)
CAMPAIGN_BY_ID = Statement(
    CampaignRow,
    f"SELECT {_CAMPAIGN} FROM vaccination_campaign WHERE campaign_id = $1",  # noqa: S608
)
LOCK_CAMPAIGN = Statement(CampaignRow, CAMPAIGN_BY_ID.sql + " FOR NO KEY UPDATE")
# Newest first; of one facility, or for one antigen, or both.
OPEN_CAMPAIGNS = Statement(
    CampaignRow,
    f"""
    SELECT {_CAMPAIGN} FROM vaccination_campaign
    WHERE state = 'open' AND opens_at <= $1 AND closes_at > $1
        AND ($2::uuid IS NULL OR facility_id = $2) AND ($3::text IS NULL OR $3 = ANY(antigens))
        AND campaign_id < $4
    ORDER BY campaign_id DESC LIMIT $5
    """,  # noqa: S608 - a constant of ours
)
CAMPAIGNS_OF_FACILITY = Statement(
    CampaignRow,
    f"""
    SELECT {_CAMPAIGN} FROM vaccination_campaign
    WHERE facility_id = $1 AND campaign_id < $2 ORDER BY campaign_id DESC LIMIT $3
    """,  # noqa: S608 - a constant of ours
)
CLOSE_CAMPAIGN = Command(
    "UPDATE vaccination_campaign SET state = 'closed', closed_by = $2, closed_at = $3 WHERE campaign_id = $1"
)

# One registration of a person after the other, so that two at once see each other.
LOCK_PERSON = Scalar(UUID, "SELECT patient_id FROM citizen WHERE patient_id = $1 FOR NO KEY UPDATE")
STANDING = Statement(
    RegistrationRow,
    _SELECT + " WHERE patient_id = $1 AND campaign_id = $2 AND state IN ('booked', 'waiting', 'attended')",
)
INSERT = Command(
    f"INSERT INTO vaccination_registration ({_ROW})"  # noqa: S608 - a constant of ours
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
)
BY_ID = Statement(RegistrationRow, _SELECT + " WHERE patient_id = $1 AND registration_id = $2")
# Newest first.
OF_PERSON = Statement(
    RegistrationRow,
    _SELECT + " WHERE patient_id = $1 AND registration_id < $2 ORDER BY registration_id DESC LIMIT $3",
)


class Told(Struct, frozen=True):
    """Whom a move concerns beside the person."""

    registered_by: UUID
    is_private: bool


MOVE = Statement(
    Told,
    "UPDATE vaccination_registration SET state = $3, moved_at = $4"
    " WHERE patient_id = $1 AND registration_id = $2 RETURNING registered_by, is_private",
)


class Ended(Struct, frozen=True):
    patient_id: UUID
    registration_id: UUID
    facility_id: UUID


ENDED = Statement(
    Ended,
    "SELECT patient_id, registration_id, facility_id FROM vaccination_registration"
    " WHERE ends_at < $1 LIMIT $2",
    fan_out="once an hour a worker removes registrations of days long past, wherever they lie",
)
DELETE = Command("DELETE FROM vaccination_registration WHERE patient_id = $1 AND registration_id = $2")
