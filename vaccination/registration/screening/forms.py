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
LATEST: Final = {"general": 1}
NOTE_MAX: Final = 500


class ScreeningQuestion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """yes, unknown: what such an answer asks of the person; `no` asks nothing."""

    key: str
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


def fault_of(form: ScreeningForm, answers: list[ScreeningAnswer]) -> str | None:
    """The first question that is not answered exactly once, or the answer to no question."""
    given = [one.key for one in answers]
    asked = [one.key for one in form.questions]
    return next((key for key in asked if given.count(key) != 1), None) or next(
        (key for key in given if key not in asked), None
    )


def advice_of(form: ScreeningForm, answers: list[ScreeningAnswer]) -> list[ScreeningAdvice]:
    """In the order of the questions."""
    given = {one.key: one.answer for one in answers}
    found = []
    for one in form.questions:
        answer = given.get(one.key, "unknown")
        verdict = "none" if answer == "no" else one.yes if answer == "yes" else one.unknown
        if verdict != "none":
            found.append(ScreeningAdvice(key=one.key, verdict=verdict, vi=one.advice_vi, en=one.advice_en))
    return found


def verdict_of(advice: list[ScreeningAdvice]) -> Verdict:
    """The most that is asked."""
    return max((one.verdict for one in advice), key=_ORDER.index, default="none")
