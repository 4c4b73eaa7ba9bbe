"""What stands out among medicines, from names alone and from tables that are stand-ins."""

import sys
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.intake import systems
from ehr.medicine_safety.models import Found, Line, Name, Pair
from ehr.medicine_safety.policy import NO_TABLES, Tables, find, meaning_of, parts_of
from kernel.text import fold

HOSPITAL = UUID(int=1)


def line(ident: str, title: str, *codes: tuple[str, str], allergy: bool = False, **more: object) -> Line:
    fields: dict[str, object] = {"prescription": f"rx-{ident}", **more}
    return Line(
        rtype="AllergyIntolerance" if allergy else "MedicationRequest",
        id=ident,
        version=1,
        title=title,
        words=(title,),
        codes=codes,
        **fields,  # type: ignore[arg-type]
    )


def tables(names: dict[str, list[str]] | None = None, *pairs: tuple[str, str, str]) -> Tables:
    made = tuple(
        Pair(*sorted((fold(a), fold(b))), a, b, severity, "vi", "en", "stand-in", "none", "1")  # type: ignore[arg-type]
        for a, b, severity in pairs
    )
    known = {fold(name): name for a, b, _ in pairs for name in (a, b)}
    listed = {
        fold(name): tuple(Name(fold(name), fold(one), one) for one in several)
        for name, several in (names or {}).items()
    }
    return Tables(names=listed, known=known, pairs=made)


def told(found: list[Found]) -> list[tuple[str, list[str]]]:
    return [(one.kind, [medicine.id for medicine in one.medicines]) for one in found]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Paracetamol 500mg", [["paracetamol"]]),
        ("PARACETAMOL 500 mg/5ml siro", [["paracetamol"]]),
        ("Panadol Extra (Paracetamol 500mg + Caffein 65mg)", [["panadol extra"], ["paracetamol", "caffein"]]),
        ("Amoxicilin 875mg/ Acid clavulanic 125mg", [["amoxicilin", "acid clavulanic"]]),
        ("Viên nén bao phim", []),
        ("Dị ứng với Penicillin và Sulfamid", [["penicillin", "sulfamid"]]),
        ("Insulin 100 IU/ml", [["insulin"]]),
    ],
)
def test_names_are_read_without_strengths_and_forms(text: str, parts: list[list[str]]) -> None:
    assert parts_of(text) == parts


def test_one_ingredient_of_two_prescriptions_is_told_also_without_any_table() -> None:
    found = find([line("1", "Paracetamol 500mg"), line("2", "PARACETAMOL 250 mg")], [], NO_TABLES)
    assert told(found) == [("same-ingredient", ["1", "2"])]


def test_lines_of_one_prescription_are_meant_together() -> None:
    one, other = line("1", "Zinzol 10mg", prescription="rx"), line("2", "Zinzol 5mg", prescription="rx")
    assert find([one, other], [], NO_TABLES) == []
    visit = [line(i, "Zinzol", prescription=None, encounter_id="v1") for i in "12"]
    assert find(visit, [], NO_TABLES) == []


def test_a_visit_and_its_prescription_sent_by_two_ways_are_one() -> None:
    place = {"facility_id": HOSPITAL, "day": "2026-11-20"}
    one = line("1", "Zinzol", prescription="rx", **place)
    other = line("2", "Zinzol", prescription=None, encounter_id="v1", **place)
    assert find([one, other], [], NO_TABLES) == []
    later = line("3", "Zinzol", prescription=None, encounter_id="v2", facility_id=HOSPITAL, day="2026-11-21")
    assert told(find([one, later], [], NO_TABLES)) == [("same-ingredient", ["1", "3"])]


def test_a_refill_takes_the_place_of_what_says_no_end() -> None:
    """A year of monthly orders of one facility is one medicine, as the summary has it."""
    months = [
        line(f"m{n}", "Zinzol 850mg", facility_id=HOSPITAL, day=f"2026-{n:02}-13", open_end=True)
        for n in range(1, 10)
    ]
    assert find(months, [], NO_TABLES) == []
    elsewhere = line("x", "Zinzol 850mg", facility_id=UUID(int=2), day="2026-09-14", open_end=True)
    assert told(find([*months, elsewhere], [], NO_TABLES)) == [("same-ingredient", ["m9", "x"])]


@pytest.mark.parametrize(
    "more", [{"open_end": False}, {"day": "2026-09-13"}, {"title": "Zinzol 500mg"}, {"day": None}]
)
def test_what_still_runs_beside_another_order_is_told(more: dict[str, object]) -> None:
    known: dict[str, object] = {"title": "Zinzol 850mg", "open_end": True, "day": "2026-08-13"} | more
    older = line("1", str(known.pop("title")), facility_id=HOSPITAL, **known)
    newer = line("2", "Zinzol 850mg", facility_id=HOSPITAL, day="2026-09-13", open_end=True)
    assert len(find([older, newer], [], NO_TABLES)) == 1


def test_one_finding_an_ingredient_is_enough() -> None:
    """A number that some lines have beside the name that all have tells nothing more."""
    number = (systems.DRUG_REGISTRATION, "VD-1")
    lines = [line("1", "Zinzol", number), line("2", "Zinzol", number), line("3", "Zinzol")]
    assert told(find(lines, [], NO_TABLES)) == [("same-ingredient", ["1", "2", "3"])]


def test_copies_of_several_senders_are_one_unless_their_prescriptions_differ() -> None:
    copies = [line(i, "Zinzol", prescription=None, encounter_id=f"v{i}", fold=b"same") for i in "12"]
    assert find(copies, [], NO_TABLES) == []
    two = [line(i, "Zinzol", fold=b"same") for i in "12"]
    assert told(find(two, [], NO_TABLES)) == [("same-ingredient", ["1", "2"])]


def test_what_a_person_takes_besides_counts() -> None:
    own = line("2", "zinzol", prescription=None, self_declared=True)
    assert told(find([line("1", "Zinzol"), own], [], NO_TABLES)) == [("same-ingredient", ["1", "2"])]


def test_the_same_number_of_registration_is_the_same_medicine() -> None:
    number = (systems.DRUG_REGISTRATION, "VD-1")
    found = find([line("1", "Tên một", number), line("2", "Tên hai", number)], [], NO_TABLES)
    assert told(found) == [("same-ingredient", ["1", "2"])]
    other = ("http://example.org/other", "VD-1")
    assert find([line("1", "Tên một", other), line("2", "Tên hai", other)], [], NO_TABLES) == []


def test_brands_meet_in_their_ingredient_by_the_table_of_names() -> None:
    known = tables({"Alphadol": ["Alphazin"], "VD-9": ["Alphazin"]})
    lines = [line("1", "Alphadol Forte 10mg"), line("2", "Hiệu khác", (systems.DRUG_REGISTRATION, "VD-9"))]
    (found,) = find(lines, [], known)
    assert (found.kind, found.ingredients) == ("same-ingredient", ("Alphazin",))
    assert find(lines, [], NO_TABLES) == []


@pytest.mark.parametrize("said", ["Penicillin", "Dị ứng thuốc penicillin", "penicillin, phấn hoa"])
def test_a_declared_allergy_meets_the_name_of_a_medicine(said: str) -> None:
    found = find([line("1", "Benzathin penicillin 1,2 MIU")], [line("a", said, allergy=True)], NO_TABLES)
    assert told(found) == [("allergy", ["1"])]


def test_an_allergy_to_a_group_meets_its_ingredients_by_the_table() -> None:
    known = tables({"Nhóm Zin": ["Alphazin", "Betazin"], "Alphadol": ["Alphazin"]})
    allergy = line("a", "Nhóm Zin", allergy=True)
    (found,) = find([line("1", "Alphadol"), line("2", "Omega")], [allergy], known)
    assert (found.kind, found.ingredients) == ("allergy", ("Alphazin",))


@pytest.mark.parametrize("said", ["Tôm", "thuốc", "kháng sinh", "Phấn hoa"])
def test_an_allergy_that_names_no_medicine_meets_none(said: str) -> None:
    lines = [line("1", "Thuốc kháng sinh Zinzol"), line("2", "Atomoxin")]
    assert find(lines, [line("a", said, allergy=True)], NO_TABLES) == []


def test_a_pair_is_told_also_within_one_prescription_and_the_worst_stands_first() -> None:
    known = tables({}, ("Alphazin", "Betazin", "minor"), ("Alphazin", "Gammazin", "contraindicated"))
    lines = [
        line(i, name, prescription="rx")
        for i, name in zip("123", ("Alphazin", "Betazin", "Gammazin"), strict=True)
    ]
    found = find(lines, [], known)
    assert [one.pair.severity for one in found if one.pair] == ["contraindicated", "minor"]


def test_a_product_of_both_ingredients_is_no_pair_with_itself() -> None:
    known = tables({}, ("Alphazin", "Betazin", "major"))
    assert find([line("1", "Alphazin + Betazin")], [], known) == []
    assert len(find([line("1", "Alphazin + Betazin"), line("2", "Betazin")], [], known)) == 2


def test_what_no_table_knows_is_unchecked_and_so_is_a_product_known_in_part() -> None:
    known = tables({"Alphadol": ["Alphazin"]}, ("Alphazin", "Betazin", "major"))
    recognised = {
        title: meaning_of(line("1", title), known).recognised
        for title in ("Alphadol 5mg", "Alphazin + Betazin", "Alphazin + Omega", "Omega", "Lạ (Alphazin 5mg)")
    }
    assert recognised == {
        "Alphadol 5mg": True,
        "Alphazin + Betazin": True,
        "Alphazin + Omega": False,
        "Omega": False,
        "Lạ (Alphazin 5mg)": True,
    }


def test_a_key_is_made_of_the_facts_alone() -> None:
    one, other = line("1", "Zinzol"), line("2", "Zinzol")
    (found,) = find([one, other], [], NO_TABLES)
    (again,) = find([other, one], [], NO_TABLES)
    (third,) = find([one, other, line("3", "Zinzol")], [], NO_TABLES)
    assert found.key == again.key != third.key


WORDS = ("peni", "penicillin", "sulfa", "acid", "amoxicilin")


@given(
    st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3), min_size=1, max_size=3),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
)
def test_an_allergen_meets_a_medicine_where_one_name_stands_in_the_other(
    names: list[list[str]], allergen: list[str]
) -> None:
    """The look-up says what comparing each with each says."""
    said = " ".join(allergen)
    medicines = [line(str(n), " ".join(words)) for n, words in enumerate(names)]
    found = find(medicines, [line("a", said, allergy=True)], NO_TABLES)
    hit = {one.id for finding in found if finding.kind == "allergy" for one in finding.medicines}
    assert hit == {
        one.id for one in medicines if f" {said} " in f" {one.title} " or f" {one.title} " in f" {said} "
    }


def work_of(count: int) -> int:
    """Calls of functions that a book of `count` medicines and as many allergies of many names takes."""
    word = ("".join(letters) for letters in product("bcdfghklmn", repeat=5))
    texts = [", ".join(next(word) for _ in range(20)) for _ in range(2 * count)]
    medicines = [line(f"m{n}", text, self_declared=True) for n, text in enumerate(texts[:count])]
    allergies = [line(f"a{n}", text, allergy=True) for n, text in enumerate(texts[count:])]
    calls = 0

    def note(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        find(medicines, allergies, NO_TABLES)
    finally:
        sys.setprofile(None)
    return calls


def test_s33_a_book_of_many_names_takes_work_by_its_length_and_not_by_its_square() -> None:
    assert work_of(40) < 3 * work_of(20)
