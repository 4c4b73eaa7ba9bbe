"""The token endpoint over HTTP: who gets a token, and who gets nothing."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import httpx
import pytest
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.citizen.account import get_profile
from api.partner import oauth
from api.request import Answer, Call
from identity.app_clients import service, sessions
from identity.app_clients.models import EndedAppClient
from partners.oauth import queries
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.oauth import (
    JWT_BEARER,
    ORIGIN,
    TOKEN_URL,
    Partner,
    app_tokens,
    client_by_id,
    key_of,
    let_in,
    make_app,
    make_partner,
    public,
)
from tests.support.people import make_citizen


@get("/probe/{what:str}", actors=("partner", "app"), operation_id="probe", tags=["probe"])
async def probe(what: FromPath[str], call: NamedDependency[Call]) -> Answer:
    """Who is let in."""
    async with call.begin() as (_, actor):
        return Answer(f"{actor.kind} {actor.name} {actor.reference} {what}".encode(), status_code=200)


def reached(store: Store, clock: FrozenClock) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    """The routes of this part alone, and one to try a token at."""
    return client_of(store, clock, handlers=[probe, get_profile, *oauth.handlers])


def error_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"].startswith("application/json"), answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize("alg", ["ES256", "ES384", "RS256", "PS256", "EdDSA", "Ed25519"])
async def test_a_partner_signs_in_with_its_key_and_uses_the_token_with_proofs(
    store: Store, clock: FrozenClock, alg: str
) -> None:
    partner = await make_partner(store, clock, alg)
    async with reached(store, clock) as http:
        answer = await partner.ask_token(http)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["token_type"] == "DPoP"
        assert body["expires_in"] == 600
        assert body["scope"] == "partner"
        assert "refresh_token" not in body
    partner.token = body["access_token"]
    async with reached(store, clock) as http:
        headers = partner.headers("GET", "/probe/a")
        assert (await http.get("/probe/a", headers=headers)).text == "app Hệ thống thử None a"


async def test_what_is_wrong_with_an_assertion_is_one_refusal(store: Store, clock: FrozenClock) -> None:
    partner, other = await make_partner(store, clock), await make_partner(store, clock)
    at = int(clock.now().timestamp())
    stranger = Partner(clock, partner.client_id, key_of())
    wrong = {
        "of another key": stranger.assertion(),
        "for somebody else": partner.assertion(aud="https://other.example.org/token"),
        "for us and somebody else": partner.assertion(aud=[TOKEN_URL, "https://other.example.org"]),
        "for nobody": partner.assertion(aud=None),
        "without an end": partner.assertion(exp=None),
        "over": partner.assertion(exp=at - 31),
        "too long": partner.assertion(exp=at + 331),
        "endless": partner.assertion(exp=1e300),
        "of the future": partner.assertion(nbf=at + 31),
        "issued later": partner.assertion(iat=at + 31),
        "without an id": partner.assertion(jti=None),
        "with an empty id": partner.assertion(jti=""),
        "of another subject": partner.assertion(sub=str(other.client_id)),
        "of another issuer": partner.assertion(iss=str(other.client_id), sub=str(other.client_id)),
        "of nobody": partner.assertion(iss="nobody", sub="nobody"),
        "cut": partner.assertion()[:-4],
        "no text of this kind": "a.b.c",
        "empty": "",
    }
    async with reached(store, clock) as http:
        for name, assertion in wrong.items():
            headers = {"DPoP": partner.proof("POST", TOKEN_URL)}
            answer = await http.post(
                "/oauth/token", data=partner.form(client_assertion=assertion), headers=headers
            )
            assert error_of(answer) == (401, "invalid_client"), name


async def test_an_assertion_and_a_proof_count_once_also_at_the_same_moment(
    store: Store, clock: FrozenClock
) -> None:
    partner = await make_partner(store, clock)
    assertion, proof = partner.assertion(), partner.proof("POST", TOKEN_URL)
    async with reached(store, clock) as http, reached(store, clock) as second:

        async def ask(client: httpx.AsyncClient, assertion: str, proof: str) -> httpx.Response:
            return await client.post(
                "/oauth/token", data=partner.form(client_assertion=assertion), headers={"DPoP": proof}
            )

        answers = await asyncio.gather(
            *(
                ask(client, assertion, partner.proof("POST", TOKEN_URL))
                for client in (http, second)
                for _ in range(10)
            )
        )
        assert sorted(a.status_code for a in answers) == [200] + [401] * 19
        answers = await asyncio.gather(
            *(ask(client, partner.assertion(), proof) for client in (http, second) for _ in range(10))
        )
        assert sorted(a.status_code for a in answers) == [200] + [400] * 19
        assert {error_of(a)[1] for a in answers if a.status_code == 400} == {"invalid_dpop_proof"}


async def test_a_token_is_asked_for_in_one_way_alone(store: Store, clock: FrozenClock) -> None:
    partner = await make_partner(store, clock)
    app = await make_app(store, clock)
    async with reached(store, clock) as http:

        async def ask(form: dict[str, str], **headers: str) -> tuple[int, str]:
            answer = await http.post("/oauth/token", data=form, headers=headers)
            return error_of(answer)

        proof = partner.proof
        assert await ask(partner.form()) == (400, "invalid_dpop_proof")
        assert await ask(partner.form(), DPoP="x") == (400, "invalid_dpop_proof")
        wrong = proof("POST", f"{ORIGIN}/oauth/revoke")
        assert await ask(partner.form(), DPoP=wrong) == (400, "invalid_dpop_proof")
        form = partner.form(grant_type="password")
        assert await ask(form, DPoP=proof("POST", TOKEN_URL)) == (400, "unsupported_grant_type")
        form = partner.form()
        del form["grant_type"]
        assert await ask(form, DPoP=proof("POST", TOKEN_URL)) == (400, "invalid_request")
        form = partner.form(scope="everything")
        assert await ask(form, DPoP=proof("POST", TOKEN_URL)) == (400, "invalid_scope")
        # Shared secrets, and a partner that proves nothing.
        assert await ask(partner.form(), Authorization="Basic eDp5") == (401, "invalid_client")
        assert await ask(partner.form(client_secret="s")) == (401, "invalid_client")
        named = {"grant_type": "client_credentials", "client_id": str(partner.client_id)}
        assert await ask(named, DPoP=proof("POST", TOKEN_URL)) == (401, "invalid_client")
        other = partner.form(client_id=str(app.client_id))
        assert await ask(other, DPoP=proof("POST", TOKEN_URL)) == (401, "invalid_client")
        form = partner.form(client_assertion_type="urn:other")
        assert await ask(form, DPoP=proof("POST", TOKEN_URL)) == (401, "invalid_client")
        # An app has nothing of its own to ask for.
        named["client_id"] = str(app.client_id)
        assert await ask(named) == (400, "unauthorized_client")
        # A parameter twice, another media type.
        content = "grant_type=client_credentials&grant_type=client_credentials"
        kind = {"content-type": "application/x-www-form-urlencoded"}
        answer = await http.post("/oauth/token", content=content, headers=kind)
        assert error_of(answer) == (400, "invalid_request")
        answer = await http.post("/oauth/token", json=partner.form())
        assert answer.status_code == 415


async def test_a_bound_token_opens_nothing_without_a_new_proof_of_its_own_key(
    store: Store, clock: FrozenClock
) -> None:
    partner = await (await make_partner(store, clock)).opened(store)
    thief = Partner(clock, partner.client_id, key_of(), token=partner.token)
    path, at = "/probe/a", int(clock.now().timestamp())
    async with reached(store, clock) as http:
        http.event_hooks = {"request": [], "response": []}

        async def ask(headers: dict[str, str], method: str = "GET") -> tuple[int, str]:
            answer = await http.request(method, path, headers=headers)
            return answer.status_code, answer.json()["code"] if answer.status_code >= 400 else ""

        good = partner.headers("GET", path)
        assert await ask(good) == (200, "")
        refused = {
            "again": good,
            "of another key": thief.headers("GET", path),
            "for another method": partner.headers("POST", path),
            "for another path": partner.headers("GET", "/probe/b"),
            "for another host": partner.headers("GET", path, htu="https://other.example.org" + path),
            "for another token": partner.headers("GET", path, ath="x"),
            "for no token": partner.headers("GET", path, ath=None),
            "too old": partner.headers("GET", path, iat=at - 61),
            "of the future": partner.headers("GET", path, iat=at + 16),
            "without an id": partner.headers("GET", path, jti=None),
            "absent": {"Authorization": f"DPoP {partner.token}"},
            "as a bearer": {"Authorization": f"Bearer {partner.token}"},
        }
        for name, headers in refused.items():
            assert await ask(headers) == (401, "dpop-proof-invalid"), name
        answer = await http.get(path, headers=refused["again"])
        assert answer.headers["www-authenticate"].startswith('DPoP error="invalid_dpop_proof"')
        # Two proofs in one request are none.
        pairs = [*partner.headers("GET", path).items(), ("DPoP", partner.proof("GET", ORIGIN + path))]
        answer = await http.get(path, headers=pairs)
        assert answer.status_code == 401
        # Query and fragment are no part of what is proven; the window is kept at both ends.
        assert (
            await http.get(path, headers=partner.headers("GET", path, htu=ORIGIN + path + "?x=1"))
        ).status_code == 200
        for iat in (at - 60, at + 15):
            assert (await ask(partner.headers("GET", path, iat=iat)))[0] == 200


async def test_an_unbound_token_is_for_apps_alone_and_takes_no_proof(
    store: Store, clock: FrozenClock
) -> None:
    client, citizen = await make_app(store, clock), await make_citizen(store, clock)
    given = await let_in(store, clock, citizen, client, types=frozenset({"Immunization"}))
    tokens = await app_tokens(store, clock, given)
    assert tokens.token_type == "Bearer"
    holder = Partner(clock, client.client_id, key_of(), token=tokens.access_token)
    async with reached(store, clock) as http:
        answer = await http.get("/probe/a", headers={"Authorization": f"Bearer {tokens.access_token}"})
        assert answer.text == f"app Hệ thống thử {given.reference} a"
        answer = await http.get("/probe/a", headers=holder.headers("GET", "/probe/a"))
        assert answer.status_code == 401
    # A citizen's token is never taken with a scheme of clients.
    async with reached(store, clock) as http:
        answer = await http.get("/v1/me", headers={"Authorization": f"DPoP {citizen.token}"})
        assert answer.status_code == 401


async def test_a_partner_cannot_have_an_unbound_token(store: Store, clock: FrozenClock) -> None:
    partner = await make_partner(store, clock)
    async with store.transaction() as tx:
        tokens = await sessions.open_session(
            tx,
            partner.client_id,
            scope="partner",
            jkt=None,
            reference=None,
            with_refresh=False,
            now=clock.now(),
        )
    async with reached(store, clock) as http:
        answer = await http.get("/probe/a", headers={"Authorization": f"Bearer {tokens.access_token}"})
        assert answer.status_code == 401


async def test_a_token_lives_ten_minutes_and_ends_with_its_client(store: Store, clock: FrozenClock) -> None:
    partner = await (await make_partner(store, clock)).opened(store)
    async with reached(store, clock) as http:
        clock.advance(seconds=599)
        assert (await http.get("/probe/a", headers=partner.headers("GET", "/probe/a"))).status_code == 200
        clock.advance(seconds=1)
        assert (await http.get("/probe/a", headers=partner.headers("GET", "/probe/a"))).status_code == 401
        await partner.opened(store)
        async with store.transaction() as tx:
            await service.end(tx, EndedAppClient(client_id=partner.client_id), clock.now())
        assert (await http.get("/probe/a", headers=partner.headers("GET", "/probe/a"))).status_code == 401
    async with reached(store, clock) as http:
        assert error_of(await partner.ask_token(http)) == (401, "invalid_client")


async def test_revocation_ends_the_callers_own_token_and_says_nothing_of_others(
    store: Store, clock: FrozenClock
) -> None:
    partner = await (await make_partner(store, clock)).opened(store)
    other = await (await make_partner(store, clock)).opened(store)

    async def revoke(http: httpx.AsyncClient, who: Partner, token: str) -> int:
        form = {
            "token": token,
            "client_assertion_type": JWT_BEARER,
            "client_assertion": who.assertion(aud=f"{ORIGIN}/oauth/revoke"),
        }
        return (await http.post("/oauth/revoke", data=form)).status_code

    async def stands(who: Partner) -> bool:
        async with store.transaction() as tx:
            return await sessions.live(tx, who.token, clock.now()) is not None

    async with reached(store, clock) as http:
        assert await revoke(http, partner, other.token) == 200
        assert await revoke(http, partner, "no token") == 200
        assert await stands(other)
        assert await stands(partner)
        assert await revoke(http, partner, partner.token) == 200
        assert not await stands(partner)
        answer = await http.post("/oauth/revoke", data={"token": other.token})
        assert error_of(answer) == (401, "invalid_client")
        assert await stands(other)


async def test_calls_beyond_the_quotas_of_the_register_are_put_off(store: Store, clock: FrozenClock) -> None:
    key = key_of()
    partner = await make_partner(store, clock, jwks=public(key), quota_per_minute=3, quota_per_day=5)
    partner.key = key
    await partner.opened(store)
    async with reached(store, clock) as http:

        async def ask() -> httpx.Response:
            return await http.get("/probe/a", headers=partner.headers("GET", "/probe/a"))

        assert [(await ask()).status_code for _ in range(4)] == [200, 200, 200, 429]
        late = await ask()
        assert late.json()["code"] == "too-many"
        assert 1 <= int(late.headers["retry-after"]) <= 60
        clock.advance(seconds=61)
        assert [(await ask()).status_code for _ in range(2)] == [200, 200]
        late = await ask()
        assert late.status_code == 429
        assert int(late.headers["retry-after"]) > 3600


async def test_s31_whoever_knows_the_name_of_a_public_app_uses_nothing_of_its_quota_up(
    store: Store, clock: FrozenClock
) -> None:
    client = await make_app(store, clock, quota_per_minute=3, quota_per_day=5)
    citizen = await make_citizen(store, clock)
    given = await let_in(
        store, clock, citizen, client, types=frozenset({"Immunization"}), scope="patient/*.rs"
    )
    tokens = await app_tokens(store, clock, given)
    form = {"grant_type": "refresh_token", "client_id": str(client.client_id)}
    async with client_of(store, clock) as http:
        for _ in range(8):
            invented = await http.post("/oauth/token", data=form | {"refresh_token": "x"})
            assert error_of(invented) == (400, "invalid_grant")
            pushed = await http.post("/oauth/par", data=form | {"response_type": "code"})
            assert pushed.status_code == 400
        token = tokens.refresh_token or ""
        for _ in range(3):
            honest = await http.post("/oauth/token", data=form | {"refresh_token": token})
            assert honest.status_code == 200, honest.text
            token = honest.json()["refresh_token"]
        # Beyond it the app itself waits, and its refresh token is as good as before.
        assert (await http.post("/oauth/token", data=form | {"refresh_token": token})).status_code == 429
        clock.advance(seconds=61)
        assert (await http.post("/oauth/token", data=form | {"refresh_token": token})).status_code == 200


async def test_a_lost_proof_is_not_given_back_by_what_the_request_undoes(
    store: Store, clock: FrozenClock
) -> None:
    """The proof was used up before the handler failed: it opens nothing a second time."""

    @get("/probe/{what:str}", actors=("partner",), operation_id="probe", tags=["probe"])
    async def failing(what: FromPath[str], call: NamedDependency[Call]) -> Answer:
        async with call.begin():
            raise RuntimeError(what)

    partner = await (await make_partner(store, clock)).opened(store)
    headers = partner.headers("GET", "/probe/a")
    async with client_of(store, clock, handlers=[failing]) as http:
        assert (await http.get("/probe/a", headers=headers)).status_code == 500
    async with reached(store, clock) as http:
        assert (await http.get("/probe/a", headers=headers)).status_code == 401


async def test_used_proofs_go_after_their_time(store: Store, clock: FrozenClock) -> None:
    partner = await make_partner(store, clock)
    async with reached(store, clock) as http:
        await partner.sign_in(http)
    later = clock.now() + timedelta(hours=1)
    async with store.transaction() as tx:
        assert await queries.DELETE_PROOFS.one(tx, clock.now(), 500) == 0
        assert (await queries.DELETE_PROOFS.one(tx, later, 500) or 0) >= 2


async def test_what_the_server_offers_stands_in_its_metadata(store: Store, clock: FrozenClock) -> None:
    async with reached(store, clock) as http:
        found = (await http.get("/.well-known/oauth-authorization-server")).json()
    assert found["issuer"] == ORIGIN
    assert found["token_endpoint"] == TOKEN_URL
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert "none" not in found["dpop_signing_alg_values_supported"]
    assert not [alg for alg in found["dpop_signing_alg_values_supported"] if alg.startswith("HS")]
    assert "client_credentials" in found["grant_types_supported"]


async def test_a_changed_key_of_the_register_counts_at_once(store: Store, clock: FrozenClock) -> None:
    partner = await make_partner(store, clock)
    client = await client_by_id(store, partner.client_id)
    assert client.jwks is not None
    assert '"d"' not in client.jwks
