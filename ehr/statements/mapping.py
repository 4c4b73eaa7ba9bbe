"""A statement as FHIR resources: the entry itself, and a Provenance that says who spoke for whom."""

import re
from datetime import UTC, datetime
from typing import Any, Final, cast
from uuid import UUID

from msgspec import field

from ehr.intake import systems
from ehr.intake.drafts import UnitDraft
from ehr.intake.episode import concept, quantity
from ehr.intake.survey import is_fhir_date
from ehr.intake.xml_fields import is_ahead
from ehr.statements.choices import (
    ALLERGY_CATEGORIES,
    CODES,
    FACTS,
    FIELDS,
    NAMED_BY_CODE,
    RTYPES,
    TITLES,
    Field,
)
from ehr.statements.models import DeclaredKind, StatementBody
from ehr.statements.queries import PAPER_UNIT, UNIT
from kernel.clock import VIETNAM
from kernel.text import fold

_STATES: Final = {"no": "Không", "yes": "Có", "often": "Thường xuyên", "stopped": "Đã bỏ"}
_ORIGINS: Final = {
    "own": "Thuốc tự mua hoặc đang dùng",
    "herbal": "Thuốc nam, thuốc đông y, thực phẩm chức năng",
    "over-the-counter": "Thuốc không kê đơn",
}
_UCUM: Final = {"g": "g", "cm": "cm"}


class Said(UnitDraft):
    """A statement while it is mapped. by: who says it, as people read it; since: when it was said first."""

    by: str = ""
    at: str = ""
    by_self: bool = True
    body: StatementBody = field(default_factory=lambda: StatementBody(kind="allergy"))

    @property
    def main(self) -> str:
        """`Type/id` of the entry."""
        return self.name(RTYPES[self.body.kind])

    def entry(self, body: dict[str, Any]) -> None:
        """Keep the entry with what every one of them has."""
        said = [{"url": systems.DECLARED_BY, "valueString": self.by}]
        notes = [{"text": text} for text in (*body.pop("notes", ()), self.body.note) if text]
        self.add(self.main, {"extension": said, **body, "note": notes}, "statement")


def unit_key(kind: DeclaredKind, ident: UUID) -> str:
    """What the rows of a statement are found by. ident: a UUIDv7 of when it was said first."""
    return f"{UNIT}{kind}:{ident}"


def kind_of(unit: str) -> DeclaredKind:
    return "paper" if unit.startswith(PAPER_UNIT) else cast(DeclaredKind, unit.split(":")[1])


def said_at(unit: str) -> datetime:
    """When it was said first: an amendment that says the same is no new version."""
    return datetime.fromtimestamp((UUID(unit.rpartition(":")[2]).int >> 80) / 1000, UTC)


def draft_of(body: StatementBody, unit: str, by: str, now: datetime, *, by_self: bool) -> Said:
    """The statement mapped. Raises BadInputError with every wrong field."""
    at = said_at(unit).astimezone(VIETNAM).isoformat(timespec="seconds")
    draft = Said(unit, by=by, at=at, by_self=by_self, body=body)
    _check_fields(body, draft)
    _check_dates(body, draft, now)
    _check_facts(body, draft)
    draft.refuse_faults()
    _MAPPERS[body.kind](body, draft)
    _add_provenance(draft)
    return draft


def _check_fields(body: StatementBody, draft: Said) -> None:
    required, optional = FIELDS[body.kind]
    for name in Field.__args__:  # type: ignore[attr-defined]
        told = getattr(body, name)
        if told in (None, []) and name in required:
            draft.fault("missing-field", name)
        elif told not in (None, []) and name not in required | optional:
            draft.fault("not-for-this-kind", name)
    if body.kind in NAMED_BY_CODE and body.name is None and body.code is None:
        draft.fault("missing-field", "name")
    if body.code is not None and body.code not in CODES.get(body.kind, {}):
        draft.fault("unknown-code", "code")


def _check_dates(body: StatementBody, draft: Said, now: datetime) -> None:
    for name in ("since", "until"):
        text = getattr(body, name)
        if text is None:
            continue
        if not is_fhir_date(text):
            draft.fault("bad-date", name)
        elif is_ahead(text, now) and not (name == "until" and body.kind == "medicine"):
            draft.fault("future-date", name)
    if body.since and body.until and body.until[: len(body.since)] < body.since[: len(body.until)]:
        draft.fault("bad-date", "until")


def _check_facts(body: StatementBody, draft: Said) -> None:
    known = FACTS.get(body.kind, {})
    seen: set[str] = set()
    for number, one in enumerate(body.facts):
        fact = known.get(one.code)
        if fact is None or one.code in seen:
            draft.fault("unknown-code", f"facts[{number}].code")
        elif not re.fullmatch(fact.pattern, one.value):
            draft.fault("bad-value", f"facts[{number}].value")
        seen.add(one.code)


def _title(body: StatementBody) -> str:
    return body.name or CODES.get(body.kind, {}).get(body.code or "", "")


def _form_code(body: StatementBody, block: str) -> tuple[str, str]:
    return systems.FORM_831, f"{block}-{body.code}" if body.code else ""


def _allergy(body: StatementBody, draft: Said) -> None:
    reaction: dict[str, Any] = {"manifestation": [{"text": body.reaction}]} if body.reaction else {}
    if reaction and body.severity:
        reaction["severity"] = body.severity
    category = ALLERGY_CATEGORIES.get(body.code or "", "")
    draft.entry(
        {
            "clinicalStatus": concept("", (systems.ALLERGY_CLINICAL, "active")),
            "verificationStatus": concept("", (systems.ALLERGY_VERIFICATION, "unconfirmed")),
            "category": [category] if category else [],
            "code": concept(_title(body)),
            "patient": draft.patient,
            "onsetDateTime": body.since,
            "recordedDate": draft.at,
            "recorder": {"display": draft.by},
            "reaction": [reaction] if reaction else [],
        }
    )


def _condition(body: StatementBody, draft: Said) -> None:
    block = "KHUYETTAT" if body.kind == "disability" else "BENHTAT"
    draft.entry(
        {
            "clinicalStatus": concept(
                "", (systems.CONDITION_CLINICAL, "resolved" if body.until else "active")
            ),
            "verificationStatus": concept("", (systems.CONDITION_VERIFICATION, "unconfirmed")),
            "category": [concept("", (systems.CONDITION_CATEGORY, "problem-list-item"))],
            "code": concept(_title(body), _form_code(body, block)),
            "subject": draft.patient,
            "onsetDateTime": body.since,
            "abatementDateTime": body.until,
            "recordedDate": draft.at,
            "recorder": {"display": draft.by},
        }
    )


def _operation(body: StatementBody, draft: Said) -> None:
    draft.entry(
        {
            "status": "completed",
            "code": concept(_title(body)),
            "subject": draft.patient,
            "performedDateTime": body.since,
            "recorder": {"display": draft.by},
        }
    )


def _family(body: StatementBody, draft: Said) -> None:
    draft.entry(
        {
            "status": "completed",
            "patient": draft.patient,
            "date": draft.at,
            "relationship": concept(body.relative or ""),
            "condition": [{"code": concept(_title(body), _form_code(body, "BENHTAT"))}],
        }
    )


def _medicine(body: StatementBody, draft: Said) -> None:
    period = {"start": body.since, "end": body.until}
    draft.entry(
        {
            "status": "active",
            "medicationCodeableConcept": concept(_title(body)),
            "subject": draft.patient,
            "effectivePeriod": {name: day for name, day in period.items() if day},
            "dateAsserted": draft.at,
            "informationSource": {"display": draft.by},
            "dosage": [{"text": body.dosage}] if body.dosage else [],
            "notes": (_ORIGINS[body.origin or "own"],),
        }
    )


def _risk(body: StatementBody, draft: Said) -> None:
    amount = f"số lượng {body.amount}" if body.amount else ""
    value = ", ".join(part for part in (_STATES[body.state or "yes"], amount) if part)
    _observe(draft, f"DSYEUTO-{body.code or fold(_title(body))[:60]}", _title(body), {"valueString": value})


def _blood_group(body: StatementBody, draft: Said) -> None:
    """Of no section: it stands with the blood groups, behind every one that a facility sent."""
    draft.entry(
        {
            "status": "final",
            "category": [concept("", (systems.OBSERVATION_CATEGORY, "survey"))],
            "code": concept(TITLES["blood-group"], (systems.LOINC, "882-1")),
            "subject": draft.patient,
            "effectiveDateTime": draft.at,
            "performer": [{"display": draft.by}],
            "valueString": body.value,
        }
    )


def _facts(body: StatementBody, draft: Said) -> None:
    block = "TINHTRANG_LUCSINH" if body.kind == "birth" else "SUCKHOE_SINHSAN"
    parts: list[dict[str, Any]] = []
    for one in body.facts:
        fact = FACTS[body.kind][one.code]
        told: dict[str, Any] = {"valueString": fact.choices.get(one.value, one.value)}
        if fact.unit:
            told = {"valueQuantity": quantity(one.value, fact.unit, (systems.UCUM, _UCUM[fact.unit]))}
        parts.append({"code": concept(fact.title, (systems.FORM_831, f"{block}.{one.code}")), **told})
    _observe(draft, block, TITLES[body.kind], {"component": parts})


def _observe(draft: Said, code: str, title: str, value: dict[str, Any]) -> None:
    draft.entry(
        {
            "status": "final",
            "category": [concept("", (systems.OBSERVATION_CATEGORY, "social-history"))],
            "code": concept(title, (systems.DECLARED, f"TU-KHAI-{code}")),
            "subject": draft.patient,
            "effectiveDateTime": draft.at,
            "performer": [{"display": draft.by}],
            **value,
        }
    )


def _add_provenance(draft: Said) -> None:
    who = draft.patient if draft.by_self else {"display": draft.by}
    agent = {"who": who} | ({} if draft.by_self else {"onBehalfOf": draft.patient})
    body = {"target": [{"reference": draft.main}], "recorded": draft.at, "agent": [agent]}
    draft.add(draft.name("Provenance"), body, "statement")


_MAPPERS: Final = {
    "allergy": _allergy,
    "disease": _condition,
    "disability": _condition,
    "operation": _operation,
    "family-history": _family,
    "medicine": _medicine,
    "risk-factor": _risk,
    "blood-group": _blood_group,
    "birth": _facts,
    "reproductive-health": _facts,
}
