"""Form templates are data with a version: one that does not hold together is refused by name."""

import hashlib
from importlib.resources import files
from typing import Any

import msgspec
import pytest

from ehr.health_checks.sessions import columns_of
from ehr.health_checks.templates import BadFormError, form_of, forms, places_of, read_form
from ehr.health_checks.values import read_values
from ehr.intake.models import Reason

FIELD: dict[str, Any] = {"code": "A", "title": "A", "type": "number", "unit": "kg"}


def template(field: dict[str, Any] | None = None, **changed: Any) -> bytes:
    section = {"code": "s", "title": "S", "fields": [FIELD | (field or {})]}
    whole = {
        "form": "test",
        "version": 1,
        "title": "Mẫu thử",
        "source": "chỉ để thử nghiệm",
        "kinds": ["work"],
        "sections": [section],
    }
    return msgspec.json.encode(whole | changed)


def test_the_form_of_qd831_holds_every_field_of_part_d() -> None:
    form = form_of("831-d", None)
    assert form is not None
    told = {place.field.code for place in places_of(form)}
    # The elements of HOSOKHAMCHUABENH without the visit's own number, days and doctor.
    part_d = """LYDOKHAM BENHSU MACH NHIETDO HUYETAPTT HUYETAPTD NHIPTHO CHIEUCAO CHISOBMI CANNANG
        VONGBUNG SUDUNGKINH MATPHAI MATTRAI KHAMDA KHAMNIEMMAC KHAMTOANTHANKHAC KHAMTIMMACH
        KHAMHOHAP KHAMTIEUHOA KHAMTIETNIEU KHAMCOXUONGKHOP KHAMNOITIET KHAMTHANKINH KHAMTAMTHAN
        KHAMNGOAIKHOA KHAMPHUKHOA KHAMTAIMUIHONG KHAMRHM KHAMMAT KHAMDALIEU KHAMDINHDUONG
        KHAMVANDONG KHAC TC_TT_VD TUVAN MADICHVU MANHOM TENDICHVU KETQUA MABENH TENBENH KETLUAN"""
    assert told == set(part_d.split())


def test_a_version_of_a_form_is_never_edited() -> None:
    """A change is a new file: checks that were filled in on a version name it."""
    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files("ehr.health_checks.forms").iterdir()
        if path.name.endswith(".json")
    }
    assert digests == {"831-d.1.json": "211801fbd271b156e30ef215365e80ae2ab15c7cb9280f03e72fa82846534ab3"}
    assert set(forms()) == {("831-d", 1)}


def test_headings_of_every_form_are_told_apart() -> None:
    for form in forms().values():
        columns = columns_of(form)
        spelt = [text for column in columns for text in (column.name, column.title) if text]
        assert len({text.casefold() for text in spelt}) == len(spelt)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"{", "truncated"),
        (template({"code": "a b"}), "code of another form"),
        (template({"type": "text"}), "only a number"),
        (template({"sign": "weight", "unit": "g"}), "another unit"),
        (template({"sign": "mood"}), "unknown sign"),
        (template({"plausible": {"low": 9, "high": 1}}), "empty range"),
        (template({"choices": [{"code": "1", "title": "x"}]}), "choices without"),
        (template({"type": "choice", "unit": ""}), "choices without"),
        (template({"colour": "red"}), "colour"),
        (template(kinds=["army"]), "army"),
        (template(source="?"), "source"),
        (template(sections=[]), "sections"),
        (template(sections=[{"code": "s", "title": "S", "fields": [FIELD, FIELD]}]), "twice"),
        (template(sections=[{"code": "s", "title": "S", "fields": [FIELD], "repeats": 3}]), "only services"),
        (
            template(sections=[{"code": "s", "title": "S", "fields": [FIELD], "makes": "diagnosis"}]),
            "needs TENBENH",
        ),
    ],
)
def test_a_template_that_does_not_hold_together_is_refused_by_name(text: bytes, fault: str) -> None:
    with pytest.raises(BadFormError, match=fault):
        read_form(text)


def test_a_field_that_the_template_requires_is_asked_for() -> None:
    form = read_form(template({"is_required": True, "plausible": {"low": "1", "high": "9.5"}}))
    for values, fault in (
        ({}, "missing-field"),
        ({"A": "0,9"}, "implausible"),
        ({"A": "9.51"}, "implausible"),
        ({"A": "1e3"}, "bad-number"),
        ({"A": "-5"}, "bad-number"),
    ):
        faults: list[Reason] = []
        assert read_values(form, values, faults) == []
        assert faults == [Reason(fault, "A")]
    (answer,) = read_values(form, {"A": " 09,50 "}, [])
    assert answer.text == "9.50"
