"""A referral letter at three ends: its person, its sender and the place that it goes to."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from ehr.intake.revert import revert_since
from ehr.referrals.keeping import housekeeping
from healthbook.dispatch import dispatch
from identity.births import service as births
from identity.models import Facility
from kernel.access import Label
from kernel.ids import bucket_of
from notifications.queries import INBOX
from store.database import Store
from store.outbox import claim_events
from tests.ehr.intake.records import send
from tests.support import packages
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from tests.support.registry import make_officers, merged, separated

SENDER, RECEIVER, STRANGER = "79001", "79024", "79031"
NUMBER = "GCT-17"


@dataclass
class Road:
    """A person with a letter from one facility to another; a third one has nothing to do with it."""

    store: Store
    clock: FrozenClock
    client: httpx.AsyncClient
    citizen: Citizen
    places: dict[str, Facility]
    staff: dict[str, Doctor]

    async def visit(self, code: str, credential: str = "his-1", tables: Any = None, **head: str) -> None:
        """A visit at one of the places, with or without its letter."""
        person = {
            "SO_CCCD": self.citizen.number,
            "HO_TEN": self.citizen.name,
            "NGAY_SINH": self.citizen.birth_date.replace("-", "") + "0000",
            "GIOI_TINH": {"male": "1", "female": "2"}[self.citizen.sex],
            "MA_THE_BHYT": "",
            "DIEN_THOAI": "",
            "MA_CSKCB": code,
            "MA_BN": f"BN{self.citizen.number}",
        }
        head = {"MA_LK": f"LK.{self.citizen.number}"} | head
        letter = {"GIAY_CHUYEN_TUYEN": NUMBER, "MA_NOI_DEN": RECEIVER, "MA_CSKCB_DEN": RECEIVER, **head}
        rows = packages.tables_of(
            "4750", tables or ["XML1", "XML13"], {"XML1": person | head, "XML13": letter}
        )
        data = packages.package(rows, facility=code)
        (report,) = await send(self.store, self.clock, self.places[code], data, credential)
        assert (report.status, report.reasons) == ("imported", []), report

    async def own(self) -> list[dict[str, Any]]:
        answer = await self.client.get("/v1/me/referrals", headers=bearer(self.citizen.token))
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    async def listed(self, code: str, side: str, **query: str) -> list[dict[str, Any]]:
        answer = await self.client.get(
            f"/v1/facility/referrals/{side}", params=query, headers=bearer(self.staff[code].token)
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    async def move(self, code: str, referral_id: str, state: str, **more: str) -> str:
        answer = await self.client.put(
            f"/v1/facility/referrals/{referral_id}/state",
            json={"state": state, **more},
            headers=bearer(self.staff[code].token),
        )
        return "" if answer.status_code == 204 else answer.json()["code"]

    async def told(self, citizen: Citizen | None = None) -> list[dict[str, str]]:
        """What a notice of a letter carries, once everything that was emitted has been said."""
        patient_id, now = (citizen or self.citizen).patient_id, self.clock.now()
        async with self.store.transaction() as tx:
            for event in await claim_events(tx, bucket_of(patient_id), now, 500):
                await dispatch(tx, self.store.keys, event, now)
            page = await INBOX.all(tx, patient_id, UUID(int=2**128 - 1), 50, None)
        return [json.loads(one.ref) for one in page if one.type == "referral-update"]

    async def states(self) -> tuple[list[str], list[str], list[str]]:
        """As its person, the receiver and the sender read them."""
        ends = await self.own(), await self.listed(RECEIVER, "received"), await self.listed(SENDER, "sent")
        own, received, sent = ([one["state"] for one in end] for end in ends)
        return own, received, sent


@pytest.fixture
async def road(store: Store, clock: FrozenClock) -> AsyncIterator[Road]:
    places = {code: await make_facility(store, clock, code=code) for code in (SENDER, RECEIVER, STRANGER)}
    staff = {code: await make_doctor(store, clock, place, role="clerk") for code, place in places.items()}
    async with store.transaction() as tx:
        await tx.execute("DELETE FROM facility_referral")
    async with client_of(store, clock) as client:
        made = Road(store, clock, client, await make_citizen(store, clock), places, staff)
        await made.visit(SENDER)
        yield made


async def test_a_letter_goes_from_sent_to_answered_at_all_three_ends(road: Road) -> None:
    (letter,) = await road.own()
    assert (letter["number"], letter["receiver_code"]) == (NUMBER, RECEIVER)
    assert (letter["sender"], letter["receiver"]) == (road.places[SENDER].name, road.places[RECEIVER].name)
    assert await road.states() == (["sent"], ["sent"], ["sent"])
    ident = letter["referral_id"]
    assert await road.move(RECEIVER, ident, "received") == ""
    assert await road.move(RECEIVER, ident, "booked", booked_for="2026-12-01") == ""
    assert (await road.own())[0]["booked_for"] == "2026-12-01"
    # Another day is another booking.
    assert await road.move(RECEIVER, ident, "booked", booked_for="2026-12-03") == ""
    assert [one["booked_for"] for one in await road.listed(SENDER, "sent")] == ["2026-12-03"]
    for state in ("seen", "answered"):
        assert await road.move(RECEIVER, ident, state) == ""
        assert await road.states() == ([state], [state], [state])
    assert await road.move(RECEIVER, ident, "received") == "referral-moved-on"
    (done,) = await road.own()
    assert all(done[name] for name in ("received_at", "seen_at", "answered_at"))


async def test_s19_the_receiver_reads_the_envelope_and_nothing_of_the_person(road: Road) -> None:
    (listed,) = await road.listed(RECEIVER, "received")
    assert set(listed) == {
        *("referral_id", "number", "other", "issued_on", "reason", "state", "booked_for", "changed_at"),
    }
    told = str(listed)
    for secret in (road.citizen.name, road.citizen.number, str(road.citizen.patient_id), "K29.7", "dạ dày"):
        assert secret not in told
    assert await road.listed(RECEIVER, "received", number=NUMBER) == [listed]
    assert await road.listed(RECEIVER, "received", number="GCT-99") == []


async def test_s3_a_stranger_and_the_sender_move_nothing(road: Road) -> None:
    ident = (await road.own())[0]["referral_id"]
    for code in (STRANGER, SENDER):
        assert await road.move(code, ident, "received") == "referral-not-found"
    assert await road.listed(STRANGER, "received") == []
    assert await road.listed(STRANGER, "sent") == []
    assert await road.states() == (["sent"], ["sent"], ["sent"])


@pytest.mark.parametrize(
    ("state", "day"), [("booked", None), ("booked", "2026-01-01"), ("received", "2026-12-01")]
)
async def test_only_a_booking_names_a_day_and_a_coming_one(road: Road, state: str, day: str | None) -> None:
    ident = (await road.own())[0]["referral_id"]
    more = {"booked_for": day} if day else {}
    assert await road.move(RECEIVER, ident, state, **more) == "referral-day-invalid"


async def test_a_visit_at_the_place_it_goes_to_says_that_the_person_was_seen(road: Road) -> None:
    # A visit before the letter, and one elsewhere, are no answer to it.
    early = {
        "MA_LK": f"SYN.EARLY.{road.citizen.number}",
        "NGAY_VAO": "202602010815",
        "NGAY_RA": "202602011000",
    }
    late = {"NGAY_VAO": "202603100815", "NGAY_RA": "202603101000", "NGAY_VAO_NOI_TRU": ""}
    await road.visit(RECEIVER, tables=["XML1"], **early, NGAY_VAO_NOI_TRU="")
    await road.visit(STRANGER, tables=["XML1"], MA_LK=f"SYN.OTHER.{road.citizen.number}", **late)
    assert await road.states() == (["sent"], ["sent"], ["sent"])
    await road.visit(RECEIVER, tables=["XML1"], MA_LK=f"SYN.LATE.{road.citizen.number}", **late)
    assert await road.states() == (["seen"], ["seen"], ["seen"])
    assert (await road.own())[0]["seen_at"].startswith("2026-03-10")


async def test_a_resend_keeps_the_state_and_a_new_receiver_begins_anew(road: Road) -> None:
    ident = (await road.own())[0]["referral_id"]
    await road.move(RECEIVER, ident, "received")
    await road.visit(SENDER)
    assert await road.states() == (["received"], ["received"], ["received"])
    await road.visit(SENDER, MA_NOI_DEN=STRANGER, MA_CSKCB_DEN=STRANGER)
    assert await road.listed(RECEIVER, "received") == []
    assert [one["state"] for one in await road.listed(STRANGER, "received")] == ["sent"]
    assert [(one["state"], one["received_at"]) for one in await road.own()] == [("sent", None)]


async def test_a_code_of_no_facility_here_is_said(road: Road) -> None:
    await road.visit(SENDER, MA_NOI_DEN="99999", MA_CSKCB_DEN="99999")
    (letter,) = await road.own()
    assert (letter["receiver"], letter["receiver_code"]) == (None, "99999")
    assert "hãy mang phiếu" in letter["state_vi"]
    assert await road.listed(RECEIVER, "received") == []


async def test_s3_a_letter_that_was_taken_back_is_at_no_end(road: Road) -> None:
    await road.visit(SENDER, credential="good")
    road.clock.advance(minutes=2)
    since = road.clock.now()
    await road.visit(SENDER, credential="stolen", tables=["XML1"])
    assert await road.states() == ([], [], [])
    await revert_since(road.store, road.clock, ["stolen"], since)
    assert await road.states() == (["sent"], ["sent"], ["sent"])
    await revert_since(road.store, road.clock, ["good", "his-1"], since.replace(year=2020))
    assert await road.states() == ([], [], [])


async def test_s10_a_letter_goes_with_its_row_and_comes_back(road: Road, owner: Store) -> None:
    ident = (await road.own())[0]["referral_id"]
    other = await make_citizen(road.store, road.clock)
    officers = await make_officers(road.store, road.clock)
    now = road.clock.now()
    merge_id = await merged(road.store, officers, road.citizen.patient_id, other.patient_id, now)
    assert await road.move(RECEIVER, ident, "received") == ""
    await separated(road.store, officers, merge_id, now)
    async with owner.transaction() as tx:
        rows = await tx.fetch("SELECT patient_id, state FROM referral WHERE referral_id = $1", ident)
    assert [tuple(row) for row in rows] == [(road.citizen.patient_id, "received")]


async def test_its_person_reads_in_the_log_who_moved_it(road: Road) -> None:
    ident = (await road.own())[0]["referral_id"]
    await road.move(RECEIVER, ident, "received")
    log = await road.client.get("/v1/me/access-log", headers=bearer(road.citizen.token))
    assert "referral:letter:receive" in log.text
    assert road.places[RECEIVER].name in log.text


async def test_its_person_is_told_of_a_booking_and_of_the_answer_without_a_word_of_it(road: Road) -> None:
    ident = (await road.own())[0]["referral_id"]
    for state, day in (
        ("received", None),
        ("booked", "2026-12-01"),
        ("booked", "2026-12-03"),
        ("seen", None),
    ):
        assert await road.move(RECEIVER, ident, state, **({"booked_for": day} if day else {})) == ""
    assert await road.told() == [{"referral_id": ident}] * 2, "each day that was booked"
    assert await road.move(RECEIVER, ident, "answered") == ""
    assert await road.told() == [{"referral_id": ident}] * 3


async def test_s10_news_of_a_letter_goes_to_who_reads_it_after_a_merge(road: Road) -> None:
    ident = (await road.own())[0]["referral_id"]
    other = await make_citizen(road.store, road.clock)
    officers = await make_officers(road.store, road.clock)
    await merged(road.store, officers, road.citizen.patient_id, other.patient_id, road.clock.now())
    async with road.store.transaction() as tx:
        await tx.execute("UPDATE person_origin SET proven_at = visible_at, visible_at = $1", road.clock.now())
    assert await road.move(RECEIVER, ident, "booked", booked_for="2026-12-01") == ""
    assert await road.told(other) == [{"referral_id": ident}]
    assert await road.told() == []


async def test_what_left_the_lists_goes_after_its_time_and_what_stands_never(road: Road) -> None:
    await road.visit(SENDER, MA_NOI_DEN=STRANGER, MA_CSKCB_DEN=STRANGER)
    async with road.store.transaction() as tx:
        assert await housekeeping(tx, road.clock.now(), 100) == 0
    road.clock.advance(seconds=1)
    async with road.store.transaction() as tx:
        assert await housekeeping(tx, road.clock.now(), 100) == 1, "the first receiver's"
    assert await road.states() == (["sent"], [], ["sent"])
    assert len(await road.listed(STRANGER, "received")) == 1


@pytest.mark.parametrize("number", ["HIV-17", "OPC HIV 3", "{number}", "{spaced}", "so {number}", "{name}"])
async def test_s17_a_number_that_tells_is_on_no_envelope(road: Road, number: str) -> None:
    person = road.citizen
    spaced = f"{person.number[:4]} {person.number[4:]}"
    told = number.format(number=person.number, spaced=spaced, name=person.name.upper())
    await road.visit(SENDER, MA_LK="LK.TELLS", GIAY_CHUYEN_TUYEN=told)
    assert sorted(one["number"] for one in await road.own()) == ["", NUMBER]
    assert sorted(one["number"] for one in await road.listed(RECEIVER, "received")) == ["", NUMBER]
    async with road.store.transaction() as tx:
        for table in ("referral", "facility_referral"):
            assert await tx.fetch(f"SELECT 1 FROM {table} WHERE number = $1", told) == []


async def test_s17_a_receiver_that_tells_is_on_no_envelope(road: Road) -> None:
    await road.visit(SENDER, MA_LK="LK.TELLS", MA_NOI_DEN="OPC HIV 3", MA_CSKCB_DEN="OPC HIV 3")
    assert sorted(one["receiver_code"] for one in await road.own()) == ["", RECEIVER]


LATE = {"NGAY_VAO": "202603100815", "NGAY_RA": "202603101000", "NGAY_VAO_NOI_TRU": ""}
_MARK = "UPDATE ehr_resource SET {what} WHERE patient_id = $1 AND rtype = 'Encounter' AND eff >= '2026-03-10'"


async def test_s23_a_guardian_reads_seen_only_of_a_visit_that_a_guardian_is_shown(road: Road) -> None:
    mother = await make_citizen(road.store, road.clock)
    child = await make_citizen(road.store, road.clock, birth_date="2018-01-01")
    async with road.store.transaction() as tx:
        await births.link(tx, child.patient_id, mother.patient_id, None, road.clock.now())
    road.citizen = child
    await road.visit(SENDER)
    await road.visit(RECEIVER, tables=["XML1"], MA_LK="L.LATE", **LATE)
    book = bearer(mother.token) | {"X-Patient-Id": str(child.patient_id)}

    async def read() -> tuple[str, bool]:
        (one,) = (await road.client.get("/v1/me/referrals", headers=book)).json()["items"]
        return one["state"], one["seen_at"] is not None

    assert await read() == ("seen", True)
    async with road.store.transaction() as tx:
        labels = _MARK.format(what=f"labels = labels | {int(Label.SDV)}")
        await tx.execute(labels, child.patient_id)
    assert await read() == ("sent", False)
    assert (await road.own())[0]["state"] == "seen"


async def test_the_sender_is_told_nothing_of_a_visit_hidden_from_everybody(road: Road) -> None:
    await road.visit(RECEIVER, tables=["XML1"], MA_LK="L.LATE", **LATE)
    assert await road.states() == (["seen"], ["seen"], ["seen"])
    async with road.store.transaction() as tx:
        hidden = _MARK.format(what="hidden_from = ARRAY['00000000-0000-0000-0000-000000000000'::uuid]")
        await tx.execute(hidden, road.citizen.patient_id)
    assert await road.states() == (["seen"], ["seen"], ["sent"])
