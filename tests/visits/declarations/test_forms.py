"""Which forms can be asked, and which answers fit them: item by item."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.declaring import FORM, answered, form_of, response_of
from visits.declarations.answers import fault_of, kept, words_in
from visits.declarations.fhir import Questionnaire, QuestionnaireResponse
from visits.declarations.forms import form_fault, texts_of


def item(**more: Any) -> dict[str, Any]:
    return {"linkId": "1", "text": "Câu hỏi?", "type": "boolean"} | more


def fault_in(*items: dict[str, Any]) -> str | None:
    return form_fault(form_of(*items))


def limit(name: str, **value: Any) -> dict[str, Any]:
    return {"url": f"http://hl7.org/fhir/StructureDefinition/{name}", **value}


OPTIONS = [{"valueCoding": {"code": "a", "display": "A"}}, {"valueCoding": {"code": "b", "display": "B"}}]


def test_the_demo_form_holds_together() -> None:
    assert form_fault(msgspec.convert(FORM, Questionnaire)) is None


BROKEN: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "one linkId twice": ("1", [item(), item()]),
    "asks nothing": ("item", [item(type="display")]),
    "an empty group": ("1", [item(type="group"), item(linkId="2")]),
    "items below a question": ("1", [item(item=[item(linkId="2")])]),
    "a group that must be answered": ("1", [item(type="group", required=True, item=[item(linkId="2")])]),
    "a choice without choices": ("1", [item(type="choice")]),
    "choices of no choice": ("1", [item(answerOption=OPTIONS)]),
    "one choice twice": ("1", [item(type="choice", answerOption=OPTIONS + OPTIONS[:1])]),
    "a choice without words": ("1", [item(type="choice", answerOption=[{"valueCoding": {"code": "a"}}])]),
    "a length of a number": ("1", [item(type="integer", maxLength=3)]),
    "a limit of a text": ("1", [item(type="text", extension=[limit("minValue", valueInteger=1)])]),
    "a limit of another type": ("1", [item(type="integer", extension=[limit("minValue", valueDecimal=1)])]),
    "another extension": ("1", [item(type="integer", extension=[limit("hidden", valueInteger=1)])]),
    "a limit of no day": ("1", [item(type="date", extension=[limit("minValue", valueDate="2026-02-30")])]),
    "limits the wrong way round": (
        "1",
        [
            item(
                type="integer",
                extension=[limit("minValue", valueInteger=5), limit("maxValue", valueInteger=4)],
            )
        ],
    ),
    "a condition on nothing": (
        "1",
        [item(enableWhen=[{"question": "9", "operator": "=", "answerBoolean": True}])],
    ),
    "a condition on itself": (
        "1",
        [item(enableWhen=[{"question": "1", "operator": "=", "answerBoolean": True}])],
    ),
    "a condition on a later question": (
        "1",
        [item(enableWhen=[{"question": "2", "operator": "=", "answerBoolean": True}]), item(linkId="2")],
    ),
    "a condition of another type": (
        "2",
        [item(), item(linkId="2", enableWhen=[{"question": "1", "operator": "=", "answerInteger": 1}])],
    ),
    "more than yes": (
        "2",
        [item(), item(linkId="2", enableWhen=[{"question": "1", "operator": ">", "answerBoolean": True}])],
    ),
    "a condition on a choice that is none": (
        "2",
        [
            item(type="choice", answerOption=OPTIONS),
            item(linkId="2", enableWhen=[{"question": "1", "operator": "=", "answerCoding": {"code": "c"}}]),
        ],
    ),
    "two conditions and no word whether both": (
        "2",
        [
            item(),
            item(linkId="2", enableWhen=[{"question": "1", "operator": "=", "answerBoolean": True}] * 2),
        ],
    ),
    "two values in one condition": (
        "2",
        [
            item(),
            item(
                linkId="2",
                enableWhen=[{"question": "1", "operator": "=", "answerBoolean": True, "answerInteger": 1}],
            ),
        ],
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_form_that_cannot_be_asked_is_named_by_its_link_id(case: str) -> None:
    where, items = BROKEN[case]
    assert fault_in(*items) == where


def test_a_form_is_neither_too_deep_nor_too_long() -> None:
    deep = item(linkId="q")
    for number in range(4):
        deep = item(linkId=f"g{number}", type="group", item=[deep])
    assert fault_in(deep) == "item"
    groups = [
        item(linkId=f"g{g}", type="group", item=[item(linkId=f"q{g}.{n}") for n in range(99)])
        for g in range(3)
    ]
    assert fault_in(*groups) == "item"


@pytest.mark.parametrize(
    ("field", "value"),
    [("linkId", "a b"), ("linkId", "a\n"), ("type", "attachment"), ("initial", 1), ("text", "")],
)
def test_what_is_not_understood_is_refused_and_not_skipped(field: str, value: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        form_of(item() | {field: value})


FITS: dict[str, dict[str, Any]] = {
    "the least that is asked": answered(),
    "a fever, and how high": answered(fever=True, degrees=38.5),
    "a whole number of degrees": answered(fever=True, degrees=39),
    "both limits": answered(fever=True, degrees=35.0) | {},
    "two symptoms": answered(symptoms=["cough", "breath"]),
    "a note of two lines": answered(note="Ho từ hôm qua.\nKhông đau."),
    "a day": answered(since="2026-11-01"),
}
MISSES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "nothing": ("fever", "missing", response_of()),
    "open and not answered": ("degrees", "missing", answered(fever=True)),
    "answered and not open": ("degrees", "not-asked", answered(fever=False, degrees=38.0)),
    "below its limit": ("degrees", "limit", answered(fever=True, degrees=20.0)),
    "above its limit": ("degrees", "limit", answered(fever=True, degrees=60.0)),
    "of another type": ("fever", "type", answered(fever="có")),
    "no day": ("since", "type", answered(since="2026-02-30")),
    "a day to come": ("since", "limit", answered(since="2101-01-01")),
    "a code that is none": ("symptoms", "not-an-option", answered(symptoms=["plague"])),
    "one code twice": ("symptoms", "twice", answered(symptoms=["cough", "cough"])),
    "too long": ("note", "limit", answered(note="x" * 301)),
    "blank": ("note", "limit", answered(note="  ")),
    "a bell": ("note", "limit", answered(note="x\x07")),
    "two answers to one question": (
        "fever",
        "twice",
        response_of({"linkId": "fever", "answer": [{"valueBoolean": True}, {"valueBoolean": False}]}),
    ),
    "a question twice": (
        "fever",
        "twice",
        response_of(*[{"linkId": "fever", "answer": [{"valueBoolean": True}]}] * 2),
    ),
    "two values in one answer": (
        "fever",
        "type",
        response_of({"linkId": "fever", "answer": [{"valueBoolean": True, "valueInteger": 1}]}),
    ),
    "what was never asked": (
        "shoe-size",
        "unknown",
        response_of({"linkId": "shoe-size", "answer": [{"valueInteger": 41}]}),
    ),
    "in the wrong group": ("note", "unknown", response_of({"linkId": "note"})),
    "an answer to a text": ("hello", "not-asked", response_of({"linkId": "hello"})),
    "an answer to a group": (
        "more",
        "type",
        response_of(
            {"linkId": "fever", "answer": [{"valueBoolean": False}]},
            {"linkId": "more", "answer": [{"valueBoolean": True}]},
        ),
    ),
    "items below an answer": (
        "x",
        "unknown",
        response_of({"linkId": "fever", "answer": [{"valueBoolean": True}], "item": [{"linkId": "x"}]}),
    ),
}


def read(response: dict[str, Any]) -> QuestionnaireResponse:
    return msgspec.convert(response, QuestionnaireResponse)


@pytest.mark.parametrize("case", FITS)
def test_answers_that_fit(case: str) -> None:
    assert fault_of(msgspec.convert(FORM, Questionnaire), read(FITS[case])) is None


@pytest.mark.parametrize("case", MISSES)
def test_answers_that_do_not_fit_and_why(case: str) -> None:
    link_id, reason, response = MISSES[case]
    fault = fault_of(msgspec.convert(FORM, Questionnaire), read(response))
    assert fault is not None
    assert (fault.link_id, fault.reason) == (link_id, reason)


CONDITIONS = [
    ("=", 5, {4: False, 5: True, 6: False}),
    ("!=", 5, {4: True, 5: False, 6: True}),
    (">", 5, {4: False, 5: False, 6: True}),
    ("<", 5, {4: True, 5: False, 6: False}),
    (">=", 5, {4: False, 5: True, 6: True}),
    ("<=", 5, {4: True, 5: True, 6: False}),
]


@pytest.mark.parametrize(("operator", "wanted", "opens"), CONDITIONS)
def test_each_operator_opens_for_what_it_says(operator: str, wanted: int, opens: dict[int, bool]) -> None:
    condition = {"question": "n", "operator": operator, "answerInteger": wanted}
    form = form_of(
        item(linkId="n", type="integer"), item(linkId="then", required=True, enableWhen=[condition])
    )
    assert form_fault(form) is None
    nothing = read(response_of())
    assert fault_of(form, nothing) is None, "what was not answered meets no comparison"
    for value, is_open in opens.items():
        fault = fault_of(form, read(response_of({"linkId": "n", "answer": [{"valueInteger": value}]})))
        assert (fault is not None and fault.reason == "missing") is is_open


@pytest.mark.parametrize("behavior", ["all", "any"])
@pytest.mark.parametrize("exists", [True, False])
def test_several_conditions_and_whether_there_is_an_answer(behavior: str, *, exists: bool) -> None:
    conditions = [
        {"question": "a", "operator": "exists", "answerBoolean": exists},
        {"question": "b", "operator": "=", "answerBoolean": True},
    ]
    form = form_of(
        item(linkId="a"),
        item(linkId="b"),
        item(linkId="then", required=True, enableWhen=conditions, enableBehavior=behavior),
    )
    for a in (None, True):
        for b in (None, True, False):
            values = {"a": a, "b": b}
            given_items = [
                {"linkId": key, "answer": [{"valueBoolean": value}]}
                for key, value in values.items()
                if value is not None
            ]
            met = [(a is not None) is exists, b is True]
            is_open = all(met) if behavior == "all" else any(met)
            fault = fault_of(form, read(response_of(*given_items)))
            assert (fault is not None) is is_open


def test_a_closed_group_asks_nothing_and_opens_nothing() -> None:
    closed = [{"question": "a", "operator": "=", "answerBoolean": True}]
    inside = item(linkId="inside", required=True)
    form = form_of(item(linkId="a"), item(linkId="g", type="group", enableWhen=closed, item=[inside]))
    assert fault_of(form, read(response_of())) is None
    sneaked = {"linkId": "g", "item": [{"linkId": "inside", "answer": [{"valueBoolean": True}]}]}
    fault = fault_of(form, read(response_of(sneaked)))
    assert fault is not None
    assert (fault.link_id, fault.reason) == ("g", "not-asked")


def test_questions_and_codes_are_kept_in_the_forms_own_words() -> None:
    said = answered(symptoms=["cough"])
    said["item"][0]["text"] = "Lời khác"
    coding = said["item"][1]["item"][0]["answer"][0]["valueCoding"]
    coding["display"] = "Chữ của người gửi"
    form, response = msgspec.convert(FORM, Questionnaire), read(said)
    assert fault_of(form, response) is None
    text = msgspec.json.encode(kept(form, response)).decode()
    assert "Lời khác" not in text
    assert "Chữ của người gửi" not in text
    assert "Ho" in text
    assert {"Lời khác", "Chữ của người gửi"} <= {one.text for one in words_in(response)}


def test_the_gate_hears_every_text_of_a_form() -> None:
    texts = texts_of(msgspec.convert(FORM, Questionnaire))
    assert {"Khai trước khi khám (mẫu thử)", "Ho", "cough", "Bạn có sốt không?"} <= set(texts)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 50) | st.floats(30, 45) | st.sampled_from(["x", "cough"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["linkId", "answer", "item", "text", "valueBoolean", "valueDecimal", "valueCoding", "code"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
_IDS = ["fever", "degrees", "more", "symptoms", "note", "since", "hello", "x"]
_ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "valueBoolean": st.booleans(),
        "valueDecimal": st.floats(30, 50),
        "valueDate": st.sampled_from(["2026-11-01", "2026-02-30"]),
        "valueString": st.sampled_from(["x", " ", "y" * 400]),
        "valueCoding": st.fixed_dictionaries({"code": st.sampled_from(["cough", "z"])}),
    },
)
_ITEMS = st.recursive(
    st.fixed_dictionaries(
        {"linkId": st.sampled_from(_IDS), "answer": st.lists(_ANSWERS, max_size=2)},
    ),
    lambda inner: st.fixed_dictionaries(
        {"linkId": st.sampled_from(_IDS), "item": st.lists(inner, max_size=4)}
    ),
    max_leaves=8,
)


@given(st.lists(_ITEMS, max_size=5))
def test_whatever_is_sent_what_is_kept_answers_the_form(items: list[dict[str, Any]]) -> None:
    form, response = msgspec.convert(FORM, Questionnaire), read(response_of(*items))
    if fault_of(form, response) is None:
        again = QuestionnaireResponse(
            resource_type="QuestionnaireResponse", status="completed", item=kept(form, response)
        )
        assert fault_of(form, again) is None
        assert kept(form, again) == again.item


@given(_JSON)
def test_no_json_breaks_the_reading_of_answers(value: Any) -> None:
    try:
        response = read({"resourceType": "QuestionnaireResponse", "status": "completed", "item": value})
    except msgspec.ValidationError:
        return
    fault_of(msgspec.convert(FORM, Questionnaire), response)
