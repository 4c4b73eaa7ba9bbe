"""All SQL of exams that are due."""

from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from ehr.reads.queries import filtered
from reminders.screening.models import Choice
from store.database import Tx
from store.statement import Command, Statement


class Exam(Struct, frozen=True):
    """The newest result of a book that counts as an exam of a rule."""

    rule: str
    rtype: str
    id: str
    eff: datetime


# A code or folded words of a rule, one of each; what was only ordered is no exam.
NEWEST_EXAMS = Statement(
    Exam,
    filtered(
        """
        SELECT DISTINCT ON (m.rule) m.rule, n.rtype, n.id, n.eff
        FROM unnest($10::text[], $11::text[], $12::text[]) AS m (rule, code, words)
        CROSS JOIN LATERAL (
            SELECT r.rtype, r.id, r.eff FROM ehr_resource r
            WHERE {visible} AND r.section IN ('results', 'procedures', 'imaging') AND r.eff IS NOT NULL
                AND r.status NOT IN ('registered', 'cancelled', 'not-done', 'preparation')
                AND (r.code = m.code OR m.words <> '' AND r.title_folded LIKE m.words)
            ORDER BY r.eff DESC, r.id DESC LIMIT 1) n
        ORDER BY m.rule, n.eff DESC, n.id DESC
        """
    ),
)
CHOICES = Statement(
    Choice,
    "SELECT rule, is_on, done_on, changed_at FROM screening_choice WHERE patient_id = $1 ORDER BY rule",
)
UPSERT_CHOICE = Command(
    """
    INSERT INTO screening_choice (patient_id, rule, is_on, done_on, changed_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (patient_id, rule) DO UPDATE SET is_on = EXCLUDED.is_on, done_on = EXCLUDED.done_on,
        changed_at = EXCLUDED.changed_at
    """
)


async def keep_choice(
    tx: Tx, patient_id: UUID, rule: str, is_on: bool | None, done_on: date | None, now: datetime
) -> None:
    await UPSERT_CHOICE.run(tx, patient_id, rule, is_on, done_on, now)
