"""What stands on the certificate of a health check: the facility's own words, in the form's order."""

import re
from typing import Final

import msgspec
from msgspec import Struct

from ehr.paper_proofs.models import Facts
from ehr.views.checks import KINDS_VI, CheckRead, read_check

# A class alone, as forms number them. Whatever else a facility writes there may tell of a disease.
_PLAIN_CLASS: Final = re.compile(r"(?:Loại\s+)?(?:I{1,3}|IV|V|[1-5])", re.IGNORECASE)


class _Identifier(Struct, frozen=True):
    value: str = ""


class _Author(Struct, frozen=True):
    display: str = ""


class _Form(Struct):
    """The parts of a QuestionnaireResponse that its answers do not hold."""

    identifier: _Identifier = _Identifier()
    author: _Author = _Author()


_decode = msgspec.json.Decoder(_Form).decode


def certificate_of(doc: str, facility_id: str | None) -> Facts | None:
    """What is printed of a stored check; None for any other form."""
    said = read_check(doc)
    if said is None:
        return None
    form = _decode(doc)
    return Facts(
        kind="health-check",
        title=_title(KINDS_VI[said.kind]),
        numbers=[form.identifier.value] if form.identifier.value else [],
        date=said.done_on,
        period_start=None,
        period_end=None,
        valid_until=said.valid_until.isoformat() if said.valid_until else None,
        author=form.author.display or None,
        lines=_lines(said),
        facility_id=facility_id,
        health_class=said.health_class,
    )


def told_class(facts: Facts) -> str | None:
    """The class as whoever checks the paper may be told it."""
    told = facts.health_class
    return told if told and _PLAIN_CLASS.fullmatch(told.strip()) else None


def _title(kind: str) -> str:
    return f"Giấy {kind[0].lower()}{kind[1:]}"


def _lines(said: CheckRead) -> list[str]:
    first = (("Phân loại sức khỏe", said.health_class), ("Kết luận", said.conclusion))
    fields = ((one.title, f"{one.value} {one.unit or ''}") for one in said.answers)
    return [f"{label}: {' '.join(value.split())}" for label, value in (*first, *fields) if value]
