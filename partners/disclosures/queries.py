"""SQL of messages and of what was handed over."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from kernel.access import PartnerGroup
from partners.disclosures.models import MessageRow
from store.statement import Command, Scalar, Statement

# Of two at once one waits for the other and finds its row.
INSERT_MESSAGE = Scalar(
    UUID,
    "INSERT INTO partner_message (client_id, msg_id, body_hash, receipt_id, received_at)"
    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (client_id, msg_id) DO NOTHING RETURNING receipt_id",
)
MESSAGE = Statement(
    MessageRow,
    "SELECT body_hash, receipt_id, received_at FROM partner_message WHERE client_id = $1 AND msg_id = $2",
)
INSERT_DISCLOSURE = Command(
    "INSERT INTO partner_disclosure (patient_id, disclosure_id, client_id, consent_id, client_name,"
    " receipt_id, msg_id, groups, encounter_id, entries, payload_sha256, disclosed_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
)


class DisclosureRow(Struct, frozen=True):
    """A row of partner_disclosure."""

    disclosure_id: UUID
    client_id: UUID
    consent_id: UUID
    client_name: str
    receipt_id: UUID
    msg_id: str
    groups: list[PartnerGroup]
    encounter_id: str | None
    entries: int
    payload_sha256: bytes
    disclosed_at: datetime


# $4: of one consent, or of all.
OF_PERSON = Statement(
    DisclosureRow,
    "SELECT disclosure_id, client_id, consent_id, client_name, receipt_id, msg_id, groups, encounter_id,"
    " entries, payload_sha256, disclosed_at FROM partner_disclosure"
    " WHERE patient_id = $1 AND disclosure_id < $2 AND ($4::uuid IS NULL OR consent_id = $4)"
    " ORDER BY disclosure_id DESC LIMIT $3",
)
FORGET = Scalar(
    int,
    "WITH old AS MATERIALIZED ("
    "SELECT client_id, msg_id FROM partner_message WHERE received_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM partner_message WHERE received_at < $1"
    " AND (client_id, msg_id) IN (SELECT client_id, msg_id FROM old) RETURNING 1)"
    " SELECT count(*) FROM gone",
    fan_out="once an hour a worker removes messages of long ago, of all clients",
)
