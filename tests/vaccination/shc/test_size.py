"""A book of 20 doses is one code of at most 1,195 characters; a longer one takes two where it must."""

import json
import os
from typing import Any

import pytest
from msgspec.structs import replace

from qr.cards import JWS_MAX
from tests.vaccination.shc.books import FRAME, doses, payload_of
from vaccination.shc.models import CardPerson
from vaccination.shc.packing import Frame, Packed, bundle_of, finish, pack

BOOKS = range(200 if os.environ.get("HEALTHBOOK_COUNTS") == "full" else 20)
SIGNATURE = bytes(range(64))


def immunizations(card: Packed) -> list[dict[str, Any]]:
    bundle = payload_of(finish(card.to_sign, SIGNATURE))["vc"]["credentialSubject"]["fhirBundle"]
    return [entry["resource"] for entry in bundle["entry"][1:]]


def lengths(cards: list[Packed]) -> list[int]:
    return [len(finish(card.to_sign, SIGNATURE)) for card in cards]


@pytest.mark.parametrize("seed", BOOKS)
def test_a_book_of_20_doses_fits_one_code(seed: int) -> None:
    cards = pack(FRAME, doses(20, seed))
    assert len(cards) == 1
    assert max(lengths(cards)) <= JWS_MAX


@pytest.mark.parametrize("count", [21, 24, 30, 40])
@pytest.mark.parametrize("seed", BOOKS)
def test_a_longer_book_takes_two_with_every_dose_on_one_of_them(count: int, seed: int) -> None:
    book = doses(count, seed)
    cards = pack(FRAME, book)
    assert len(cards) == 2 or count == 21
    assert max(lengths(cards)) <= JWS_MAX
    assert [dose.immunization_id for card in cards for dose in card.doses] == [
        d.immunization_id for d in book
    ]


def test_21_doses_without_lots_are_one_code_still() -> None:
    assert len(pack(FRAME, [replace(dose, lot=None) for dose in doses(21)])) == 1


def test_a_long_book_of_somebody_with_a_long_name_fits_in_as_many_as_it_takes() -> None:
    long = CardPerson(name="Ếẵ" * 60 + " " + "Ợỹ" * 60, birth_date="2019-02-28")
    frame = Frame(issuer=FRAME.issuer, kid=FRAME.kid, rid=FRAME.rid, person=long, valid_from=FRAME.valid_from)
    cards = pack(frame, doses(100))
    assert max(lengths(cards)) <= JWS_MAX
    assert sum(len(card.doses) for card in cards) == 100


def test_lots_and_places_stand_on_a_short_card_and_leave_a_long_one_in_turn() -> None:
    (short,) = pack(FRAME, doses(5))
    assert all(dose.lot and dose.place for dose in short.doses)
    first = immunizations(short)[0]
    assert first["lotNumber"] == short.doses[0].lot
    assert first["performer"] == [{"actor": {"display": short.doses[0].place}}]
    (long,) = pack(FRAME, doses(18))
    assert all(dose.lot and not dose.place for dose in long.doses)
    assert all("lotNumber" in one and "performer" not in one for one in immunizations(long))


def test_the_payload_is_minified_and_holds_no_id_of_ours() -> None:
    book = [replace(dose, lot=None, place=None) for dose in doses(3)]
    (card,) = pack(FRAME, book)
    said = payload_of(finish(card.to_sign, SIGNATURE))
    assert said["vc"]["credentialSubject"]["fhirBundle"] == bundle_of(FRAME.person, book)
    assert (said["iss"], said["nbf"]) == (FRAME.issuer, int(FRAME.valid_from.timestamp()))
    assert (said["vc"]["type"], said["vc"]["rid"]) == (["https://smarthealth.cards#health-card"], FRAME.rid)
    assert "exp" not in said
    assert "dose-" not in json.dumps(said)
    assert immunizations(card)[1] == {
        "resourceType": "Immunization",
        "status": "completed",
        "patient": {"reference": "resource:0"},
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "45"}]},
        "occurrenceDateTime": book[1].given,
    }
