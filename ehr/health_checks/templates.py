"""Form templates: what a file of `forms/` holds, and what is wrong with one that does not hold together."""

import re
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from ehr.intake.signs import DIASTOLIC, SIGNS, SYSTOLIC, Sign
from ehr.views.checks import FORM_URN
from kernel.text import fold

CheckKind = Literal["yearly", "school", "work", "elderly", "driving-licence"]
SIGN_OF: Final[dict[str, Sign]] = {
    **dict[str, Sign](SIGNS.items()),
    "systolic": SYSTOLIC,
    "diastolic": DIASTOLIC,
}
# What a section's fields become in the record beside the form; of `answers` only signs.
Makes = Literal["answers", "service", "diagnosis"]
_MADE_OF: Final[dict[str, frozenset[str]]] = {
    "service": frozenset({"TENDICHVU", "MADICHVU", "MANHOM", "KETQUA"}),
    "diagnosis": frozenset({"TENBENH", "MABENH", "KETLUAN"}),
}
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
REPEATS_MAX: Final = 20
FIELDS_MAX: Final = 200

Words = Annotated[str, Meta(min_length=1, max_length=300)]


class Choice(Struct, frozen=True, forbid_unknown_fields=True):
    code: Annotated[str, Meta(min_length=1, max_length=20)]
    title: Words


class Plausible(Struct, frozen=True, forbid_unknown_fields=True):
    """What a number can be at all: beyond it something was mistyped. No judgement of health."""

    low: Decimal
    high: Decimal


class FormField(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field. sign: the vital sign that it is too; its unit is that of the sign."""

    code: str
    title: Words
    type: Literal["number", "text", "yes-no", "date", "choice"]
    unit: str = ""
    is_required: bool = False
    plausible: Plausible | None = None
    choices: list[Choice] = []
    sign: str | None = None
    length_max: Annotated[int, Meta(ge=1, le=4000)] = 300


class FormSection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """repeats: how often its fields may stand, as CODE_1, CODE_2 …; 1 is CODE alone."""

    code: str
    title: Words
    fields: Annotated[list[FormField], Meta(min_length=1)]
    makes: Makes = "answers"
    repeats: Annotated[int, Meta(ge=1, le=REPEATS_MAX)] = 1


class CheckForm(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A form of one version. source: whose form it is and what of it is not confirmed."""

    form: Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$(?!\n)")]
    version: Annotated[int, Meta(ge=1)]
    title: Words
    source: Annotated[str, Meta(min_length=10, max_length=1000)]
    note: str = ""
    kinds: Annotated[list[CheckKind], Meta(min_length=1)]
    sections: Annotated[list[FormSection], Meta(min_length=1)]

    @property
    def canonical(self) -> str:
        return f"{FORM_URN}{self.form}|{self.version}"


class Place(Struct, frozen=True):
    """A field where it stands in a filled-in form. number: of a repeated section, from 1; else 0."""

    name: str
    field: FormField
    section: FormSection
    number: int = 0


class BadFormError(Exception):
    """A template that does not hold together, with every fault found."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


def places_of(form: CheckForm) -> list[Place]:
    """Every field of a form under the name that a filled-in one uses, in its order."""
    return [
        Place(f"{field.code}_{number}" if number else field.code, field, section, number)
        for section in form.sections
        for number in (range(1, section.repeats + 1) if section.repeats > 1 else (0,))
        for field in section.fields
    ]


def read_form(text: bytes) -> CheckForm:
    """A template from its JSON. Raises BadFormError with every fault."""
    try:
        form = msgspec.json.decode(text, type=CheckForm)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadFormError([str(error)]) from None
    faults = _faults_of(form)
    if faults:
        raise BadFormError(faults)
    return form


def _faults_of(form: CheckForm) -> list[str]:
    places = places_of(form)
    faults = [f"{one.name}: twice" for one in _twice([place.name for place in places], places)]
    faults += [f"{name}: section twice" for name in _repeated([section.code for section in form.sections])]
    faults += [f"{sign}: sign twice" for sign in _repeated([p.field.sign for p in places if p.field.sign])]
    if len(places) > FIELDS_MAX:
        faults.append(f"more than {FIELDS_MAX} fields")
    for section in form.sections:
        faults += _faults_of_section(section)
        for field in section.fields:
            faults += [f"{field.code}: {fault}" for fault in _faults_of_field(field)]
    return faults


def _repeated(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _twice(names: list[str], places: list[Place]) -> list[Place]:
    """Names as headings are compared: without case and signs."""
    plain = [fold(name).replace("_", "") for name in names]
    return [place for place, name in zip(places, plain, strict=True) if plain.count(name) > 1]


def _faults_of_section(section: FormSection) -> list[str]:
    if section.makes == "answers":
        return [f"{section.code}: only services and diagnoses repeat"] if section.repeats > 1 else []
    missing = _MADE_OF[section.makes] - {field.code for field in section.fields}
    return [f"{section.code}: a {section.makes} needs {name}" for name in sorted(missing)]


def _faults_of_field(field: FormField) -> list[str]:
    number = field.type == "number"
    sign = SIGN_OF.get(field.sign) if field.sign else None
    checks = (
        (_CODE.fullmatch(field.code) is not None, "code of another form"),
        (bool(field.choices) == (field.type == "choice"), "choices without a choice, or the reverse"),
        (len({one.code for one in field.choices}) == len(field.choices), "choice twice"),
        (
            number or not (field.unit or field.plausible or field.sign),
            "only a number has a unit, range or sign",
        ),
        (field.plausible is None or field.plausible.low < field.plausible.high, "empty range"),
        (field.sign is None or sign is not None, "unknown sign"),
        (sign is None or sign.unit == field.unit, "another unit than its sign"),
    )
    return [fault for holds, fault in checks if not holds]


@cache
def forms() -> dict[tuple[str, int], CheckForm]:
    """Every template of this program by form and version. Raises BadFormError."""
    found: dict[tuple[str, int], CheckForm] = {}
    for path in sorted(files("ehr.health_checks.forms").iterdir(), key=lambda one: one.name):
        if path.name.endswith(".json"):
            form = read_form(path.read_bytes())
            if path.name != f"{form.form}.{form.version}.json":
                raise BadFormError([f"{path.name}: holds {form.form} version {form.version}"])
            found[form.form, form.version] = form
    return found


def form_of(name: str, version: int | None) -> CheckForm | None:
    """A form of that version, or of its newest."""
    versions = [number for form, number in forms() if form == name]
    wanted = version if version is not None else max(versions, default=0)
    return forms().get((name, wanted))
