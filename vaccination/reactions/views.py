"""A report as its reporter sees it: advice first."""

from identity.register.facilities import facility_by_id
from store.database import Tx
from store.keys import KeyRing
from vaccination.reactions import queries
from vaccination.reactions.models import (
    EMERGENCY_EN,
    EMERGENCY_VI,
    OVER_EN,
    OVER_VI,
    Advised,
    Reaction,
    ReactionLine,
    ReactionRow,
    ReactionState,
    ReactionStep,
    Severity,
)
from vaccination.reactions.policy import RUNNING
from vaccination.reactions.signs import SIGNS
from vaccination.reactions.texts import content_of, step_of


def advised(severity: Severity, state: ReactionState) -> Advised:
    """A report that is over calls nobody to an ambulance."""
    advice = SIGNS.advice[severity]
    is_running = state in RUNNING
    return Advised(
        emergency_vi=EMERGENCY_VI,
        emergency_en=EMERGENCY_EN,
        call_115=is_running and severity == "severe",
        severity=severity,
        advice_vi=advice.vi if is_running else OVER_VI,
        advice_en=advice.en if is_running else OVER_EN,
    )


async def line_of(tx: Tx, row: ReactionRow) -> ReactionLine:
    facility = None if row.facility_id is None else await facility_by_id(tx, row.facility_id)
    first = advised(row.severity, row.state)
    return ReactionLine(
        **{name: getattr(first, name) for name in first.__struct_fields__},
        reaction_id=row.reaction_id,
        kind=row.kind,
        facility_name=None if facility is None else facility.name,
        state=row.state,
        reported_at=row.reported_at,
        due_at=row.due_at,
        overdue=row.overdue_at is not None,
    )


async def steps_of(tx: Tx, keys: KeyRing, row: ReactionRow) -> list[ReactionStep]:
    found = []
    for step in await queries.STEPS.all(tx, row.patient_id, row.reaction_id):
        body = step_of(keys, row.patient_id, step.body)
        found.append(
            ReactionStep(kind=step.kind, added_at=step.added_at, symptoms=body.symptoms, note=body.note)
        )
    return found


async def view_of(tx: Tx, keys: KeyRing, row: ReactionRow, *, words_left_out: bool = False) -> Reaction:
    line = await line_of(tx, row)
    content = content_of(keys, row.patient_id, row.content)
    return Reaction(
        **{name: getattr(line, name) for name in line.__struct_fields__},
        dose=content.dose,
        symptoms=content.symptoms,
        onset_at=content.onset_at,
        site=content.site,
        treatment=content.treatment,
        note=content.note,
        words_left_out=words_left_out,
        steps=await steps_of(tx, keys, row),
        acknowledged_at=row.acknowledged_at,
        authority_told_at=row.authority_told_at,
        outcome=row.outcome,
        assessed=row.assessed,
        ended_at=row.ended_at,
    )
