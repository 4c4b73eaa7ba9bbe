"""A list of residents: who is made, who is met again, who is not believed (security.md S1, S17, S26)."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from asyncpg import ForeignKeyViolationError

from audit.chain import GENESIS, digest, link
from healthbook.population_commands import load_list
from healthbook.wiring import StartError
from identity import people
from identity.people import IdentifierClaim, Matched, PersonClaim
from identity.population import preparing, service
from identity.population.listed import housekeeping
from identity.population.models import Listing, Reason
from identity.population.reading import BadFileError
from store.database import Store
from store.fields import unseal
from tests.identity.population.lists import file_of, insured, number, resident, said, table, take
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen

NONE = {"made": 0, "changed": 0, "unchanged": 0, "refused": 0, "disagreeing": 0}


class _KilledError(Exception):
    """The process ends here."""


def counts(summary: service.Summary) -> dict[str, int]:
    return {name: getattr(summary, name) for name in NONE}


async def owner_of(store: Store, clock: FrozenClock, value: str, kind: str = "national-id") -> UUID | None:
    async with store.transaction() as tx:
        return await people.resolve_subject(tx, store.keys, kind, value, clock.now())


async def listing_of(store: Store, patient_id: UUID, kind: str = "residents") -> list[Listing]:
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT facts FROM person_listing WHERE patient_id = $1 AND list = $2 ORDER BY item",
            patient_id,
            kind,
        )
    texts = [unseal(store.keys, patient_id, "person_listing", "facts", row[0]) for row in rows]
    return [msgspec.json.decode(text, type=Listing) for text in texts]


async def test_a_line_makes_the_person_that_its_data_then_find(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    row = resident(insurance_number=insured(), phone="0903 000 111", groups="pupils")
    load, summary = await take(store, clock, file_of(tmp_path, table([row])))
    assert counts(summary) == NONE | {"made": 1}
    assert await said(load) == {}
    claim = PersonClaim(
        identifiers=[IdentifierClaim("insurance-number", row["insurance_number"])],
        name="TRAN THI THU",
        birth_date="1985",
        sex="female",
    )
    async with store.transaction() as tx:
        found = await people.match_person(tx, store.keys, claim, None, clock.now())
        assert isinstance(found, Matched)
        card = await people.person_card(tx, store.keys, found.patient_id)
        numbers = await people.own_identifiers(tx, store.keys, found.patient_id)
        phones = await tx.fetch("SELECT role FROM phone WHERE patient_id = $1", found.patient_id)
    assert card is not None
    assert (card.name, card.birth_date, card.sex, card.level) == ("Trần Thị Thử", "1985-03-12", "female", 0)
    assert {(one.kind, one.value, one.state) for one in numbers} == {
        ("national-id", row["national_id"], "facility-reported"),
        ("insurance-number", row["insurance_number"], "facility-reported"),
    }
    assert [one["role"] for one in phones] == ["contact"], "S1: a list makes no login phone"
    (listed,) = await listing_of(store, found.patient_id)
    assert (listed.household, listed.commune, listed.groups) == ("HK-01", "12345", ("pupils",))


async def test_the_same_list_again_changes_nothing_and_a_newer_one_stands_beside_the_person(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    row, other = resident(), resident(full_name="Lê Thị Kia")
    path = file_of(tmp_path, table([row, other]))
    await take(store, clock, path)
    _, again = await take(store, clock, path)
    assert counts(again) == NONE | {"unchanged": 2}
    patient_id = await owner_of(store, clock, row["national_id"])
    assert patient_id is not None
    moved = file_of(tmp_path, table([row | {"address": "Thôn 9", "household": "HK-77"}, other]), "next.csv")
    _, summary = await take(store, clock, moved)
    assert counts(summary) == NONE | {"changed": 1, "unchanged": 1}
    async with store.transaction() as tx:
        card = await people.person_card(tx, store.keys, patient_id)
        log = await tx.fetch("SELECT entry FROM access_log WHERE patient_id = $1 ORDER BY seq", patient_id)
    assert card is not None
    assert card.address == "Thôn 3", "S17: what is imported never changes the person"
    (listed,) = await listing_of(store, patient_id)
    assert (listed.household, listed.address) == ("HK-77", "Thôn 9")
    entries = [json.loads(one["entry"]) for one in log]
    assert [one["action"] for one in entries] == ["identity:list:create", "identity:list:update"]
    assert {one["actor"]["kind"] for one in entries} == {"operator"}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"full_name": "Trần Thị Khác"}, "full_name"),
        ({"birth_date": "13/03/1985"}, "birth_date"),
        ({"birth_date": "00/04/1985"}, "birth_date"),
    ],
)
async def test_s17_a_number_of_somebody_described_otherwise_is_told_and_writes_nothing(
    store: Store, clock: FrozenClock, tmp_path: Path, changed: dict[str, str], field: str
) -> None:
    row = resident()
    await take(store, clock, file_of(tmp_path, table([row])))
    other = row | changed | {"household": "HK-02", "phone": "0903000222"}
    load, summary = await take(store, clock, file_of(tmp_path, table([other]), "other.csv"))
    assert counts(summary) == NONE | {"disagreeing": 1}
    assert await said(load) == {2: ("disagreeing", (Reason("person-differs", field),))}
    patient_id = await owner_of(store, clock, row["national_id"])
    assert patient_id is not None
    (listed,) = await listing_of(store, patient_id)
    assert listed.household == "HK-01"
    async with store.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM phone WHERE patient_id = $1", patient_id) == 0


async def test_a_card_of_one_person_and_a_number_of_another_are_told(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    one, other = resident(insurance_number=insured()), resident(insurance_number=insured())
    await take(store, clock, file_of(tmp_path, table([one, other])))
    mixed = one | {"insurance_number": other["insurance_number"]}
    load, summary = await take(store, clock, file_of(tmp_path, table([mixed]), "mixed.csv"))
    assert counts(summary) == NONE | {"disagreeing": 1}
    assert await said(load) == {2: ("disagreeing", (Reason("numbers-of-two-people", "line"),))}


async def test_a_number_that_speaks_against_sex_or_birth_is_told(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    rows = [resident(national_id=number("male")), resident(national_id=number("female", 1986))]
    load, summary = await take(store, clock, file_of(tmp_path, table(rows)))
    assert counts(summary) == NONE | {"disagreeing": 2}
    told = await said(load)
    assert told[2][1] == (Reason("number-and-sex-differ", "national_id"),)
    assert told[3][1] == (Reason("number-and-birth-differ", "national_id"),)
    assert await owner_of(store, clock, rows[0]["national_id"]) is None


@pytest.mark.parametrize("lines_a_step", [1, 2, 100])
@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_person_twice_in_a_file_is_made_once(
    store: Store,
    clock: FrozenClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lines_a_step: int,
    dry_run: bool,
) -> None:
    monkeypatch.setattr(preparing, "LINES_A_STEP", lines_a_step)
    first, second = resident(), resident(full_name="Lê Thị Hai")
    rows = [first, second, first | {"full_name": "TRẦN  THỊ THỬ"}, second | {"full_name": "Lê Thị Ba"}]
    load, summary = await take(store, clock, file_of(tmp_path, table(rows)), dry_run=dry_run)
    assert counts(summary) == NONE | {"made": 2, "refused": 1, "disagreeing": 1}
    told = await said(load)
    assert told[4] == ("refused", (Reason("duplicate-line", "line"),))
    assert told[5][0] == "disagreeing"
    assert (await owner_of(store, clock, first["national_id"]) is None) == dry_run


async def test_a_dry_run_says_the_same_and_leaves_nothing(
    fresh_store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    store = fresh_store
    rows = [resident(), resident(sex="?"), resident(phone="12"), resident(birth_date="31/02/1990")]
    path = file_of(tmp_path, table(rows))
    tried, dry = await take(store, clock, path, dry_run=True)
    async with store.transaction() as tx:
        for name in ("citizen", "patient_identifier", "person_listing", "population_load", "access_log"):
            assert await tx.fetchval(f"SELECT count(*) FROM {name}") == 0, name
    load, summary = await take(store, clock, path)
    assert counts(dry) == counts(summary) == NONE | {"made": 2, "refused": 2}
    assert await said(tried) == await said(load)
    assert dry.told == summary.told


async def test_s17_a_list_never_gives_an_enrolled_person_another_personal_number(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen, card = await make_citizen(store, clock, number=number()), insured()
    known = resident(
        national_id=citizen.number,
        insurance_number=card,
        full_name=citizen.name,
        birth_date=citizen.birth_date,
        phone="0903000333",
    )
    _, summary = await take(store, clock, file_of(tmp_path, table([known])))
    assert counts(summary) == NONE | {"changed": 1}
    assert await owner_of(store, clock, card, "insurance-number") == citizen.patient_id
    second = known | {"national_id": number()}
    load, summary = await take(store, clock, file_of(tmp_path, table([second]), "second.csv"))
    assert counts(summary) == NONE | {"disagreeing": 1}
    assert (await said(load))[2][1] == (Reason("second-number", "national_id"),)
    assert await owner_of(store, clock, second["national_id"]) is None
    async with store.transaction() as tx:
        roles = await tx.fetch(
            "SELECT role FROM phone WHERE patient_id = $1 ORDER BY role", citizen.patient_id
        )
        level = await tx.fetchval("SELECT level FROM citizen WHERE patient_id = $1", citizen.patient_id)
    assert ([one["role"] for one in roles], level) == (["contact", "login"], 2)


async def test_a_load_that_was_killed_goes_on_behind_its_last_step(
    store: Store, clock: FrozenClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "LINES_A_STEP", 3)
    rows = [resident(full_name=f"Trần Thị {'ABCDEFGHIJ'[n]}") for n in range(10)]
    path = file_of(tmp_path, table(rows))

    def stop(lines: int, _part: float) -> None:
        if lines >= 7:
            raise _KilledError

    with pytest.raises(_KilledError):
        await take(store, clock, path, progress=stop)
    _, summary = await take(store, clock, path)
    assert counts(summary) == NONE | {"made": 10}
    assert summary.lines_now < 10
    owners = {await owner_of(store, clock, row["national_id"]) for row in rows}
    assert len(owners) == 10
    assert None not in owners


async def test_a_number_that_somebody_takes_at_the_same_time_is_looked_up_again(
    store: Store, clock: FrozenClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = resident()
    claim = PersonClaim(
        identifiers=[IdentifierClaim("national-id", row["national_id"])],
        name=row["full_name"],
        birth_date="1985-03-12",
        sex="female",
    )
    made: list[UUID] = []
    write = service.write_new

    async def late(tx: object, *rest: object) -> None:
        if not made:
            async with store.transaction() as other:
                made.append(await people.create_person(other, store.keys, claim, "import", None, clock.now()))
        await write(tx, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(service, "write_new", late)
    _, summary = await take(store, clock, file_of(tmp_path, table([row])))
    assert counts(summary) == NONE | {"changed": 1}
    assert await owner_of(store, clock, row["national_id"]) == made[0]


async def test_a_step_that_cannot_be_written_says_so_and_not_that_another_run_is_at_it(
    store: Store, clock: FrozenClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_rest: object) -> None:
        raise ForeignKeyViolationError("no such partition")

    monkeypatch.setattr(service, "write_new", broken)
    path = file_of(tmp_path, table([resident()]))
    with pytest.raises(StartError, match=r"line 2 could not be written \(ForeignKeyViolationError\)"):
        await load_list(
            store, path, "residents", None, dry_run=False, signed=("Nguyễn Văn A", "thử"), say=lambda _: None
        )
    monkeypatch.undo()
    _, summary = await take(store, clock, path)
    assert counts(summary) == NONE | {"made": 1}


async def test_a_dry_run_reads_only_so_many_lines_as_it_can_remember(
    store: Store, clock: FrozenClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "DRY_LINES_MAX", 3)
    path = file_of(tmp_path, table([resident() for _ in range(9)]))
    tried, summary = await take(store, clock, path, dry_run=True)
    assert counts(summary) == NONE | {"made": 2, "refused": 1}
    assert await said(tried) == {4: ("refused", (Reason("too-many-lines", "line"),))}
    _, summary = await take(store, clock, path)
    assert counts(summary) == NONE | {"made": 9}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "no-lines"),
        (b"full_name,birth_date,sex\nA,1985,1", "missing-column"),
        (b"national_id,full_name,birth_date\n1,A,1985", "missing-column"),
        (b"national_id,CCCD,full_name,birth_date,sex\n", "duplicate-column"),
        (b"national_id,full_name\xff,birth_date,sex\n", "bad-heading"),
    ],
)
async def test_a_file_that_cannot_be_read_at_all_is_not_begun(
    store: Store, clock: FrozenClock, tmp_path: Path, body: bytes, told: str
) -> None:
    with pytest.raises(BadFileError, match=told):
        await take(store, clock, file_of(tmp_path, body))


async def test_what_was_said_of_lines_goes_after_its_time_and_what_lists_say_of_people_stays(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    row = resident()
    load, _ = await take(store, clock, file_of(tmp_path, table([row, resident(sex="?")])))
    async with store.transaction() as tx:
        assert await housekeeping(tx, clock.now() - timedelta(days=1), 500) == 0
        assert await housekeeping(tx, clock.now() + timedelta(seconds=1), 500) >= 1
    assert await said(load) == {}
    patient_id = await owner_of(store, clock, row["national_id"])
    assert patient_id is not None
    assert len(await listing_of(store, patient_id)) == 1


async def test_the_first_row_of_a_made_person_begins_a_chain_that_holds(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    row = resident()
    path = file_of(tmp_path, table([row]))
    await take(store, clock, path)
    patient_id = await owner_of(store, clock, row["national_id"])
    assert patient_id is not None
    await take(store, clock, file_of(tmp_path, table([row | {"address": "Thôn 9"}]), "next.csv"))
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT seq, entry, prev, h FROM access_log WHERE patient_id = $1 ORDER BY seq", patient_id
        )
        head = await tx.fetchrow("SELECT seq, h FROM audit_head WHERE patient_id = $1", patient_id)
    assert head is not None
    h = GENESIS
    for seq, kept in enumerate(rows, start=1):
        assert (kept["seq"], kept["prev"]) == (seq, h)
        h = link(h, seq, digest(kept["entry"].encode()))
        assert kept["h"] == h
    assert (head["seq"], head["h"]) == (2, h)


async def test_s15_no_table_holds_a_line_in_clear(store: Store, clock: FrozenClock, tmp_path: Path) -> None:
    row = resident(full_name="Zứ Thị Kỳ Lạ", address="Ngõ Zứ", household="HKZU", phone="0988777666")
    await take(store, clock, file_of(tmp_path, table([row])))
    async with store.transaction() as tx:
        for name in ("citizen", "person_listing", "patient_identifier", "patient_identifier_rev", "phone",
                     "phone_lookup", "population_load", "population_line", "access_log"):  # fmt: skip
            for held in await tx.fetch(f"SELECT t::text FROM {name} t"):
                for value in ("Zứ", "HKZU", "988777666", row["national_id"]):
                    assert value not in held[0], name
                    assert value.encode().hex() not in held[0], name
