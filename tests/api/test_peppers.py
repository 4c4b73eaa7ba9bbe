"""PINs and passwords leave an older pepper when their owners sign in, by every door (security.md S15)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import msgspec
import pyotp
import pytest
from structlog.testing import capture_logs

from identity import passwords, queries
from identity.practitioners import keep_credential, prepare_credential
from identity.register import queries as register
from identity.resting import Resting, kept
from identity.rotation.service import count_under_pepper
from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.key_life import retire
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


@dataclass(frozen=True)
class Here:
    """A service with a key directory of its own, so that a second pepper is nobody else's."""

    store: Store
    clock: FrozenClock
    client: httpx.AsyncClient
    keys: Path

    def add_pepper(self) -> None:
        add_key(self.keys, "pepper")
        self.store.keys.look()

    def destroy_first_pepper(self) -> None:
        retire(self.keys, "pepper", "0001")
        self.store.keys.look()

    async def left(self) -> int:
        """How much rests under the first pepper."""
        async with self.store.transaction() as tx:
            return await count_under_pepper(tx, "0001")


Opening = Callable[[Here], Awaitable[tuple[Door, str]]]


@pytest.fixture
async def store(
    server: Server, database: str, tmp_path: Path, blobs: FilesystemBlobs
) -> AsyncIterator[Store]:
    keys = KeyRing.create(tmp_path / "keys", demo=True)
    opened = await open_store(server.dsn("hb_api", database), role="hb_api", keys=keys, blobs=blobs)
    yield opened
    await opened.close()


@pytest.fixture
async def here(store: Store, clock: FrozenClock, tmp_path: Path) -> AsyncIterator[Here]:
    origin = authenticator.ORIGIN
    async with client_of(store, clock, allowed_hosts=["localhost"], app_origin=origin) as client:
        yield Here(store, clock, client, tmp_path / "keys")


async def citizen_door(here: Here) -> tuple[Door, str]:
    store, clock, client = here.store, here.clock, here.client
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


async def practitioner_door(here: Here) -> tuple[Door, str]:
    store, clock, client = here.store, here.clock, here.client
    doctor = await make_doctor(store, clock, await make_facility(store, clock))

    async def enter(password: str) -> httpx.Response:
        body = {"username": doctor.username, "password": password, "totp": doctor.totp(clock)}
        return await client.post("/v1/auth/practitioner/sign-in", json=body)

    return enter, doctor.password


async def operator_door(here: Here) -> tuple[Door, str]:
    store, clock, client = here.store, here.clock, here.client
    name = f"op.{uuid4().hex[:12]}"
    made = await prepare_credential(store.keys, clock.now())
    async with store.transaction() as tx:
        await register.INSERT_OPERATOR.one(tx, made.actor_id, name, "Op", clock.now())
        await keep_credential(tx, store.keys, made, clock.now())

    async def enter(password: str) -> httpx.Response:
        totp = pyotp.TOTP(made.totp_secret).at(clock.now())
        body = {"username": name, "password": password, "totp": totp}
        return await client.post("/v1/auth/operator/sign-in", json=body)

    return enter, made.password


by_every_door = pytest.mark.parametrize("opened", [citizen_door, practitioner_door, operator_door])


@asynccontextmanager
async def unmovable(owner: Store) -> AsyncIterator[None]:
    """Whoever moves a hash waits for a lock in vain."""
    held = (("citizen_pin", "pin_hash"), ("account_credential", "password_hash"))
    async with owner.transaction() as tx:
        await tx.execute(
            "CREATE FUNCTION refuse_move() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'lock_not_available'; END $$"
        )
        for table, column in held:
            await tx.execute(
                f"CREATE TRIGGER refuse_move BEFORE UPDATE OF {column} ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION refuse_move()"
            )
    try:
        yield
    finally:
        async with owner.transaction() as tx:
            await tx.execute("DROP FUNCTION refuse_move CASCADE")


@by_every_door
async def test_s15_who_signs_in_leaves_the_older_pepper_and_who_is_refused_does_not(
    here: Here, monkeypatch: pytest.MonkeyPatch, opened: Opening
) -> None:
    enter, secret = await opened(here)
    before = await here.left()
    here.add_pepper()
    hashed: list[str] = []
    work = passwords._hash

    def counted(stored: str, text: str) -> str:
        hashed.append(stored)
        return work(stored, text)

    monkeypatch.setattr(passwords, "_hash", counted)
    assert (await enter("000000")).status_code == 401
    assert hashed == [], "a refusal takes no longer than any other"
    assert await here.left() == before
    assert (await enter(secret)).status_code == 201
    assert (len(hashed), await here.left()) == (1, before - 1)
    here.clock.advance(minutes=2)
    assert (await enter(secret)).status_code == 201, "the same secret holds under the new pepper"
    assert len(hashed) == 1


async def test_s15_a_right_password_with_a_wrong_second_factor_takes_no_longer(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor = await make_doctor(here.store, here.clock, await make_facility(here.store, here.clock))
    here.add_pepper()
    monkeypatch.setattr(passwords, "_hash", None)
    wrong = f"{(int(doctor.totp(here.clock)) + 1) % 1_000_000:06d}"
    body = {"username": doctor.username, "password": doctor.password, "totp": wrong}
    assert (await here.client.post("/v1/auth/practitioner/sign-in", json=body)).status_code == 401


async def test_s15_a_page_moves_a_pin_too(here: Here) -> None:
    citizen = await someone(here.store, here.clock)
    before = await here.left()
    here.add_pepper()
    await sign_in(here.store, here.clock, Browser(here.client), citizen)
    assert await here.left() == before - 1


async def test_s33_a_full_pool_spoils_no_sign_in_that_held(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter, secret = await practitioner_door(here)
    before = await here.left()
    here.add_pepper()
    pool = passwords.HashingPool(1)
    verify = pool.verify

    async def then_full(stored: str | None, text: str) -> bool:
        held = await verify(stored, text)
        pool._inside = 99
        return held

    monkeypatch.setattr(pool, "verify", then_full)
    monkeypatch.setattr(passwords, "POOL", pool)
    assert (await enter(secret)).status_code == 201
    assert await here.left() == before


@by_every_door
async def test_s33_a_database_that_moves_no_hash_spoils_no_sign_in_that_held(
    here: Here, owner: Store, opened: Opening
) -> None:
    """Its session is there and its second factor used up: the same factors again would be refused."""
    enter, secret = await opened(here)
    before = await here.left()
    here.add_pepper()
    async with unmovable(owner):
        with capture_logs() as said:
            assert (await enter(secret)).status_code == 201
    assert await here.left() == before
    (line,) = [one for one in said if one["event"] == "hash_not_moved"]
    assert line == {"event": "hash_not_moved", "error": "LockNotAvailableError", "log_level": "warning"}


async def test_s33_a_pool_that_gives_no_connection_takes_nothing_from_what_held(
    server: Server, database: str, here: Here
) -> None:
    citizen = await make_citizen(here.store, here.clock)
    async with here.store.transaction() as tx:
        old = await queries.PIN_HASH.one(tx, citizen.patient_id)
    here.add_pepper()
    closed = await open_store(
        server.dsn("hb_api", database),
        role="hb_api",
        keys=here.store.keys,
        blobs=here.store.blobs,
        pool_min=0,
    )
    await closed.close()
    rests = Resting(queries.MOVE_PIN, citizen.patient_id, old)
    assert await kept(closed.transaction, here.store.keys, rests, citizen.pin, "held") == "held"


@by_every_door
async def test_s15_a_hash_that_came_back_under_a_destroyed_pepper_is_a_wrong_secret(
    here: Here, monkeypatch: pytest.MonkeyPatch, opened: Opening
) -> None:
    """A restored backup brings it back. An answer that nobody's name never gets would tell the two apart."""
    enter, secret = await opened(here)
    here.add_pepper()
    here.destroy_first_pepper()
    compared: list[str] = []
    work = passwords._holds

    def counted(stored: str, text: str) -> bool:
        compared.append(stored)
        return work(stored, text)

    monkeypatch.setattr(passwords, "_holds", counted)
    for typed in ("000000", secret):
        with capture_logs() as said:
            answer = await enter(typed)
        assert answer.status_code == 401
        assert "sign-in-refused" in answer.text
        assert {"event": "pepper_gone", "log_level": "error", "alert": True} in said
    assert len(compared) == 2, "it takes as long as any other"


async def test_s15_a_passcode_under_a_destroyed_pepper_is_a_wrong_one(here: Here) -> None:
    link_id, salt = uuid4(), passwords.new_salt(here.store.keys)
    kept_as = await passwords.stretched(here.store.keys, link_id, "730162", salt)
    here.add_pepper()
    assert await passwords.stretched(here.store.keys, link_id, "730162", salt) == kept_as
    here.destroy_first_pepper()
    assert await passwords.stretched(here.store.keys, link_id, "730162", salt) != kept_as


async def test_s15_a_secret_that_was_chosen_meanwhile_is_not_put_back(here: Here) -> None:
    citizen = await make_citizen(here.store, here.clock)
    here.add_pepper()
    async with here.store.transaction() as tx:
        old = await tx.fetchval("SELECT pin_hash FROM citizen_pin WHERE patient_id = $1", citizen.patient_id)
    chosen = await passwords.hash_secret(here.store.keys, citizen.patient_id, "730162")
    async with here.store.transaction() as tx:
        await tx.execute(
            "UPDATE citizen_pin SET pin_hash = $2 WHERE patient_id = $1", citizen.patient_id, chosen
        )
    rests = Resting(queries.MOVE_PIN, citizen.patient_id, old)
    await asyncio.gather(
        *(kept(here.store.transaction, here.store.keys, rests, citizen.pin, None) for _ in range(2))
    )
    async with here.store.transaction() as tx:
        now = await tx.fetchval("SELECT pin_hash FROM citizen_pin WHERE patient_id = $1", citizen.patient_id)
    assert now == chosen
