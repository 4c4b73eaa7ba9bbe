"""PINs and passwords leave an older pepper when their owners sign in, by every door (security.md S15)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import msgspec
import pyotp
import pytest

from identity import passwords, queries
from identity.practitioners import keep_credential, prepare_credential
from identity.register import queries as register
from identity.resting import Resting, kept
from identity.rotation.service import count_under_pepper
from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.keys import KeyRing, add_key
from store.postgres import Server
from tests.support import browser as authenticator
from tests.support.clock import FrozenClock
from tests.support.entry import delivered
from tests.support.http import client_of
from tests.support.page_doors import sign_in, someone
from tests.support.pages import Browser
from tests.support.people import make_citizen, make_doctor, make_facility, new_phone_number
from tests.support.phone import Phone

Door = Callable[[str], Awaitable[httpx.Response]]


@pytest.fixture
async def store(
    server: Server, database: str, tmp_path: Path, blobs: FilesystemBlobs
) -> AsyncIterator[Store]:
    """With keys of its own, so that a second pepper is nobody else's."""
    keys = KeyRing.create(tmp_path / "keys", demo=True)
    opened = await open_store(server.dsn("hb_api", database), role="hb_api", keys=keys, blobs=blobs)
    yield opened
    await opened.close()


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    origin = authenticator.ORIGIN
    async with client_of(store, clock, allowed_hosts=["localhost"], app_origin=origin) as opened:
        yield opened


def new_pepper(store: Store, tmp_path: Path) -> None:
    add_key(tmp_path / "keys", "pepper")
    store.keys.look()


async def left_under(store: Store, key_id: str) -> int:
    async with store.transaction() as tx:
        return await count_under_pepper(tx, key_id)


async def citizen_door(store: Store, clock: FrozenClock, client: httpx.AsyncClient) -> tuple[Door, str]:
    citizen = await make_citizen(store, clock, phone_number=new_phone_number())

    async def enter(pin: str) -> httpx.Response:
        body = {"kind": "number", "value": citizen.number}
        started = await client.post("/v1/auth/sign-in/start", json=body)
        challenge = started.json()["challenge_id"]
        return await client.post(
            "/v1/auth/sign-in/verify",
            json={
                "challenge_id": challenge,
                "code": await delivered(store, clock, challenge),
                "device": msgspec.to_builtins(Phone().new_device(challenge)),
                "pin": pin,
            },
        )

    return enter, citizen.pin


async def practitioner_door(store: Store, clock: FrozenClock, client: httpx.AsyncClient) -> tuple[Door, str]:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))

    async def enter(password: str) -> httpx.Response:
        body = {"username": doctor.username, "password": password, "totp": doctor.totp(clock)}
        return await client.post("/v1/auth/practitioner/sign-in", json=body)

    return enter, doctor.password


async def operator_door(store: Store, clock: FrozenClock, client: httpx.AsyncClient) -> tuple[Door, str]:
    made = await prepare_credential(store.keys, clock.now())
    async with store.transaction() as tx:
        await register.INSERT_OPERATOR.one(tx, made.actor_id, "pepper.op", "Op", clock.now())
        await keep_credential(tx, store.keys, made, clock.now())

    async def enter(password: str) -> httpx.Response:
        totp = pyotp.TOTP(made.totp_secret).at(clock.now())
        body = {"username": "pepper.op", "password": password, "totp": totp}
        return await client.post("/v1/auth/operator/sign-in", json=body)

    return enter, made.password


@pytest.mark.parametrize("door", [citizen_door, practitioner_door, operator_door])
async def test_s15_who_signs_in_leaves_the_older_pepper_and_who_is_refused_does_not(
    store: Store,
    clock: FrozenClock,
    client: httpx.AsyncClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    door: Callable[[Store, FrozenClock, httpx.AsyncClient], Awaitable[tuple[Door, str]]],
) -> None:
    enter, secret = await door(store, clock, client)
    before = await left_under(store, "0001")
    new_pepper(store, tmp_path)
    hashed: list[str] = []
    work = passwords._hash

    def counted(stored: str, text: str) -> str:
        hashed.append(stored)
        return work(stored, text)

    monkeypatch.setattr(passwords, "_hash", counted)
    assert (await enter("000000")).status_code == 401
    assert hashed == [], "a refusal takes no longer than any other"
    assert await left_under(store, "0001") == before
    assert (await enter(secret)).status_code == 201
    assert (len(hashed), await left_under(store, "0001")) == (1, before - 1)
    clock.advance(minutes=2)
    assert (await enter(secret)).status_code == 201, "the same secret holds under the new pepper"
    assert len(hashed) == 1


async def test_s15_a_right_password_with_a_wrong_second_factor_takes_no_longer(
    store: Store,
    clock: FrozenClock,
    client: httpx.AsyncClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    new_pepper(store, tmp_path)
    monkeypatch.setattr(passwords, "_hash", None)
    wrong = f"{(int(doctor.totp(clock)) + 1) % 1_000_000:06d}"
    body = {"username": doctor.username, "password": doctor.password, "totp": wrong}
    assert (await client.post("/v1/auth/practitioner/sign-in", json=body)).status_code == 401


async def test_s15_a_page_moves_a_pin_too(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    citizen = await someone(store, clock)
    before = await left_under(store, "0001")
    new_pepper(store, tmp_path)
    await sign_in(store, clock, Browser(client), citizen)
    assert await left_under(store, "0001") == before - 1


async def test_s33_a_full_pool_spoils_no_sign_in_that_held(
    store: Store,
    clock: FrozenClock,
    client: httpx.AsyncClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enter, secret = await practitioner_door(store, clock, client)
    before = await left_under(store, "0001")
    new_pepper(store, tmp_path)
    pool = passwords.HashingPool(1)
    verify = pool.verify

    async def then_full(stored: str | None, text: str) -> bool:
        held = await verify(stored, text)
        pool._inside = 99
        return held

    monkeypatch.setattr(pool, "verify", then_full)
    monkeypatch.setattr(passwords, "POOL", pool)
    assert (await enter(secret)).status_code == 201
    assert await left_under(store, "0001") == before


async def test_s15_a_secret_that_was_chosen_meanwhile_is_not_put_back(
    store: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen = await make_citizen(store, clock)
    new_pepper(store, tmp_path)
    async with store.transaction() as tx:
        old = await tx.fetchval("SELECT pin_hash FROM citizen_pin WHERE patient_id = $1", citizen.patient_id)
    chosen = await passwords.hash_secret(store.keys, citizen.patient_id, "730162")
    async with store.transaction() as tx:
        await tx.execute(
            "UPDATE citizen_pin SET pin_hash = $2 WHERE patient_id = $1", citizen.patient_id, chosen
        )
    rests = Resting(queries.MOVE_PIN, citizen.patient_id, old)
    await asyncio.gather(*(kept(store.transaction, store.keys, rests, citizen.pin, None) for _ in range(2)))
    async with store.transaction() as tx:
        now = await tx.fetchval("SELECT pin_hash FROM citizen_pin WHERE patient_id = $1", citizen.patient_id)
    assert now == chosen
