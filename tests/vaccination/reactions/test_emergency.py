"""Who reports a reaction and is refused still reads what to do in an emergency."""

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen

PATH = "/v1/me/vaccination/reactions"
GOOD = {"symptoms": [{"code": "breathing"}], "said": "severe"}


async def test_every_refusal_of_a_report_names_115(store: Store, clock: FrozenClock) -> None:
    """Whatever is wrong with it: also what the surface itself refuses, and who is not signed in."""
    own = bearer((await make_citizen(store, clock)).token)
    async with client_of(store, clock) as client:
        ident = (await client.post(PATH, json=GOOD, headers=own)).json()["reaction_id"]
        await client.post(f"{PATH}/{ident}/withdraw", headers=own)
        quick, added = f"{PATH}/quick", f"{PATH}/{ident}/symptoms"
        refused = [
            await client.post(PATH, json=GOOD, headers=own | {"Idempotency-Key": "r-1"}),
            await client.post(quick, json={"symptoms": ["breathing"]}, headers=own),
            await client.post(quick, content=b"{", headers=own | {"Content-Type": "application/json"}),
            await client.post(quick, content=b"x", headers=own | {"Content-Type": "text/plain"}),
            await client.post(PATH, json=GOOD),
            await client.post(f"{PATH}?x=1", json=GOOD, headers=own),
            await client.post(added, json=GOOD, headers=own),
            await client.post(added, json={"symptoms": []}, headers=own),
        ]
    for answer in refused:
        assert 400 <= answer.status_code < 500
        problem = answer.json()
        assert "115" in problem["detail"], problem
        assert "115" in problem["detail_en"], problem
    assert {answer.json()["code"] for answer in refused} >= {
        "idempotency-key-invalid",
        "invalid-field",
        "malformed-body",
        "unsupported-media-type",
        "not-signed-in",
        "reaction-state",
    }
