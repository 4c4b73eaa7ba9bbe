"""Papers and the patient summary say what stands in doubt, and leave out what the person hides."""

import json
from datetime import timedelta
from uuid import UUID

from ehr.exports import ips, papers
from ehr.exports.lines import detail_text
from ehr.models import DoneElsewhere, Item
from ehr.reads import summary
from ehr.store import hold_head, mark_rows
from ehr.visibility import hidings
from kernel.access import Access, Label
from kernel.problems import Refused
from store.database import Store
from tests.ehr.test_redaction import bare, coded
from tests.support.clock import FrozenClock
from tests.support.exports import pdf_pages
from tests.support.people import make_facility
from tests.support.record import granted, hospital, our_id, own, write

WHEN = "2026-11-19T08:00:00+07:00"
HIDABLE = [
    coded("Observation", "bimat", "B", WHEN),
    coded("Condition", "chan", "C", "2026-11-02"),
    coded("Observation", "thuong", "T", WHEN),
]


async def told(store: Store, access: Access, clock: FrozenClock) -> dict[str, str]:
    """The words of the book, the doctor's sheet and the IPS narratives."""
    now = clock.now()
    async with store.transaction() as tx:
        built = await summary.read(tx, store.keys, access, now)
        gathered = await papers.gather_book(tx, access, built, now)
        document = await ips.gather(tx, store.keys, access, built, now)
    made = {
        "book": papers.build_book(gathered, now).body,
        "sheet": papers.build_sheet(gathered.summary, [], now).body,
    }
    words = {name: " ".join("".join(pdf_pages(data)).split()) for name, data in made.items()}
    entries = json.loads(ips.build(document, now).body)["entry"]
    sections = entries[0]["resource"]["section"]
    return words | {
        "ips": " ".join(section["text"]["div"] for section in sections),
        "document": json.dumps(entries, ensure_ascii=False),
    }


async def contest(store: Store, person: UUID, rtype: str, ident: str) -> None:
    async with store.transaction() as tx:
        await tx.execute(
            "UPDATE ehr_resource SET contested = true WHERE patient_id = $1 AND rtype = $2 AND id = $3",
            *(person, rtype, ident),
        )


async def test_what_the_person_calls_wrong_is_called_so_everywhere(store: Store, clock: FrozenClock) -> None:
    person = await bare(store, clock)
    await write(store, person, HIDABLE, clock.now())
    await contest(store, person, "Condition", our_id("a", "chan"))
    for access in (own(person), granted(person, withheld=Label.NONE)):
        words = await told(store, access, clock)
        for paper in ("book", "sheet", "ips"):
            assert words[paper].count("người bệnh cho là sai") == 1, paper


async def test_a_disputed_entry_never_stands_for_an_equal_one(store: Store, clock: FrozenClock) -> None:
    person = await bare(store, clock)
    twice = [coded("Condition", "chan", "C", day) for day in ("2026-11-02", "2026-10-02")]
    twice[1]["id"] = "older"
    await write(store, person, twice, clock.now())
    await contest(store, person, "Condition", our_id("a", "chan"))
    sheet = (await told(store, own(person), clock))["sheet"]
    assert "2 lần ghi" not in sheet
    assert sheet.count("người bệnh cho là sai") == 1


async def test_a_doctors_paper_says_what_the_person_has_not_been_told(
    store: Store, clock: FrozenClock
) -> None:
    person, now = await bare(store, clock), clock.now()
    await write(store, person, HIDABLE, now)
    async with store.transaction() as tx:
        await hold_head(tx, person, now)
        row = ("Observation", our_id("a", "bimat"))
        await mark_rows(tx, person, [row], now, release_at=now + timedelta(days=3))
    theirs = await told(store, granted(person, withheld=Label.NONE), clock)
    for paper in ("sheet", "ips"):
        assert theirs[paper].count("chưa trả cho người bệnh") == 1, paper
    assert "bimat" not in (await told(store, own(person), clock))["book"]


async def test_copies_name_their_senders_and_tests_where_they_were_done(
    store: Store, clock: FrozenClock
) -> None:
    person, now = await bare(store, clock), clock.now()
    value = {"valueQuantity": {"value": 5, "unit": "mmol/L"}}
    facilities = [await make_facility(store, clock, code=f"{n}{person.hex[-4:]}") for n in "ab"]
    for name, facility in zip("ab", facilities, strict=True):
        body = HIDABLE[0] | value | {"id": name}
        await write(store, person, [body], now, source=hospital(name, facility.facility_id))
    own_words = await told(store, own(person), clock)
    for paper in ("book", "sheet", "ips"):
        assert own_words[paper].count("nguồn: ") == 1, paper
    item = Item(
        id="1",
        kind="Observation.laboratory",
        title="Kali",
        status="final",
        done_elsewhere=DoneElsewhere(
            facility_name="Bệnh viện B", date="2026-11-01", value="3.1", unit="mmol/L"
        ),
    )
    assert detail_text(item) == "đã làm tại Bệnh viện B ngày 01/11/2026: 3.1 mmol/L"


async def test_s23_what_the_person_hides_is_on_no_paper_of_the_person(
    store: Store, clock: FrozenClock
) -> None:
    person, now = await bare(store, clock), clock.now()
    await write(store, person, HIDABLE, now)
    before = await told(store, own(person), clock)
    assert all("bimat" in before[paper] for paper in ("book", "ips", "document"))
    for reader in (None, UUID(int=7)):
        async with store.transaction() as tx:
            made = await hidings.hide(
                tx, own(person), "Observation", our_id("a", "bimat"), reader=reader, reader_name="x", now=now
            )
        assert not isinstance(made, Refused)
        words = await told(store, own(person), clock)
        for paper in ("book", "ips", "document"):
            assert "thuong" in words[paper]
            assert "bimat" not in words[paper]
            assert our_id("a", "bimat") not in words[paper]
        assert "đang ẩn thì không in ra" in words["book"]
        async with store.transaction() as tx:
            await hidings.end(tx, own(person), made.hiding_id, now)
    assert "đang ẩn thì không in ra" in (await told(store, own(person), clock))["book"]


async def test_what_is_hidden_and_disputed_at_once_can_be_read(store: Store, clock: FrozenClock) -> None:
    person, now = await bare(store, clock), clock.now()
    await write(store, person, HIDABLE, now)
    await contest(store, person, "Observation", our_id("a", "bimat"))
    async with store.transaction() as tx:
        await hidings.hide(
            tx, own(person), "Observation", our_id("a", "bimat"), reader=None, reader_name=None, now=now
        )
        built = await summary.read(tx, store.keys, own(person), now)
    (item,) = [
        item for part in json.loads(built.body)["sections"] for item in part["items"] if item.get("hidden")
    ]
    assert item["disputed"]
