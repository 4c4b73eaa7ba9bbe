"""Allergies and problems."""

from ehr.displays import ICD10, SNOMED, system_key
from ehr.fhir import AllergyIntolerance, Coding, Concept, Condition, FamilyMemberHistory
from ehr.models import Item, Section
from ehr.titles import title_of
from ehr.views.draft import Draft, Refer, active_until, code_of, first_date, name_of, new_item, notes, start

_ACTIVE = frozenset({"active", "recurrence", "relapse"})
# Explicit "none known" statements: SNOMED CT and the IPS absent-unknown list. The list's "no-…-info" codes
# say "not asked" and are kept out of every section.
_NONE_KNOWN = frozenset(
    {
        "716186003",
        "409137002",
        "428607008",
        "429625007",
        "160245001",
        "787481004",
        "no-known-allergies",
        "no-known-medication-allergies",
        "no-known-environmental-allergies",
        "no-known-food-allergies",
        "no-known-problems",
        "no-known-medications",
        "no-known-immunizations",
    }
)
# "No known food allergy" says nothing of other allergies: an entry, but no answer for the section.
_PARTLY_NONE = frozenset(
    {
        "409137002",
        "428607008",
        "429625007",
        "no-known-medication-allergies",
        "no-known-environmental-allergies",
        "no-known-food-allergies",
    }
)
_NOT_ASKED = frozenset({"no-allergy-info", "no-problem-info", "no-medication-info", "no-immunization-info"})

_PROBLEM_CATEGORIES = frozenset(
    {"problem-list-item", "encounter-diagnosis", "55607006", "439401001", "75326-9", "282291009"}
)
# ICD-10 Z codes that are a lasting state of health; the rest of Z, and V–Y, are administrative or social.
_Z_STATES = tuple(f"Z{n}" for n in (21, 33, *range(80, 100)))
_OUTSIDE_CAUSES = ("V", "W", "X", "Y")
# Social or administrative findings that registers keep as conditions (yourphr 266). SNOMED CT.
_SOCIAL = frozenset(
    {
        "160903007",
        "160904001",
        "741062008",
        "73595000",
        "423315002",
        "422650009",
        "706893006",
        "224299000",
        "224295006",
        "473461003",
        "105531004",
        "32911000",
        "446654005",
        "266948004",
        "314529007",
        "713458007",
        "224355006",
        "183932001",
    }
)


def all_codes(concept: Concept | None) -> set[str]:
    return {c.code for c in concept.coding if c.code} if concept else set()


def is_none_known(concept: Concept | None) -> bool:
    """An explicit statement that there is nothing of the whole section's kind."""
    codes = all_codes(concept)
    return bool(codes & (_NONE_KNOWN - _PARTLY_NONE))


def is_not_asked(concept: Concept | None) -> bool:
    return bool(all_codes(concept) & _NOT_ASKED)


def allergy(ident: str, a: AllergyIntolerance, _refer: Refer) -> Draft:
    when = first_date(a.onset_date_time, a.recorded_date)
    status = _clinical(a.clinical_status, a.verification_status)
    item = new_item(ident, "AllergyIntolerance", title_of(a.code, "Dị ứng chưa rõ tên"), status, when)
    item.category = a.category[0] if a.category else None
    item.criticality = a.criticality
    item.reactions = [title_of(m) for r in a.reaction for m in r.manifestation]
    item.text = notes(a.note)
    item.recorded_by = name_of(a.recorder)
    partly_none = bool(all_codes(a.code) & _PARTLY_NONE)
    none = is_none_known(a.code)
    return Draft(
        item=item,
        section=None if is_not_asked(a.code) else "allergies",
        concept=a.code,
        when=when,
        active_until=active_until(status in _ACTIVE and not none and not partly_none, None),
        encounter=a.encounter,
        category=item.category,
        negative=none,
    )


def condition(ident: str, c: Condition, _refer: Refer) -> Draft:
    when = first_date(c.onset_date_time, start(c.onset_period), c.recorded_date)
    status = _clinical(c.clinical_status, c.verification_status)
    item = new_item(ident, "Condition", title_of(c.code, "Chẩn đoán chưa rõ tên"), status, when)
    item.end_date = c.abatement_date_time
    item.category = code_of(c.category[0]) if c.category else None
    item.lines = [title_of(c.severity)] if c.severity else []
    item.text = notes(c.note)
    item.recorded_by = name_of(c.recorder)
    none = is_none_known(c.code)
    return Draft(
        item=item,
        section=_problem_section(c, item),
        concept=c.code,
        when=when,
        active_until=active_until(status in _ACTIVE and not none, c.abatement_date_time),
        encounter=c.encounter,
        category=item.category,
        negative=none,
    )


def family_history(ident: str, f: FamilyMemberHistory, _refer: Refer) -> Draft:
    """Named by the disease; the line says which relative, by kinship."""
    when = first_date(f.date)
    named = [one.code for one in f.condition if one.code]
    title = ", ".join(title_of(code) for code in named) or "Tiền sử gia đình"
    item = new_item(ident, "FamilyMemberHistory", title, f.status, when)
    item.lines = [title_of(f.relationship)] if f.relationship else []
    item.text = notes(f.note)
    concept = named[0] if named else None
    return Draft(item=item, section="family-history", concept=concept, concepts=named[1:], when=when)


def _clinical(clinical: Concept | None, verification: Concept | None) -> str:
    verified = code_of(verification)
    if verified in ("entered-in-error", "refuted"):
        return verified
    return code_of(clinical) or "unknown"


def _problem_section(condition_: Condition, item: Item) -> Section | None:
    if is_not_asked(condition_.code) or item.status == "refuted":
        return None
    categories = {c.code for concept in condition_.category for c in concept.coding}
    if categories and not categories & _PROBLEM_CATEGORIES:
        return "other"
    codings = condition_.code.coding if condition_.code else []
    return "other" if any(_is_no_disease(c) for c in codings) else "problems"


def _is_no_disease(coding: Coding) -> bool:
    code = coding.code or ""
    if system_key(coding.system) == ICD10:
        return code.startswith(_OUTSIDE_CAUSES) or (code.startswith("Z") and not code.startswith(_Z_STATES))
    return coding.system == SNOMED and code in _SOCIAL
