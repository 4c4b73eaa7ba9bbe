"""The words of the document: tags by audience, both languages, parameters and properties."""

import re
import unicodedata
from html import unescape
from typing import Any

import msgspec
import pytest

from api.document import words
from api.document.words import FIELDS, PARAMETERS, SUMMARIES_VI, TAGS, audience_of, meanings
from api.pages.docs import render_page, served_document

DOCUMENT: dict[str, Any] = msgspec.json.decode(served_document())
OPERATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    operation["operationId"]: (path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for operation in methods.values()
}
# Names, forms and abbreviations that Vietnamese writes as they are.
NAMES = frozenset(
    """
    A4 AuditEvent BHYT BMI Bundle CDA CDC CM_INVALID_REQUEST CM_SUCCESS COVID-19 CSV CapabilityStatement Card
    ES256 ETag FHIR GIAMDINHHS HC1 Health IPS JCS JPEG JSON JWE JWS Kiosk Link OAuth Observation PDF PIN PNG
    PS_SIGNATURE_INVALID Q QR Questionnaire QĐ R4 SMART SMS SVG Subscription TOTP WHO X-Healthbook-Signature
    X-Partner-Signature X-Patient-Id X-Subscription-Secret base64url export kid kiosk MB mm true webhook
    """.split()  # noqa: SIM905
)
SYLLABLE = re.compile(
    "(ngh?|[ckgnpt]h|gh|tr|gi|qu|[bcdđghklmnpqrstvx])?[aăâeêioôơuưy]{1,3}(ng|nh|ch|[cmnpt])?",
)


def toneless(word: str) -> str:
    """Without the marks of the five tones; â, ă, ê, ô, ơ, ư and đ stay."""
    tones = "\u0300\u0301\u0303\u0309\u0323"
    bare = "".join(sign for sign in unicodedata.normalize("NFD", word.lower()) if sign not in tones)
    return unicodedata.normalize("NFC", bare)


def foreign(text: str) -> list[str]:
    """Words that are neither a syllable of Vietnamese nor one of NAMES."""
    plain = re.sub(r"`[^`]*`|\(R4 Backport\)|/v1/\S+|/\.well-known|typ [\w+-]+", " ", text)
    found = re.findall(r"[^\W\d_][\w-]*", plain)
    return [word for word in found if word not in NAMES and not SYLLABLE.fullmatch(toneless(word))]


def test_every_operation_has_its_vietnamese_sentence_and_none_is_left_over() -> None:
    assert set(SUMMARIES_VI) == set(OPERATIONS)
    for name, (_, operation) in OPERATIONS.items():
        assert operation["x-summary-vi"] == SUMMARIES_VI[name]


def test_a_vietnamese_sentence_is_short_whole_and_vietnamese() -> None:
    for name, sentence in SUMMARIES_VI.items():
        assert sentence == unicodedata.normalize("NFC", sentence).strip(), name
        assert sentence[0].isupper(), name
        assert sentence.endswith("."), name
        assert len(sentence) <= 160, name
        assert foreign(sentence) == [], name


@pytest.mark.parametrize("text", ["Xem sổ of a person.", "Read the book.", "Xem record."])
def test_english_would_be_found(text: str) -> None:
    assert foreign(text)


@pytest.mark.parametrize("key", ["summary", "x-summary-vi"])
def test_no_two_operations_say_the_same(key: str) -> None:
    """Except where they say the same in both languages."""
    by_text: dict[str, set[str]] = {}
    other = {"summary": "x-summary-vi", "x-summary-vi": "summary"}[key]
    for _, operation in OPERATIONS.values():
        by_text.setdefault(operation[key], set()).add(operation[other])
    assert [text for text, others in by_text.items() if len(others) > 1] == []


def test_a_tag_says_audience_and_subject_and_each_is_described() -> None:
    used = set()
    for path, operation in OPERATIONS.values():
        (tag,) = operation["tags"]
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", tag), "generators make a class of it"
        assert tag.startswith(audience_of(path) + "-")
        used.add(tag)
    assert used == set(TAGS.tags), "described, and none left over"
    assert [tag["name"] for tag in DOCUMENT["tags"]] == [
        tag for group in DOCUMENT["x-tagGroups"] for tag in group["tags"]
    ]
    assert {tag["name"] for tag in DOCUMENT["tags"]} == used
    for text in (*TAGS.tags.values(), *TAGS.audiences.values()):
        assert text.en
        assert foreign(text.vi) == []


def test_two_tags_never_make_one_class() -> None:
    names = [re.sub("-", "", tag["name"]) for tag in DOCUMENT["tags"]]
    assert len(set(names)) == len(names)


def test_an_operation_for_citizens_is_where_its_app_looks() -> None:
    for path, operation in OPERATIONS.values():
        if operation["tags"][0].startswith("citizen-"):
            assert operation["x-actors"] == ["citizen"], path


def test_every_parameter_is_described_and_no_words_are_left_over() -> None:
    told = set()
    for name, (_, operation) in OPERATIONS.items():
        for parameter in operation["parameters"]:
            assert parameter.get("description", "").endswith((".", "`")), (name, parameter["name"])
            told |= {parameter["name"], f"{name}.{parameter['name']}"}
    assert set(PARAMETERS) <= told


def test_words_for_fields_of_every_schema_are_used() -> None:
    fields = {
        name for one in DOCUMENT["components"]["schemas"].values() for name in one.get("properties", {})
    }
    assert set(FIELDS) <= fields


def test_a_field_is_told_by_its_struct() -> None:
    text = (
        "A thing. code, pin: what was\nshown; kind: new: fresh; old: stale. Note: nothing.\n\nIt is signed."
    )
    assert meanings(text, ("code", "pin", "kind")) == {
        "code": "what was shown.",
        "pin": "what was shown.",
        "kind": "new: fresh; old: stale. Note: nothing.",
    }


def test_a_reference_has_no_words_beside_it() -> None:
    """Generators make a type of its own of a reference with a neighbour."""
    for schema in DOCUMENT["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            assert "$ref" not in field or "description" not in field


def test_the_page_shows_audiences_in_order_in_both_languages() -> None:
    page = unescape(render_page(DOCUMENT).decode())
    heads = [page.index(f'<h2 id="{name}"') for name in words.TAGS.audiences]
    assert heads == sorted(heads)
    assert page.count('class="operation"') == len(OPERATIONS)
    for _, operation in OPERATIONS.values():
        assert operation["x-summary-vi"] in page
