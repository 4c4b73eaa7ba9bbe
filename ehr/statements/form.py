"""What a form for statements can offer: kinds, their fields and the code lists of QĐ 831."""

from ehr.statements.choices import CODES, FACTS, FIELDS, KINDS, SINGLE, TITLES, Fact, Kind
from ehr.statements.models import CodeChoice, FactChoice, KindChoice, StatementChoices


def _codes(listed: dict[str, str]) -> list[CodeChoice]:
    return [CodeChoice(code=code, title_vi=title) for code, title in listed.items()]


def _fact(code: str, fact: Fact) -> FactChoice:
    choices = _codes(fact.choices)
    return FactChoice(code=code, title_vi=fact.title, pattern=fact.pattern, unit=fact.unit, choices=choices)


def _kind(kind: Kind) -> KindChoice:
    required, optional = FIELDS[kind]
    return KindChoice(
        kind=kind,
        title_vi=TITLES[kind],
        single=kind in SINGLE,
        required=sorted(required),
        optional=sorted(optional),
        codes=_codes(CODES.get(kind, {})),
        facts=[_fact(code, fact) for code, fact in FACTS.get(kind, {}).items()],
    )


CHOICES = StatementChoices(items=[_kind(kind) for kind in KINDS])
