"""partner.export: all four groups of a person, signed for a partner, against the doctor's summary.

Each request carries a proof (RFC 9449) and a msg_id of its own, made before the clock starts: what the server
checks of them is part of what is measured.
"""

import base64
import hashlib
import json
import secrets
import sys
from datetime import timedelta
from pathlib import Path
from statistics import median
from uuid import UUID

from joserfc import jws
from joserfc.jwk import ECKey
from msgspec import Struct

from bench.ehr_summary import doctor_requests
from bench.load import measure as load
from bench.results import Result, compare
from bench.server import serving
from bench.world import Patient, World
from consent.apps import service as apps
from consent.apps.models import AppConsent
from consent.decision import decide
from identity.app_clients import service as register
from identity.app_clients import sessions
from identity.app_clients.models import AppClient, NewAppClient
from kernel.access import PARTNER_GROUPS, Access
from kernel.clock import SystemClock
from store.database import Store

NAME = "partner.export"
TARGET = 0.5
ROUNDS = 7
SECONDS = 1.0
# More than any machine answers in a round: none is ever sent twice, and a proof counts once.
REQUESTS = 1_500
PATH = "/v1/partner/disclosures"


class Let(Struct, frozen=True):
    """A partner with its token, and the consents of the crowd."""

    token: str
    key: ECKey
    references: list[UUID]


async def prepare(world: World) -> Let:
    """A partner that everybody of the crowd let have all four groups."""
    key, now = ECKey.generate_key("P-256"), SystemClock().now()
    public = {name: str(value) for name, value in key.as_dict(private=False).items()}
    async with world.store.transaction() as tx:
        entry = NewAppClient(
            kind="partner",
            name="Đối tác Đo Lường",
            holder="Đo Lường",
            auth="private_key_jwt",
            jwks={"keys": [dict(public)]},
            groups_max=list(PARTNER_GROUPS),
            quota_per_day=1_000_000,
            quota_per_minute=10_000,
        )
        client_id = await register.enter(tx, entry, now)
        assert isinstance(client_id, UUID), client_id
        client = await register.live_client(tx, client_id)
        assert client is not None
        tokens = await sessions.open_session(
            tx, client_id, scope="", jkt=key.thumbprint(), reference=None, with_refresh=False, now=now
        )
    given = [await _let_in(world.store, one, client) for one in world.patients]
    return Let(tokens.access_token, key, [one.reference for one in given])


async def _let_in(store: Store, patient: Patient, client: AppClient) -> AppConsent:
    now, actor = SystemClock().now(), patient.citizen.actor
    async with store.transaction() as tx:
        access = await decide(tx, actor, patient.patient_id, "connect-app", "PATRQT", now, keys=store.keys)
        assert isinstance(access, Access), access
        given = await apps.give(
            tx,
            store.keys,
            access,
            client,
            groups=frozenset(PARTNER_GROUPS),
            ends_at=now + timedelta(days=1),
            trace_id="bench",
            now=now,
        )
    assert isinstance(given, AppConsent), given
    return given


def measure(world: World, let: Let, directory: Path) -> Result:
    """Rounds by turns on one server: the partner's, and the doctor's."""
    ours, theirs, volumes = [], [], list[float]()
    with serving(world.data, "--no-worker") as port:
        summaries = doctor_requests(world, world.patients)
        load(port, summaries, directory, SECONDS)
        load(port, _requests(let, port), directory, SECONDS)
        for _ in range(ROUNDS):
            mine = load(port, _requests(let, port), directory, SECONDS)
            other = load(port, summaries, directory, SECONDS)
            ours.append(mine.rate(200))
            theirs.append(other.rate(200))
            volumes.append(mine.body_bytes / mine.seconds / (other.body_bytes / other.seconds))
    # An answer holds half as much again as a summary; the target is judged on answers.
    print(f"... {NAME}: {median(volumes):.2f} of its bytes a second", file=sys.stderr, flush=True)
    return compare(
        NAME, ours=ours, against="doctor's summary", theirs=theirs, target=TARGET, unit="requests/s"
    )


def _requests(let: Let, port: int) -> list[bytes]:
    """Raw requests of one round: proofs live a minute."""
    people = let.references
    return [_request(let, port, people[number % len(people)]) for number in range(REQUESTS)]


def _request(let: Let, port: int, reference: UUID) -> bytes:
    body = json.dumps(
        {"msg_id": secrets.token_hex(16), "consent": str(reference), "groups": list(PARTNER_GROUPS)}
    ).encode()
    lines = [
        f"POST {PATH} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: DPoP {let.token}",
        f"DPoP: {_proof(let, f'http://localhost:{port}{PATH}')}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def _proof(let: Let, url: str) -> str:
    jwk = {name: let.key.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}
    digest = hashlib.sha256(let.token.encode()).digest()
    claims = {
        "jti": secrets.token_urlsafe(16),
        "htm": "POST",
        "htu": url,
        "iat": int(SystemClock().now().timestamp()),
        "ath": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
    }
    header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": jwk}
    return jws.serialize_compact(header, json.dumps(claims).encode(), let.key)
