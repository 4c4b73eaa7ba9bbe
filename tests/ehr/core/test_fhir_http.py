"""The remote adapter against a real server whose answers a proxy of ours spoils (ehr-core.md §2.1)."""

import asyncio
import logging
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from ehr.core import fhir_http
from ehr.core.breaker import FAILURES_MAX, OPEN_SECONDS, RETRY_AFTER_SECONDS_MAX
from ehr.core.fhir_http import CONNECTIONS_MAX, COUNT, CoreAddress, FhirCore
from ehr.ports import CoreError
from tests.support.clock import START, FrozenClock
from tests.support.fault_proxy import Answer, Fault, FaultProxy, instead, on, times
from tests.support.fhir_core import NATIONAL_ID, Peer, observation, patient

MANY = 120


@pytest.fixture(scope="module")
def ident(peer: Peer) -> str:
    """A person with 120 results."""
    made = f"p-{uuid4().hex[:8]}"
    peer.put(patient(made, "001090000777"))
    peer.put_many([observation(f"{made}-{n}", made, f"{n}.5") for n in range(MANY)])
    return made


def queries(proxy: FaultProxy) -> list[dict[str, list[str]]]:
    return [parse_qs(urlsplit(path).query) for path in proxy.seen]


def links(page: dict[str, Any], url: str | None) -> dict[str, Any]:
    """The page with another `next`, or none."""
    kept = [one for one in page.get("link", []) if one["relation"] != "next"]
    return {**page, "link": kept + ([{"relation": "next", "url": url}] if url else [])}


async def test_the_reference_is_typed_and_nothing_fancy_is_asked(
    core: FhirCore, proxy: FaultProxy, ident: str
) -> None:
    listing = await core.list_type(ident, "Observation", "interactive")
    assert (len(listing.resources), listing.total, listing.complete) == (MANY, MANY, True)
    assert queries(proxy)[0]["patient"] == [f"Patient/{ident}"]
    assert queries(proxy)[0]["_count"] == [str(COUNT)]
    asked = " ".join(proxy.seen)
    for word in ("$everything", "$summary", "_sort", "_revinclude", "_include", "Patient%2F/Observation"):
        assert word not in asked
    assert not any(f"/Patient/{ident}/" in path for path in proxy.seen)


async def test_pages_are_asked_for_one_after_the_other(core: FhirCore, proxy: FaultProxy, ident: str) -> None:
    under_way = []

    async def watch(_path: str, answer: Answer) -> Answer:
        under_way.append(core.bulkhead.in_use)
        return answer

    proxy.fault = watch
    await core.list_type(ident, "Observation", "interactive")
    assert len(under_way) >= MANY // COUNT
    assert set(under_way) == {1}


async def test_the_token_goes_to_the_core_and_into_no_log(
    core: FhirCore, proxy: FaultProxy, ident: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await core.find_patients(NATIONAL_ID, "001090000777", "interactive")
    assert proxy.headers[0]["authorization"] == "Bearer test-token-0f2b7c"
    assert "001090000777" not in "".join(r.getMessage() for r in caplog.records if r.name.startswith("httpx"))
    assert "test-token" not in caplog.text
    assert "test-token" not in repr(CoreAddress("https://core.example.org/fhir", "core:a", "A", "test-token"))


async def test_a_wrong_token_is_refused_by_its_status(proxy: FaultProxy, clock: FrozenClock) -> None:
    stranger = FhirCore(CoreAddress(proxy.base, "core:main", "A", "wrong"), clock)
    with pytest.raises(CoreError, match="refused"):
        await stranger.read("Patient", "x", "interactive")
    await stranger.close()


async def test_no_next_means_the_end_and_the_total_tells_that_some_are_missing(
    core: FhirCore, proxy: FaultProxy, ident: str
) -> None:
    proxy.fault = on("Observation", lambda page: links(page, None))
    listing = await core.list_type(ident, "Observation", "interactive")
    assert (len(listing.resources), listing.complete) == (COUNT, False)


async def test_without_a_total_a_full_last_page_is_not_trusted(
    core: FhirCore, proxy: FaultProxy, ident: str
) -> None:
    def uncounted(page: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in links(page, None).items() if key != "total"}

    proxy.fault = on("Observation", uncounted)
    listing = await core.list_type(ident, "Observation", "interactive")
    assert (listing.total, listing.complete) == (None, False)
    proxy.fault = on("Observation", lambda page: {**uncounted(page), "entry": page["entry"][:7]})
    listing = await core.list_type(ident, "Observation", "interactive")
    assert (len(listing.resources), listing.complete) == (7, True)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "http://127.0.0.1:9/fhir/Observation?page=2",
        "https://evil.example.org/fhir/Observation?page=2",
        "//evil.example.org/fhir",
        "http://user@{host}/fhir/Observation",
        "{origin}/admin?x=1",
        "{origin}/fhir/../admin",
        "{origin}/fhir/%2e%2e/admin",
        "{origin}/fhirx/Observation",
        "file:///etc/passwd",
    ],
)
async def test_s29_next_never_leads_out_of_the_configured_base(
    core: FhirCore, proxy: FaultProxy, ident: str, elsewhere: str
) -> None:
    origin = proxy.base.removesuffix("/fhir")
    url = elsewhere.format(origin=origin, host=origin.removeprefix("http://"))
    proxy.fault = on("Observation", lambda page: links(page, url))
    listing = await core.list_type(ident, "Observation", "interactive")
    assert (len(listing.resources), listing.complete) == (COUNT, False)
    assert len(proxy.seen) == 1


async def test_s29_a_redirect_is_not_followed(core: FhirCore, proxy: FaultProxy, ident: str) -> None:
    proxy.fault = instead("Observation", 302, b"", location=f"{proxy.base}/Patient/{ident}")
    with pytest.raises(CoreError, match="broken"):
        await core.read("Observation", "x", "interactive")
    assert not any("Patient" in path for path in proxy.seen)


async def test_a_loop_of_pages_ends(core: FhirCore, proxy: FaultProxy, ident: str) -> None:
    first = f"{proxy.base}/Observation?round=1"
    proxy.fault = on("Observation", lambda page: links(page, first))
    listing = await core.list_type(ident, "Observation", "interactive")
    assert listing.complete is False
    assert len(proxy.seen) == 2


async def test_pages_that_never_end_and_bring_nothing_are_left(
    core: FhirCore, proxy: FaultProxy, ident: str
) -> None:
    def empty(page: dict[str, Any]) -> dict[str, Any]:
        return {**links(page, f"{proxy.base}/Observation?round={len(proxy.seen)}"), "entry": []}

    proxy.fault = on("Observation", empty)
    listing = await core.list_type(ident, "Observation", "interactive")
    assert (listing.resources, listing.complete) == ([], False)
    assert len(proxy.seen) <= 5


async def test_one_empty_page_in_the_middle_loses_nothing(
    core: FhirCore, proxy: FaultProxy, ident: str
) -> None:
    behind: list[str] = []

    def hollow(page: dict[str, Any]) -> dict[str, Any]:
        if len(proxy.seen) != 1:
            return page
        behind.append(next(one["url"] for one in page["link"] if one["relation"] == "next"))
        return page

    async def insert(path: str, answer: Answer) -> Answer:
        if "hollow" in path:
            page = {"resourceType": "Bundle", "type": "searchset", "entry": []}
            return await on("hollow", lambda _: links(page, behind[0]))(path, answer)
        if len(proxy.seen) == 1:
            await on("Observation", hollow)(path, answer)
            return await on("Observation", lambda page: links(page, f"{proxy.base}/Observation?hollow=1"))(
                path, answer
            )
        return answer

    proxy.fault = insert
    listing = await core.list_type(ident, "Observation", "interactive")
    assert (len(listing.resources), listing.complete) == (MANY, True)


async def test_entries_that_come_twice_are_kept_once(core: FhirCore, proxy: FaultProxy, ident: str) -> None:
    proxy.fault = on("Observation", lambda page: {**page, "entry": page["entry"] * 3})
    listing = await core.list_type(ident, "Observation", "interactive")
    assert len(listing.resources) == len({one.id for one in listing.resources}) == MANY


async def test_a_resource_of_another_type_is_left_out_and_told(
    core: FhirCore, proxy: FaultProxy, ident: str
) -> None:
    intruder = {"resource": patient("x", "001090000778"), "search": {"mode": "match"}}
    outcome = {"resource": {"resourceType": "OperationOutcome", "issue": []}, "search": {"mode": "outcome"}}
    proxy.fault = on("Observation", lambda page: {**page, "entry": [*page["entry"], outcome]})
    assert (await core.list_type(ident, "Observation", "interactive")).complete is True
    proxy.fault = on("Observation", lambda page: {**page, "entry": [*page["entry"], intruder]})
    listing = await core.list_type(ident, "Observation", "interactive")
    assert ({one.rtype for one in listing.resources}, listing.complete) == ({"Observation"}, False)


BROKEN: dict[str, Fault] = {
    "truncated": instead("Observation", 200, b'{"resourceType":"Bundle","entry":[{"resou'),
    "wrong-type": instead("Observation", 200, b'{"resourceType":"Patient","id":"x"}'),
    "no-json": instead("Observation", 200, b"<html>Please sign in</html>"),
    "null": instead("Observation", 200, b"null"),
    "bad-utf8": instead("Observation", 200, b'{"resourceType":"\xff"}'),
    "deep": instead("Observation", 200, b"[" * 200_000),
    "error": instead("Observation", 500, b'{"resourceType":"OperationOutcome"}'),
    "gateway": instead("Observation", 502, b""),
    "short-body": instead("Observation", 200, b'{"resourceType"', content_length="5000"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_page_is_asked_once_more_with_half_the_count(
    core: FhirCore, proxy: FaultProxy, ident: str, name: str
) -> None:
    proxy.fault = times(1, BROKEN[name])
    listing = await core.list_type(ident, "Observation", "interactive")
    assert (len(listing.resources), listing.complete) == (MANY, True)
    assert [one["_count"] for one in queries(proxy)[:2]] == [[str(COUNT)], [str(COUNT // 2)]]
    proxy.fault, proxy.seen[:] = BROKEN[name], []
    with pytest.raises(CoreError, match="broken"):
        await core.list_type(ident, "Observation", "interactive")
    assert len(proxy.seen) == 2


async def test_a_later_page_that_breaks_is_never_asked_at_another_place(
    core: FhirCore, proxy: FaultProxy, ident: str
) -> None:
    async def third(path: str, answer: Answer) -> Answer:
        return (500, {}, b"") if len(proxy.seen) == 2 else answer

    proxy.fault = third
    listing = await core.list_type(ident, "Observation", "interactive")
    assert (len(listing.resources), listing.complete) == (MANY, True)
    assert urlsplit(proxy.seen[2]).query == urlsplit(proxy.seen[0]).query.replace("_count=50", "_count=25")


async def test_a_type_the_core_does_not_offer_is_empty_and_incomplete(
    core: FhirCore, proxy: FaultProxy, ident: str
) -> None:
    for code in (b"not-supported", b"not-found"):
        proxy.fault = instead("Observation", 404, b'{"issue":[{"code":"%s"}]}' % code)
        listing = await core.list_type(ident, "Observation", "interactive")
        assert (listing.resources, listing.complete, listing.offered) == ([], False, False)
    assert core.state(START) == "closed"


async def test_a_busy_core_is_left_alone_for_as_long_as_it_asks(
    core: FhirCore, proxy: FaultProxy, ident: str, clock: FrozenClock
) -> None:
    for status in (429, 503):
        proxy.fault = instead("Observation", status, b"", retry_after="40")
        with pytest.raises(CoreError) as busy:
            await core.list_type(ident, "Observation", "interactive")
        assert (busy.value.fault, busy.value.retry_after_seconds) == ("busy", 40)
        proxy.fault, proxy.seen[:] = None, []
        with pytest.raises(CoreError) as waiting:
            await core.list_type(ident, "Observation", "interactive")
        assert waiting.value.fault == "open"
        assert proxy.seen == []
        clock.advance(seconds=41)
        assert (await core.list_type(ident, "Observation", "interactive")).complete


@pytest.mark.parametrize("text", ["Sat, 21 Nov 2026 02:01:00 GMT", "60"])
async def test_retry_after_may_be_a_date_and_is_bounded(
    core: FhirCore, proxy: FaultProxy, clock: FrozenClock, text: str
) -> None:
    proxy.fault = instead("Observation", 429, b"", retry_after=text)
    with pytest.raises(CoreError) as busy:
        await core.read("Observation", "x", "interactive")
    assert busy.value.retry_after_seconds == 60
    proxy.fault = instead("Observation", 429, b"", retry_after="99999999")
    clock.advance(seconds=61)
    with pytest.raises(CoreError):
        await core.read("Observation", "x", "interactive")
    clock.advance(seconds=RETRY_AFTER_SECONDS_MAX)
    assert core.state(clock.now()) == "closed"


async def test_the_breaker_opens_after_failures_and_lets_one_probe_through(
    core: FhirCore, proxy: FaultProxy, clock: FrozenClock, ident: str
) -> None:
    proxy.fault = instead("Patient", 500, b"")
    for _ in range(FAILURES_MAX):
        with pytest.raises(CoreError):
            await core.read("Patient", ident, "interactive")
    assert core.state(clock.now()) == "open"
    asked = len(proxy.seen)
    with pytest.raises(CoreError, match="open"):
        await core.read("Patient", ident, "interactive")
    assert len(proxy.seen) == asked

    clock.advance(seconds=OPEN_SECONDS)
    assert core.state(clock.now()) == "half-open"
    proxy.fault = None
    proxy.block()
    probe = asyncio.create_task(core.read("Patient", ident, "background"))
    await proxy.asked(asked + 1)
    with pytest.raises(CoreError, match="open"):
        await core.read("Patient", ident, "interactive")
    proxy.open.set()
    assert await probe is not None
    assert core.state(clock.now()) == "closed"


async def test_the_bulkhead_refuses_what_is_too_much_and_nothing_queues(
    core: FhirCore, proxy: FaultProxy, ident: str
) -> None:
    proxy.block()
    waiting = [asyncio.create_task(core.read("Patient", ident, "background")) for _ in range(CONNECTIONS_MAX)]
    await proxy.asked(CONNECTIONS_MAX)
    with pytest.raises(CoreError, match="full"):
        await core.read("Patient", ident, "background")
    assert (core.bulkhead.in_use, core.bulkhead.refused) == (CONNECTIONS_MAX, 1)
    proxy.open.set()
    assert all(await asyncio.gather(*waiting))
    assert core.bulkhead.in_use == 0


async def test_a_slow_core_is_left_after_its_budget(
    core: FhirCore, proxy: FaultProxy, ident: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(fhir_http.READ_SECONDS, "interactive", 0.05)
    proxy.block()
    with pytest.raises(CoreError, match="timeout"):
        await core.list_type(ident, "Observation", "interactive")
    assert len(proxy.seen) == 2
    assert core.bulkhead.in_use == 0


async def test_nobody_there_is_unreachable(clock: FrozenClock) -> None:
    core = FhirCore(CoreAddress("http://127.0.0.1:9/fhir", "core:main", "A"), clock)
    with pytest.raises(CoreError, match="unreachable"):
        await core.read("Patient", "x", "interactive")
    await core.close()


async def test_an_answer_without_end_is_broken(
    core: FhirCore, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fhir_http, "ANSWER_BYTES_MAX", 1000)
    proxy.fault = instead("Patient", 200, b" " * 2000)
    with pytest.raises(CoreError, match="broken"):
        await core.read("Patient", "x", "interactive")


async def test_another_resource_than_the_one_asked_for_is_broken(
    core: FhirCore, proxy: FaultProxy, ident: str
) -> None:
    proxy.fault = instead("Patient", 200, b'{"resourceType":"Patient","id":"somebody-else"}')
    with pytest.raises(CoreError, match="broken"):
        await core.read("Patient", ident, "interactive")
