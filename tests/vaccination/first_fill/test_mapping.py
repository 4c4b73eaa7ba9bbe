"""What of a row stands where in the vaccination, and what is said against it (docs/mapping.md)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ehr.fhir import Immunization
from ehr.intake.models import BadInputError, Reason, Unit
from ehr.rows.models import Row
from tests.vaccination.first_fill.doses import COVID, FIELDS, dose
from vaccination.book.document import given_of
from vaccination.first_fill.fields import read_fields
from vaccination.first_fill.mapping import same_dose, shortcomings, unit_of

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


def row(**changed: str) -> Row:
    return Row(2, {name: text for name, text in dose(**changed).items() if text})


def unit(**changed: str) -> Unit:
    return unit_of(row(**changed), COVID, NOW)


def document(**changed: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(unit(**changed).items[0].raw)
    return made


def faults(**changed: str) -> list[tuple[str, str]]:
    with pytest.raises(BadInputError) as error:
        unit(**changed)
    return [(reason.code, reason.where) for reason in error.value.reasons]


def test_every_field_that_is_kept_changes_what_is_kept_and_no_other_does() -> None:
    """As docs/mapping.md says it."""
    changes = {
        "national_id": "079188000002",
        "full_name": "Lê Thị Khác",
        "birth_date": "1988-04-06",
        "sex": "Nam",
        "vaccine": "Abdala",
        "given_on": "06/08/2021",
        "dose_number": "2",
        "facility": "Nơi khác",
        "antigen": "Cúm",
        "dose_id": "TC-2",
        "insurance_card": "GD4797912345678",
        "nationality": "",
        "phone": "0903111222",
        "series_doses": "3",
        "expires_on": "2022-01-01",
        "state": "1",
        "next_on": "2021-09-05",
    }
    looked_at = {"ethnic_group", "state", "nationality"} | {
        one.name for one in FIELDS.fields if one.name.startswith("address_")
    }
    for one in FIELDS.fields:
        changed = unit(**{one.name: changes.get(one.name, "anders")})
        is_kept = (changed.person, changed.items) != (unit().person, unit().items)
        assert is_kept == (one.name not in looked_at), one.name


def test_the_decision_requires_twenty_fields_and_none_of_their_names_is_confirmed() -> None:
    assert FIELDS.fields_official == 44
    assert not FIELDS.confirmed
    assert [name for name in FIELDS.official if not name.startswith("address_")] == [
        *("national_id", "full_name", "birth_date", "sex", "ethnic_group"),
        *("vaccine", "given_on", "dose_number", "facility", "antigen"),
    ]
    assert len(FIELDS.official) == 20


def test_an_operators_own_columns_are_read_and_names_that_nobody_knows_are_refused(tmp_path: Any) -> None:
    own = json.loads(
        json.dumps({"version": "x", "source": "y", "confirmed": True, "note": "", "fields_official": 44})
    )
    field = {"name": "national_id", "title": "Mã", "need": "person"}
    path = tmp_path / "fields.json"
    path.write_text(json.dumps(own | {"fields": [field]}))
    assert read_fields(path).name_of("MA") == "national_id"
    for wrong in (
        own | {"fields": [field | {"name": "anything"}]},
        own | {"fields": [field, {"name": "sex", "title": "mã"}]},
        own | {"fields": [field | {"title": "?"}]},
        {"fields": []},
        [],
    ):
        path.write_text(json.dumps(wrong))
        with pytest.raises(BadInputError) as error:
            read_fields(path)
        assert error.value.reasons == [Reason("bad-fields", "fields")]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("05/08/2021", "2021-08-05"),
        ("5-8-2021", "2021-08-05"),
        ("2021-08-05", "2021-08-05"),
        ("20210805", "2021-08-05"),
        ("05/08/2021 14:30", "2021-08-05T14:30:00+07:00"),
        ("05/08/2021 14:30:59", "2021-08-05T14:30:00+07:00"),
        ("2021-08-05T14:30:59.123", "2021-08-05T14:30:00+07:00"),
        ("2021-08-05 00:00:00", "2021-08-05"),
        ("05/08/2021 00:00", "2021-08-05"),
        ("2021-08-05T07:30:00Z", "2021-08-05T07:30:00Z"),
        ("08/2021", "2021-08"),
        ("2021", "2021"),
    ],
)
def test_a_date_keeps_the_precision_that_it_was_written_with(written: str, kept: str) -> None:
    assert document(given_on=written)["occurrenceDateTime"] == kept


@pytest.mark.parametrize(
    "written", ["31/02/2021", "2021-13-01", "44413", "hôm qua", "05/08/21", "0000-00-00"]
)
def test_what_is_no_date_is_no_dose(written: str) -> None:
    assert faults(given_on=written) == [("bad-date", "given_on")]


def test_a_dose_lies_between_birth_and_today() -> None:
    assert faults(given_on="2026-11-24") == [("future-date", "given_on")]
    assert faults(given_on="04/04/1988") == [("before-birth", "given_on")]
    assert faults(given_on="1987") == [("before-birth", "given_on")]
    assert unit(given_on="1988").person.birth_date == "1988-04-05"
    assert unit(given_on="05/04/1988 08:00", birth_date="05/04/1988")


def test_every_fault_of_a_row_is_told_at_once() -> None:
    wrong = faults(national_id="1", insurance_card="2", birth_date="x", sex="y", given_on="z", state="2")
    assert wrong == [
        ("bad-identifier", "national_id"),
        ("bad-identifier", "insurance_card"),
        ("bad-code", "sex"),
        ("bad-date", "birth_date"),
        ("bad-date", "given_on"),
        ("bad-code", "state"),
    ]
    assert faults(state="0") == [("not-given", "state")]
    assert faults(series_doses="many", next_on="x", expires_on="y") == [
        ("bad-date", "expires_on"),
        ("bad-number", "series_doses"),
        ("bad-date", "next_on"),
    ]


@pytest.mark.parametrize(
    ("number", "nationality", "known_by"),
    [
        ("079188000001", "", ("national-id", "079188000001")),
        ("079 188 000 001", "", ("national-id", "079188000001")),
        ("123456789", "", ("old-id", "123456789")),
        ("123456789", "USA", ("passport", "USA|123456789")),
        ("c1234567", "VN", ("passport", "VN|C1234567")),
        ("C1234567", "000", ("passport", "VNM|C1234567")),
    ],
)
def test_the_shape_of_a_number_tells_what_it_is(
    number: str, nationality: str, known_by: tuple[str, str]
) -> None:
    assert unit(national_id=number, nationality=nationality).person.identifiers == (known_by,)


def test_a_card_alone_is_a_number() -> None:
    assert unit(national_id="", insurance_card="gd4797912345678").person.identifiers == (
        ("insurance-card", "GD4797912345678"),
    )
    assert unit(national_id="", insurance_card="7912345678").person.identifiers == (
        ("insurance-number", "7912345678"),
    )


def test_the_vaccination_says_what_it_is_against_and_which_dose_it_is() -> None:
    made = given_of(
        json.dumps(
            document(antigen="Bạch hầu; ho gà+UỐN VÁN, Bệnh lạ", dose_number="Mũi 2", series_doses="3")
        )
    )
    assert [one.text for one in made.protocol.target_disease] == ["Bạch hầu", "ho gà", "UỐN VÁN", "Bệnh lạ"]
    assert [[code.code for code in one.coding] for one in made.protocol.target_disease] == [
        ["diphtheria"],
        ["pertussis"],
        ["tetanus"],
        [],
    ]
    assert (made.dose_number, made.series_doses) == (2, 3)
    assert document(dose_number="Nhắc lại")["protocolApplied"][0]["doseNumberString"] == "Nhắc lại"
    assert isinstance(made, Immunization)


def test_what_a_sender_should_complete_is_told_though_the_row_is_taken() -> None:
    def told(**changed: str) -> list[tuple[str, str]]:
        cells = dose(**changed)
        return [(one.code, one.where) for one in shortcomings(row(**changed), FIELDS, cells)]

    assert told() == []
    assert told(dose_number="", facility="", antigen="") == [
        ("missing-field", name) for name in ("dose_number", "facility", "antigen")
    ]
    # A column that the file does not have is told once for the file.
    assert told(ethnic_group="", address_3_commune="") == [
        ("missing-field", name) for name in ("ethnic_group", "address_3_commune")
    ]
    assert told(given_on="2021") == [("imprecise-date", "given_on")]
    assert told(antigen="Bệnh lạ") == [("unknown-antigen", "antigen")]


def test_two_rows_of_one_dose_are_known_by_whose_it_is_the_day_and_what_it_is_against() -> None:
    def mark(**changed: str) -> str | None:
        return same_dose(row(**changed), unit(**changed))

    one = mark()
    assert one is not None
    assert mark(dose_id="other", given_on="2021-08-05 08:00", vaccine="Abdala", lot_number="x") == one
    assert mark(antigen="", vaccine="Vắc xin Vero Cell") == one
    assert len({mark(given_on="06/08/2021"), mark(national_id="079188000002"), mark(antigen="Cúm"), one}) == 4
    assert mark(given_on="2021") is None
