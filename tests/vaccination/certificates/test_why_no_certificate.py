"""No certificate from a dose that nobody vouches for, and the person is told which dose and why."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from ehr.models import Source
from ehr.store import mark_rows
from kernel.clock import local_day
from store.database import Store
from tests.ehr.intake.records import bundle
from tests.ehr.intake.records import send as send_file
from tests.support.certifying import (
    CERTIFICATES,
    covid,
    days_ago,
    issued,
    listed,
    make_station,
    reasons,
    send,
)
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen
from tests.support.record import our_id, write
from tests.support.signing_process import RunningSigner
from vaccination.certificates import authority
from vaccination.certificates.texts import REASONS


@pytest.fixture
async def client(store: Store, clock: FrozenClock, signer: RunningSigner) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, signer=signer) as opened:
        yield opened


async def told(client: httpx.AsyncClient, who: Citizen) -> dict[str, set[str]]:
    """Of each dose, why it has no certificate; and none is issued for those with a reason."""
    found = {}
    for dose in (await listed(client, who.token))["doses"]:
        ident = dose["immunization_id"]
        found[ident] = reasons(dose)
        assert dose["eligible"] is not bool(found[ident])
        assert all(one["text_vi"] and one["next_vi"] for one in dose["reasons"])
        if found[ident]:
            body = {"immunization_id": ident}
            refused = await client.post(CERTIFICATES, headers=bearer(who.token), json=body)
            assert (refused.status_code, refused.json()["code"]) == (409, "dose-not-eligible")
    return found


async def test_s28_each_reason_stands_beside_its_own_dose(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who = await make_citizen(store, clock)
    station, other = await make_station(store, clock), await make_station(store, clock, authorised=False)
    good, late = days_ago(clock, 3), days_ago(clock, 31)
    rows = {
        "fine": covid("fine", good, number=1),
        "edge": covid("edge", days_ago(clock, 30), number=1),
        "late": covid("late", late, number=1),
        "month": covid("month", good[:7], number=2),
        "ahead": covid("ahead", days_ago(clock, -2), number=2),
        "uncounted": covid("uncounted", days_ago(clock, 4), number=None),
        "unnamed": covid("unnamed", days_ago(clock, 5), code="213"),
    }
    await send(store, clock, who.patient_id, station, *rows.values())
    await send(store, clock, who.patient_id, other, covid("strange", days_ago(clock, 6)))
    nobody = Source(source_id="core", facility_id=None, credential="core")
    await write(store, who.patient_id, [covid("nowhere", days_ago(clock, 7))], clock.now(), source=nobody)
    own = Source(
        source_id=f"person:{who.patient_id}",
        facility_id=None,
        credential="x",
        method="person",
        state="self-declared",
    )
    await write(store, who.patient_id, [covid("said", days_ago(clock, 8))], clock.now(), source=own)
    found = await told(client, who)
    assert found == {
        our_id(station.name, "fine"): set(),
        our_id(station.name, "edge"): set(),
        our_id(station.name, "late"): {"back-dated"},
        our_id(station.name, "month"): {"date-unclear"},
        our_id(station.name, "ahead"): {"date-ahead"},
        our_id(station.name, "uncounted"): {"dose-number-unknown"},
        our_id(station.name, "unnamed"): {"product-unknown"},
        our_id(other.name, "strange"): {"no-authority"},
        our_id("core", "nowhere"): {"facility-unknown"},
        our_id(own.source_id, "said"): {"self-declared"},
    }


async def test_a_dose_that_is_being_corrected_has_none_until_it_is_settled(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3)))
    ident = our_id(station.name, "d")
    for contested, expected in ((True, {"being-corrected"}), (False, set())):
        async with owner.transaction() as tx:
            await tx.execute(
                "UPDATE ehr_resource SET contested = $3 WHERE patient_id = $1 AND id = $2",
                who.patient_id,
                ident,
                contested,
            )
        assert (await told(client, who))[ident] == expected


async def test_a_dose_of_a_system_that_is_stale_has_none(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3)))
    ident = our_id(station.name, "d")
    for hours, expected in ((25.0, {"source-stale"}), (23.0, set())):
        async with owner.transaction() as tx:
            await _asked(tx, who.patient_id, station.name, clock, hours)
        assert (await told(client, who))[ident] == expected


async def _asked(tx: Any, patient_id: UUID, source: str, clock: FrozenClock, hours_ago: float) -> None:
    """The system that the doses came from was asked so long ago."""
    at = FrozenClock(clock.now()).advance(hours=-hours_ago)
    await tx.execute(
        "INSERT INTO ehr_core_link (patient_id, source_id, state, core_patient, checked_at, since)"
        " VALUES ($1, $2, 'linked', 'p', $3, $3) ON CONFLICT DO NOTHING",
        *(patient_id, source, at),
    )
    await tx.execute(
        "INSERT INTO ehr_core_part"
        " (patient_id, source_id, part, asked_at, received, refused, whole, complete)"
        " VALUES ($1, $2, 'immunizations', $3, 1, 0, true, true)"
        " ON CONFLICT (patient_id, source_id, part) DO UPDATE SET asked_at = EXCLUDED.asked_at",
        *(patient_id, source, at),
    )


async def test_a_dose_in_quarantine_is_no_ground_and_the_list_says_what_to_do_about_one_that_is_missing(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    """The number is the person's and the birth date is another's: whose dose it is, nobody knows yet."""
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    dose = covid("q", days_ago(clock, 3)) | {"patient": {"reference": "Patient/p1"}}
    wrong = bundle(who, dose).replace(who.birth_date.encode(), b"1990-01-01")
    (report,) = await send_file(store, clock, station, wrong)
    assert report.status == "quarantined"
    page = await listed(client, who.token)
    assert page["doses"] == []
    assert "giấy tờ không khớp" in page["missing_vi"]
    body = {"immunization_id": our_id(station.name, "q")}
    refused = await client.post(CERTIFICATES, headers=bearer(who.token), json=body)
    assert refused.json()["code"] == "dose-not-found"
    (taken,) = await send_file(store, clock, station, bundle(who, dose))
    assert taken.status == "imported"
    assert [reasons(one) for one in (await listed(client, who.token))["doses"]] == [set()]


async def test_what_the_person_says_is_somebody_elses_is_no_ground(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3)))
    async with store.transaction() as tx:
        key = ("Immunization", our_id(station.name, "d"))
        await mark_rows(tx, who.patient_id, [key], clock.now(), state="disputed")
    page = await listed(client, who.token)
    assert page["doses"] == []
    assert "chờ kiểm tra" in page["missing_vi"]


async def test_a_copy_of_another_senders_dose_points_to_that_one(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who = await make_citizen(store, clock)
    one, two = await make_station(store, clock), await make_station(store, clock)
    for station in (one, two):
        await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3)))
    found = await told(client, who)
    assert sorted(found.values(), key=len) == [set(), {"duplicate"}]


async def test_only_vaccines_against_covid_19_are_certified_and_each_reason_has_words(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    flu = covid("flu", days_ago(clock, 3), code="140") | {
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "140"}], "text": "Cúm"}
    }
    await send(store, clock, who.patient_id, station, flu)
    assert (await listed(client, who.token))["doses"] == []
    body = {"immunization_id": our_id(station.name, "flu")}
    refused = await client.post(CERTIFICATES, headers=bearer(who.token), json=body)
    assert refused.json()["code"] == "dose-not-eligible"
    assert all(one.text_vi and one.text_en and one.next_vi and one.next_en for one in REASONS.values())


async def test_a_facility_vaccinates_on_the_days_of_its_periods_alone(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock, authorised=False)
    today = local_day(clock.now())
    async with store.transaction() as tx:
        first, last = today - timedelta(days=10), today - timedelta(days=5)
        assert await authority.grant(tx, station.facility_id, first, last, clock.now())
        overlaps = await authority.grant(tx, station.facility_id, last, None, clock.now())
        assert overlaps is False
    rows = [covid(f"d{days}", days_ago(clock, days), number=1) for days in (11, 10, 5, 4)]
    await send(store, clock, who.patient_id, station, *rows)
    found = await told(client, who)
    assert {days: found[our_id(station.name, f"d{days}")] for days in (11, 10, 5, 4)} == {
        11: {"no-authority"},
        10: set(),
        5: set(),
        4: {"no-authority"},
    }
    await issued(client, who.token, our_id(station.name, "d10"))
