"""All SQL of what people said to purposes, and of the clocks of withdrawals."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from consent.purposes.catalogue import Lang, PurposeKey
from store.statement import Command, Scalar, Statement


class ChoiceRow(Struct, frozen=True):
    """One answer. device_id and signature: where the device's step-up key gave it."""

    choice_id: UUID
    purpose: PurposeKey
    seq: int
    version: str
    text_sha256: bytes
    lang: Lang
    agreed: bool
    device_id: UUID | None
    signature: str | None
    said_at: datetime


_CHOICE = "choice_id, purpose, seq, version, text_sha256, lang, agreed, device_id, signature, said_at"
INSERT_CHOICE = Command(
    "INSERT INTO purpose_choice (patient_id, choice_id, purpose, seq, version, text_sha256, lang, agreed,"
    " device_id, body_sha256, signature, said_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
)
REFUSE_AGAIN = Command(
    "INSERT INTO purpose_choice (patient_id, choice_id, purpose, seq, version, text_sha256, lang, agreed,"
    " said_at) SELECT patient_id, $4, purpose, seq + 1, version, text_sha256, lang, false, $5"
    " FROM purpose_choice WHERE patient_id = $1 AND purpose = $2 AND seq = $3"
)
CHOICES = Statement(
    ChoiceRow,
    f"SELECT {_CHOICE} FROM purpose_choice WHERE patient_id = $1 AND purpose = $2"  # noqa: S608
    " ORDER BY seq DESC LIMIT $3",
)
NEWEST = Statement(
    ChoiceRow,
    f"SELECT DISTINCT ON (purpose) {_CHOICE} FROM purpose_choice WHERE patient_id = $1"  # noqa: S608
    " ORDER BY purpose, seq DESC",
)


class Withdrawal(Struct, frozen=True):
    """The clock of one withdrawal."""

    patient_id: UUID
    choice_id: UUID
    purpose: PurposeKey
    opened_at: datetime
    answer_by: datetime
    done_by: datetime
    extended: bool
    answered_at: datetime | None
    done_at: datetime | None


_CLOCK = "patient_id, choice_id, purpose, opened_at, answer_by, done_by, extended, answered_at, done_at"
INSERT_WITHDRAWAL = Command(
    f"INSERT INTO purpose_withdrawal ({_CLOCK})"  # noqa: S608
    " VALUES ($1, $2, $3, $4, $5, $6, false, $7, $8)"
)
WITHDRAWALS_OF = Statement(
    Withdrawal,
    f"SELECT {_CLOCK} FROM purpose_withdrawal WHERE patient_id = $1"  # noqa: S608
    " ORDER BY opened_at DESC LIMIT 50",
)
OPEN_WITHDRAWALS = Statement(
    Withdrawal,
    f"SELECT {_CLOCK} FROM purpose_withdrawal WHERE done_at IS NULL ORDER BY done_by LIMIT $1",  # noqa: S608
    fan_out="an operator asks now and then what people took back and nobody finished, wherever they are",
)
ANSWER_WITHDRAWAL = Scalar(
    UUID,
    "UPDATE purpose_withdrawal SET answered_at = $3 WHERE patient_id = $1 AND choice_id = $2"
    " AND answered_at IS NULL RETURNING choice_id",
)
FINISH_WITHDRAWAL = Scalar(
    UUID,
    "UPDATE purpose_withdrawal SET done_at = $3, answered_at = coalesce(answered_at, $3)"
    " WHERE patient_id = $1 AND choice_id = $2 AND done_at IS NULL RETURNING choice_id",
)
LOCK_WITHDRAWAL = Statement(
    Withdrawal,
    f"SELECT {_CLOCK} FROM purpose_withdrawal WHERE patient_id = $1 AND choice_id = $2"  # noqa: S608
    " FOR UPDATE",
)
EXTEND_WITHDRAWAL = Scalar(
    UUID,
    "UPDATE purpose_withdrawal SET done_by = $3, extended = true"
    " WHERE patient_id = $1 AND choice_id = $2 AND done_at IS NULL AND NOT extended RETURNING choice_id",
)
