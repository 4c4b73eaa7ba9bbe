"""Reads that left and rows of the log, counted apart and held against each other (consent.md §9)."""

from datetime import datetime, timedelta

import httpx

from api.app import create_app
from audit.answered.models import Reconciliation
from audit.answered.service import Answered, reconcile
from kernel.access import mint_access
from kernel.ids import uuid7
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.http import bearer
from tests.support.pages import Browser
from tests.support.people import make_citizen, make_doctor, make_facility

DAY = timedelta(days=1)


async def counts(store: Store, since: datetime) -> Reconciliation:
    return await reconcile(store, since - DAY)


async def test_audit_gap_a_row_that_is_missing_is_found_per_grant(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    grant = await granted(store, clock, doctor, citizen)
    app = create_app(store, clock)
    stranger = f"/v1/doctor/patients/{uuid7(clock.now())}/summary"
    base = f"/v1/doctor/patients/{citizen.patient_id}"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        first = await client.get(f"{base}/summary", headers=bearer(doctor.token))
        again = bearer(doctor.token) | {"If-None-Match": first.headers["etag"]}
        statuses = [
            first.status_code,
            (await client.get(f"{base}/summary", headers=again)).status_code,
            (await client.get(f"{base}/timeline", headers=bearer(doctor.token))).status_code,
            # Neither a refusal nor a person's own read is a read that left under a grant.
            (await client.get(stranger, headers=bearer(doctor.token))).status_code,
            (await client.get("/v1/me/summary", headers=bearer(citizen.token))).status_code,
        ]
    assert statuses == [200, 304, 200, 403, 200]
    await app.runtime.answered.write(store, clock.now())
    whole = await counts(store, clock.now())
    assert (whole.bases, whole.answered, whole.logged, whole.gaps) == (1, 3, 3, [])
    async with owner.transaction() as tx:
        await tx.execute(
            "DELETE FROM access_log WHERE patient_id = $1 AND entry LIKE '%record:timeline:read%'",
            citizen.patient_id,
        )
    (gap,) = (await counts(store, clock.now())).gaps
    assert (gap.basis_id, gap.answered, gap.logged) == (grant.grant_id, 3, 2)


async def test_audit_gap_a_file_through_a_page_is_one_read(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    await granted(store, clock, doctor, citizen)
    before = await counts(store, clock.now())
    app = create_app(store, clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        browser = Browser(client, "staff", doctor.token)
        page = await browser.get(f"/doctor/patients/{citizen.patient_id}/summary.pdf")
    assert page.response.headers["content-type"] == "application/pdf"
    await app.runtime.answered.write(store, clock.now())
    whole = await counts(store, clock.now())
    assert (whole.answered - before.answered, whole.logged - before.logged) == (1, 1)
    assert whole.gaps == before.gaps


async def test_audit_gap_counts_that_cannot_be_written_are_kept(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    answered = Answered()
    access = mint_access(
        patient_id=citizen.patient_id,
        actor=doctor.actor,
        action="read-summary",
        purpose="TREAT",
        basis="grant",
        basis_id=uuid7(clock.now()),
    )
    for status in (200, 304, 403, 503):
        answered.count(access, status)

    class Down:
        def transaction(self) -> object:
            raise ConnectionError

    try:
        await answered.write(Down(), clock.now())  # type: ignore[arg-type]
        raise AssertionError("the store is down")
    except ConnectionError:
        pass
    await answered.write(store, clock.now())
    await answered.write(store, clock.now())  # nothing is added twice
    (gap,) = [one for one in (await counts(store, clock.now())).gaps if one.basis_id == access.basis_id]
    assert (gap.answered, gap.logged) == (2, 0)
