"""Filled-in forms. Only health checks on forms of ours are shown; every other one is kept and not shown.

What a check says stands on it whole (its items carry their own texts), so reading one needs no template.
"""

from datetime import date
from typing import Final

import msgspec
from msgspec import Struct

from ehr.fhir import Answer, QuestionnaireResponse, in_digits
from ehr.views.draft import Draft, Refer, first_date, name_of, new_item

# The forms of ehr/health_checks, which is built on these views.
FORM_URN: Final = "urn:vn:so-suc-khoe:health-check-form:"
CHECK_KIND: Final = "urn:vn:so-suc-khoe:health-check"
HEALTH_CLASS: Final = "check.health_class"
CONCLUSION: Final = "check.conclusion"
VALID_UNTIL: Final = "check.valid_until"
# Our words for the groups that the national plans name (vietnam.md §11).
KINDS_VI: Final = {
    "yearly": "Khám sức khỏe định kỳ",
    "school": "Khám sức khỏe học sinh",
    "work": "Khám sức khỏe người lao động",
    "elderly": "Khám sức khỏe người cao tuổi",
    "driving-licence": "Khám sức khỏe người lái xe",
}
_OF_CHECK: Final = frozenset({HEALTH_CLASS, CONCLUSION, VALID_UNTIL})
_response = msgspec.json.Decoder(QuestionnaireResponse)


class CheckAnswer(Struct, frozen=True):
    """A field of a form as it was filled in. value: text; a number keeps its zeros."""

    link_id: str
    title: str
    value: str
    unit: str | None


class CheckRead(Struct, frozen=True, kw_only=True):
    """What a health check says."""

    kind: str
    form: str
    form_version: int
    done_on: str | None
    health_class: str | None
    conclusion: str | None
    valid_until: date | None
    answers: list[CheckAnswer]


def response(ident: str, r: QuestionnaireResponse, _refer: Refer) -> Draft:
    when = first_date(r.authored)
    check = check_in(r)
    title = KINDS_VI[check.kind] if check else ""
    item = new_item(ident, "QuestionnaireResponse", title, r.status, when)
    if check is None:
        return Draft(item=item, section=None, when=when, encounter=r.encounter)
    item.category = check.kind
    item.recorded_by = name_of(r.author)
    item.lines = [
        line
        for line in (
            f"Phân loại sức khỏe: {check.health_class}" if check.health_class else "",
            f"Kết luận: {check.conclusion}" if check.conclusion else "",
            f"Có giá trị đến {check.valid_until:%d/%m/%Y}" if check.valid_until else "",
        )
        if line
    ]
    return Draft(item=item, section="health-checks", when=when, encounter=r.encounter, category=check.kind)


def read_check(doc: str) -> CheckRead | None:
    """The check in a kept document; None for any other form."""
    return check_in(_response.decode(doc))


def check_in(r: QuestionnaireResponse) -> CheckRead | None:
    form, _, version = (r.questionnaire or "").removeprefix(FORM_URN).partition("|")
    tags = r.meta.tag if r.meta else []
    kind = next((one.code for one in tags if one.system == CHECK_KIND), None)
    is_ours = (r.questionnaire or "").startswith(FORM_URN) and version.isdigit() and len(version) < 10
    if not is_ours or kind is None or kind not in KINDS_VI:
        return None
    texts = {item.link_id: _text(item.answer[0])[0] for item in r.item if item.answer}
    return CheckRead(
        kind=kind,
        form=form,
        form_version=int(version),
        done_on=r.authored,
        health_class=texts.get(HEALTH_CLASS),
        conclusion=texts.get(CONCLUSION),
        valid_until=_day(texts.get(VALID_UNTIL)),
        answers=[
            CheckAnswer(item.link_id, item.text or item.link_id, *_text(item.answer[0]))
            for item in r.item
            if item.answer and item.link_id not in _OF_CHECK
        ],
    )


def _text(answer: Answer) -> tuple[str, str | None]:
    quantity = answer.value_quantity
    if quantity is not None and quantity.value is not None:
        return in_digits(quantity.value), quantity.unit or quantity.code
    if answer.value_boolean is not None:
        return ("có" if answer.value_boolean else "không"), None
    if answer.value_coding is not None:
        return answer.value_coding.display or answer.value_coding.code or "", None
    return answer.value_string or answer.value_date or "", None


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
