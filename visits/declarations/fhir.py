"""The part of FHIR R4 Questionnaire and QuestionnaireResponse that declarations use.

A field that is not here is refused: whatever a form says, it is checked, and whatever is answered, it was
asked. Texts are Vietnamese; groups do not repeat.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

ItemType = Literal["group", "display", "boolean", "integer", "decimal", "date", "string", "text", "choice"]
Operator = Literal["exists", "=", "!=", ">", "<", ">=", "<="]

TEXT_MAX = 2000
STRING_MAX = 255
# FHIR's own limit of a date, without the partial ones: a form asks for a day. `$` alone lets "\n" through.
FhirDate = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)")]
LinkId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$(?!\n)")]
Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$(?!\n)")]
Uri = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\s]+$(?!\n)")]
Said = Annotated[str, Meta(min_length=1, max_length=500)]
Int32 = Annotated[int, Meta(ge=-(2**31), lt=2**31)]
Decimal = Annotated[float, Meta(ge=-1e9, le=1e9)]


class Coding(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of a form's own answers. display: as the form says it; in an answer it is put there by us."""

    code: Code
    system: Uri | None = None
    display: Said | None = None


class Extension(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A limit of an answer: FHIR's minValue or maxValue, of the item's own type. Others are refused."""

    url: Uri
    value_integer: Int32 | None = None
    value_decimal: Decimal | None = None
    value_date: FhirDate | None = None


class EnableWhen(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True
):
    """question: the linkId of an earlier question. exists takes answerBoolean."""

    question: LinkId
    operator: Operator
    answer_boolean: bool | None = None
    answer_integer: Int32 | None = None
    answer_decimal: Decimal | None = None
    answer_date: FhirDate | None = None
    answer_string: Annotated[str, Meta(min_length=1, max_length=STRING_MAX)] | None = None
    answer_coding: Coding | None = None


class AnswerOption(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    value_coding: Coding


class Item(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """A question, a text that is only shown, or a group of items. max_length: of a string or text."""

    link_id: LinkId
    text: Said
    type: ItemType
    required: bool = False
    repeats: bool = False
    max_length: Annotated[int, Meta(ge=1, le=TEXT_MAX)] | None = None
    enable_when: Annotated[list[EnableWhen], Meta(max_length=10)] = []
    enable_behavior: Literal["all", "any"] | None = None
    answer_option: Annotated[list[AnswerOption], Meta(max_length=100)] = []
    extension: Annotated[list[Extension], Meta(max_length=2)] = []
    item: "Annotated[list[Item], Meta(max_length=100)]" = []


class Questionnaire(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True
):
    """A form. What says which form it is (id, url, version, status) is ours and not the sender's: it is
    left out when a form is proposed and there when one is read."""

    resource_type: Literal["Questionnaire"]
    title: Annotated[str, Meta(min_length=3, max_length=150)]
    description: Annotated[str, Meta(max_length=1000)] | None = None
    id: Annotated[str, Meta(max_length=64)] | None = None
    url: Uri | None = None
    version: Annotated[str, Meta(max_length=20)] | None = None
    status: Literal["draft", "active", "retired"] | None = None
    language: Literal["vi"] | None = None
    subject_type: Annotated[list[Literal["Patient"]], Meta(max_length=1)] = []
    item: Annotated[list[Item], Meta(min_length=1, max_length=100)]


class Answer(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True
):
    """One value, in the field of its type."""

    value_boolean: bool | None = None
    value_integer: Int32 | None = None
    value_decimal: Decimal | None = None
    value_date: FhirDate | None = None
    value_string: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)] | None = None
    value_coding: Coding | None = None


class AnsweredItem(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True
):
    """text: as the form asks; in what is sent it may be left out, and is put there by us."""

    link_id: LinkId
    text: Said | None = None
    answer: Annotated[list[Answer], Meta(max_length=20)] = []
    item: "Annotated[list[AnsweredItem], Meta(max_length=100)]" = []


class QuestionnaireResponse(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True
):
    """Answers to one version of a form. questionnaire and authored are ours; a sender leaves them out."""

    resource_type: Literal["QuestionnaireResponse"]
    status: Literal["completed"]
    questionnaire: Uri | None = None
    authored: Annotated[str, Meta(max_length=40)] | None = None
    item: Annotated[list[AnsweredItem], Meta(max_length=100)]


Value: TypeAlias = bool | int | float | str | Coding
