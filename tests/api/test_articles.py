"""Articles and completeness over HTTP: reviewed or not shown, and nothing of what is withheld."""

from datetime import date

from ehr.completeness.policy import profiles
from ehr.knowledge import service
from ehr.knowledge.service import article_of, articles, digest_of, review, withdraw
from kernel.access import Label
from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen
from tests.support.record import write
from tests.support.statistics import seen_with

SLUG = "tang-huyet-ap"


async def test_an_article_is_shown_after_a_named_review_and_to_whom_it_concerns(
    fresh_store: Store, clock: FrozenClock
) -> None:
    store = fresh_store
    citizen = await make_citizen(store, clock)
    other = await make_citizen(store, clock)
    await write(store, citizen.patient_id, [seen_with("I10", "2026-11-11")], clock.now())
    async with client_of(store, clock) as client:
        hidden = await client.get(f"/v1/articles/{SLUG}")
        assert (hidden.status_code, hidden.json()["code"]) == (404, "no-such-article")
        unknown = (await client.get("/v1/articles/khong-co")).json()
        assert {k: v for k, v in unknown.items() if k != "instance"} == {
            k: v for k, v in hidden.json().items() if k != "instance"
        }, "one that waits for its review is like none"
        own = await client.get("/v1/me/articles", headers=bearer(citizen.token))
        assert own.json() == {"items": []}
        async with store.transaction() as tx:
            assert await review(tx, SLUG, "BS. Lê Thị Bình", "001/BYT-CCHN", date(2026, 11, 20), clock.now())
        shown = (await client.get(f"/v1/articles/{SLUG}")).json()
        own = await client.get("/v1/me/articles", headers=bearer(citizen.token))
        others = await client.get("/v1/me/articles", headers=bearer(other.token))
    assert (shown["reviewer"], shown["licence"]) == ("BS. Lê Thị Bình", "001/BYT-CCHN")
    assert [item["slug"] for item in own.json()["items"]] == [SLUG]
    assert others.json() == {"items": []}


async def test_an_edited_or_withdrawn_text_is_not_shown(fresh_store: Store, clock: FrozenClock) -> None:
    async with fresh_store.transaction() as tx:
        made = await review(tx, SLUG, "BS. Lê Thị Bình", "001/BYT-CCHN", date(2026, 11, 20), clock.now())
        assert made is not None
        standing = digest_of(made)
        assert not isinstance(await article_of(tx, SLUG), Refused)
        edited = service.msgspec.structs.replace(made, title_vi="Khác")
        assert digest_of(edited) != standing
        assert await withdraw(tx, SLUG, clock.now())
        assert isinstance(await article_of(tx, SLUG), Refused)
        assert not await withdraw(tx, SLUG, clock.now())


def test_no_draft_states_a_number_without_a_source() -> None:
    """A threshold stands in a sentence that names where it is from; stand-ins have no digits at all."""
    for article in articles().values():
        assert article.icd
        for paragraph in article.paragraphs:
            if paragraph.kind == "draft":
                assert not any(sign.isdigit() for sign in paragraph.text_vi), article.slug
            else:
                assert paragraph.source


async def test_completeness_tells_k_of_n_and_what_is_missing(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    await write(store, citizen.patient_id, [seen_with("I10", "2026-11-11")], clock.now())
    async with client_of(store, clock) as client:
        answer = (await client.get("/v1/me/completeness", headers=bearer(citizen.token))).json()
    found = {one["profile"]: one for one in answer["profiles"]}
    assert set(found) == {"831", "1332-46", "hn-48"} == {profile.key for profile in profiles()}
    form = found["831"]
    states = {row["key"]: row["state"] for row in form["rows"]}
    assert states["HOTEN"] == states["BENHTAT"] == states["DIENTHOAI_DD"] == "present"
    assert (states["NHOMMAU"], states["MADANTOC"]) == ("missing", "not-measured")
    assert form["present"] == list(states.values()).count("present")
    assert form["total"] == form["present"] + list(states.values()).count("missing")
    assert 0 < form["percent"] < 100
    assert (found["hn-48"]["total"], found["hn-48"]["percent"]) == (0, None)
    assert not any(one["confirmed"] for one in found.values())


async def test_s30_nothing_withheld_shows_through_completeness(store: Store, clock: FrozenClock) -> None:
    """A device on probation sees no labelled rows, so its measure is that of a book without them."""
    plain, labelled = [await make_citizen(store, clock, probation=True) for _ in range(2)]
    await write(
        store, labelled.patient_id, [seen_with("F32", "2026-11-11")], clock.now(), labels=int(Label.PSY)
    )
    async with client_of(store, clock) as client:
        answers = [
            (await client.get(path, headers=bearer(one.token))).content
            for path in ("/v1/me/completeness", "/v1/me/articles")
            for one in (plain, labelled)
        ]
    assert answers[0] == answers[1]
    assert answers[2] == answers[3]
