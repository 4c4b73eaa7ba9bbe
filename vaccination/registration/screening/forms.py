"""Screening forms and what answers to one mean."""

from functools import cache
from importlib.resources import files
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

# none: nothing to say. tell-staff: before the injection. ask-first: before coming.
Verdict = Literal["none", "tell-staff", "ask-first"]
Reply = Literal["yes", "no", "unknown"]
_ORDER: Final[tuple[Verdict, ...]] = ("none", "tell-staff", "ask-first")
LATEST: Final = {"general": 2}
NOTE_MAX: Final = 500


class ScreeningQuestion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """yes, unknown: what such an answer asks of the person; `no` asks nothing. sex, from_months: whom it is
    asked; without either everybody."""

    key: str
    sex: Literal["female", "male"] | None = None
    from_months: int | None = None
    vi: str
    en: str
    yes: Verdict
    unknown: Verdict
    advice_vi: str
    advice_en: str


class ScreeningForm(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """confirmed: whether somebody compared it with the form in force."""

    form: str
    version: int
    confirmed: bool
    source: str
    title_vi: str
    title_en: str
    questions: list[ScreeningQuestion]


class ScreeningAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key: Annotated[str, Meta(max_length=60)]
    answer: Reply


class ScreeningAnswers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was answered, as it is kept sealed. note: what the person adds, at most 500 characters."""

    form: str
    version: int
    answers: list[ScreeningAnswer]
    note: str | None = None


class ScreeningAdvice(Struct, frozen=True, kw_only=True):
    """What an answer asks of the person. Never whether somebody may be vaccinated: who examines decides."""

    key: str
    verdict: Verdict
    vi: str
    en: str


@cache
def form_of(form: str, version: int) -> ScreeningForm:
    """A version of a form. Raises FileNotFoundError."""
    data = files(__package__).joinpath(f"{form}.{version}.json").read_bytes()
    return msgspec.json.decode(data, type=ScreeningForm)


def fault_of(
    form: ScreeningForm, asked: list[ScreeningQuestion], answers: list[ScreeningAnswer]
) -> str | None:
    """The first question that was asked and is not answered, that is answered twice, or the answer to no
    question. asked: those of the form that are for this person; the others may be answered."""
    given = [one.key for one in answers]
    known = [one.key for one in form.questions]
    needed = {one.key for one in asked}
    return next((key for key in known if not (key in needed) <= given.count(key) <= 1), None) or next(
        (key for key in given if key not in known), None
    )


def advice_of(form: ScreeningForm, answers: list[ScreeningAnswer]) -> list[ScreeningAdvice]:
    """In the order of the questions that were answered."""
    given = {one.key: one.answer for one in answers}
    found = []
    for one in form.questions:
        answer = given.get(one.key, "no")
        verdict = "none" if answer == "no" else one.yes if answer == "yes" else one.unknown
        if verdict != "none":
            found.append(ScreeningAdvice(key=one.key, verdict=verdict, vi=one.advice_vi, en=one.advice_en))
    return found


def verdict_of(advice: list[ScreeningAdvice]) -> Verdict:
    """The most that is asked."""
    return max((one.verdict for one in advice), key=_ORDER.index, default="none")
