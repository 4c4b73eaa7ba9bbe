"""All SQL of the emergency card and of the contacts for an emergency."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from consent.emergency_card.models import ContactRow, LiveCard, Part
from identity.queries import held
from store.database import Tx
from store.epoch import epoch_holds
from store.statement import Command, Scalar, Statement

_COLUMNS = """e.patient_id, e.card_id, e.version, e.parts, e.secret_hash, e.secret_sealed, e.origins,
    e.agreed_at, e.issued_at"""

LIVE_CARD = Statement(
    LiveCard,
    f"""
    SELECT {_COLUMNS}
    FROM emergency_card e JOIN citizen c ON c.patient_id = e.patient_id
    WHERE e.patient_id = $1 AND e.ended_at IS NULL AND c.state IN ('active', 'death-reported')
      AND NOT {held("e.patient_id", "e.agreed_at", "e.agreed_at")}
      AND NOT {epoch_holds("e.agreed_at")}
    """,  # noqa: S608
)


async def live_card(tx: Tx, patient_id: UUID) -> LiveCard | None:
    """The card in force of a living person; one statement."""
    return await LIVE_CARD.one(tx, patient_id)


KEPT_CARD = Statement(
    LiveCard,
    f"SELECT {_COLUMNS} FROM emergency_card e WHERE e.patient_id = $1 AND e.ended_at IS NULL",  # noqa: S608
)


async def kept_card(tx: Tx, patient_id: UUID) -> LiveCard | None:
    """The card that is not ended, held or not: what its person sees and ends."""
    return await KEPT_CARD.one(tx, patient_id)


RESTORED_CARD = Scalar(
    bool,
    f"SELECT {epoch_holds('e.agreed_at')} AS held FROM emergency_card e WHERE e.patient_id = $1",  # noqa: S608
)


async def is_restored(tx: Tx, patient_id: UUID) -> bool:
    """Whether a restored backup brought the card back: its code may have been replaced since."""
    return bool(await RESTORED_CARD.one(tx, patient_id))


SAVE_CARD = Scalar(
    int,
    """
    INSERT INTO emergency_card (patient_id, card_id, version, parts, secret_hash, secret_sealed, origins,
        agreed_at, issued_at)
    VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (patient_id) DO UPDATE SET version = emergency_card.version + 1, parts = EXCLUDED.parts,
        secret_hash = EXCLUDED.secret_hash, secret_sealed = EXCLUDED.secret_sealed,
        origins = EXCLUDED.origins, agreed_at = EXCLUDED.agreed_at, issued_at = EXCLUDED.issued_at,
        ended_at = NULL
    RETURNING version
    """,
)


async def save_card(
    tx: Tx,
    patient_id: UUID,
    card_id: UUID,
    *,
    parts: list[Part],
    secret_hash: bytes,
    secret_sealed: bytes,
    origins: list[UUID],
    agreed_at: datetime,
    issued_at: datetime,
) -> int:
    """Write the card as agreed; card_id stays with the row's first."""
    version = await SAVE_CARD.one(
        tx, patient_id, card_id, parts, secret_hash, secret_sealed, origins, agreed_at, issued_at
    )
    return version or 0


NARROW_CARD = Scalar(
    int,
    """
    UPDATE emergency_card SET parts = $2, version = version + 1
    WHERE patient_id = $1 AND ended_at IS NULL RETURNING version
    """,
)


async def narrow_card(tx: Tx, patient_id: UUID, parts: list[Part]) -> None:
    await NARROW_CARD.one(tx, patient_id, parts)


END_CARD = Scalar(
    UUID,
    """
    UPDATE emergency_card SET ended_at = $2 WHERE patient_id = $1 AND ended_at IS NULL RETURNING card_id
    """,
)


async def end_card(tx: Tx, patient_id: UUID, now: datetime) -> UUID | None:
    """The card that was ended by this, or None where none was on."""
    return await END_CARD.one(tx, patient_id, now)


_CONTACT = """patient_id, contact_id, name_sealed, phone_sealed, relation, state, code_hash, named_at,
    expires_at, answered_at"""

# An invitation that ran out is nobody's contact and takes no place.
CONTACTS = Statement(
    ContactRow,
    f"""
    SELECT {_CONTACT} FROM emergency_contact e
    WHERE patient_id = $1 AND (state = 'accepted' OR (state = 'invited' AND expires_at > $2
        AND NOT {epoch_holds("e.named_at")}))
    ORDER BY contact_id
    """,  # noqa: S608
)


async def contacts(tx: Tx, patient_id: UUID, now: datetime) -> list[ContactRow]:
    """Who agreed and who was asked, in the order they were named."""
    return await CONTACTS.all(tx, patient_id, now)


ACCEPTED_CONTACTS = Statement(
    ContactRow,
    f"""
    SELECT {_CONTACT} FROM emergency_contact e WHERE patient_id = $1 AND state = 'accepted'
      AND NOT {held("e.patient_id", "e.answered_at", "e.answered_at")}
    ORDER BY contact_id
    """,  # noqa: S608
)


async def accepted_contacts(tx: Tx, patient_id: UUID) -> list[ContactRow]:
    return await ACCEPTED_CONTACTS.all(tx, patient_id)


INSERT_CONTACT = Command(
    """
    INSERT INTO emergency_contact (patient_id, contact_id, name_sealed, phone_sealed, relation, state,
        code_hash, named_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, 'invited', $6, $7, $8)
    """
)
INSERT_CODE = Command(
    "INSERT INTO emergency_contact_code (code_hash, patient_id, contact_id) VALUES ($1, $2, $3)"
)
DELETE_CODE = Command("DELETE FROM emergency_contact_code WHERE code_hash = $1")


class CodeOwner(Struct, frozen=True):
    patient_id: UUID
    contact_id: UUID


CODE_OWNER = Statement(
    CodeOwner, "SELECT patient_id, contact_id FROM emergency_contact_code WHERE code_hash = $1"
)


async def code_owner(tx: Tx, code_hash: bytes) -> CodeOwner | None:
    return await CODE_OWNER.one(tx, code_hash)


# A person who died, or was merged into another, has no contacts to be answered. What a restored backup
# brought back may have been answered since: who agreed may still end it, and nobody agrees any more.
CONTACT_OF_CODE = Statement(
    ContactRow,
    f"""
    SELECT e.patient_id, e.contact_id, e.name_sealed, e.phone_sealed, e.relation, e.state, e.code_hash,
        e.named_at, e.expires_at, e.answered_at
    FROM emergency_contact e JOIN citizen c ON c.patient_id = e.patient_id
    WHERE e.patient_id = $1 AND e.contact_id = $2 AND c.state IN ('active', 'death-reported')
      AND (e.state = 'accepted' OR (e.state = 'invited' AND e.expires_at > $3
        AND NOT {epoch_holds("e.named_at")}))
    FOR UPDATE OF e
    """,  # noqa: S608
)


async def contact_of_code(tx: Tx, patient_id: UUID, contact_id: UUID, now: datetime) -> ContactRow | None:
    """A contact who can still answer or end, locked until the transaction ends."""
    return await CONTACT_OF_CODE.one(tx, patient_id, contact_id, now)


ANSWER_CONTACT = Command(
    """
    UPDATE emergency_contact SET state = 'accepted', answered_at = $3
    WHERE patient_id = $1 AND contact_id = $2 AND state = 'invited'
    """
)
# Name and number go with the end: they were the contact's own.
END_CONTACT = Scalar(
    bytes,
    """
    UPDATE emergency_contact SET state = $3, ended_at = $4, name_sealed = '', phone_sealed = ''
    WHERE patient_id = $1 AND contact_id = $2 AND state IN ('invited', 'accepted') RETURNING code_hash
    """,
)
