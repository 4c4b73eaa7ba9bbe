"""Must show: a request without an issuance row is refused. And twice, other bytes or shape, over budget."""

import asyncio
import json
import re
from datetime import timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from kernel.ids import uuid7
from store.database import Store
from store.postgres import Server
from tests.support.clock import FrozenClock
from tests.support.dcc import (
    ask,
    base64url,
    certificate_bytes,
    health_card_bytes,
)
from tests.support.signing_process import RunningSigner, load_certificate, running_signer
from vaccination.signer.client import SocketSigner
from vaccination.signer.issuances import close_issuances
from vaccination.signer.models import DocumentSigner
from vaccination.signer.ports import Shape, SignerError
from vaccination.signer.shapes import AGE_MAX


async def reason_of(
    signer: RunningSigner, issuance: UUID, person: UUID, key: DocumentSigner, shape: Shape, data: bytes
) -> str:
    with pytest.raises(SignerError) as caught:
        await signer.sign(issuance, person, key.key_id, shape, data)
    return caught.value.reason


async def rows_of(owner: Store, key: DocumentSigner) -> tuple[int, int]:
    """Signatures in the log and charged to the budget, of one key."""
    async with owner.transaction() as tx:
        logged = await tx.fetchval(
            "SELECT count(*) FROM signing_event WHERE entry::json ->> 'key' = $1", key.key_id
        )
        charged = await tx.fetchval("SELECT sum(signatures) FROM signing_day WHERE key_id = $1", key.key_id)
    return logged, charged or 0


def holds(key: DocumentSigner, signature: bytes, data: bytes) -> bool:
    public = load_certificate(key).public_key()
    if isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, data, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())
        return len(signature) == 256
    assert isinstance(public, ec.EllipticCurvePublicKey)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    public.verify(encode_dss_signature(r, s), data, ec.ECDSA(SHA256()))
    return len(signature) == 64


@pytest.mark.parametrize("alg", ["ES256", "PS256"])
async def test_a_certificate_with_its_row_is_signed(
    store: Store, owner: Store, signer: RunningSigner, clock: FrozenClock, alg: str
) -> None:
    key = signer.of("hc1", alg)  # type: ignore[arg-type]
    data = certificate_bytes(key, clock.now())
    issuance, person = await ask(store, key, data, clock.now())
    assert holds(key, await signer.sign(issuance, person, key.key_id, "cose", data), data)
    assert await rows_of(owner, key) == (1, 1)


async def test_a_health_card_with_its_row_is_signed(
    store: Store, signer: RunningSigner, clock: FrozenClock
) -> None:
    key = signer.of("shc")
    data = health_card_bytes(key, clock.now())
    issuance, person = await ask(store, key, data, clock.now())
    assert holds(key, await signer.sign(issuance, person, key.key_id, "jws", data), data)


async def test_s28_without_a_row_nothing_is_signed(
    store: Store, owner: Store, signer: RunningSigner, clock: FrozenClock
) -> None:
    key = signer.of("hc1")
    data = certificate_bytes(key, clock.now())
    nobody = uuid7(clock.now())
    assert await reason_of(signer, nobody, nobody, key, "cose", data) == "no-issuance"
    issuance, _ = await ask(store, key, data, clock.now())
    assert await reason_of(signer, issuance, nobody, key, "cose", data) == "no-issuance"
    assert await rows_of(owner, key) == (0, 0)


async def test_s28_a_row_is_good_for_one_signature(
    store: Store, owner: Store, signer: RunningSigner, clock: FrozenClock
) -> None:
    key = signer.of("hc1")
    data = certificate_bytes(key, clock.now())
    issuance, person = await ask(store, key, data, clock.now())
    calls = [signer.sign(issuance, person, key.key_id, "cose", data) for _ in range(10)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert len([one for one in answers if isinstance(one, bytes)]) == 1
    refused = [one.reason for one in answers if isinstance(one, SignerError)]
    assert refused == ["already-signed"] * 9
    assert await rows_of(owner, key) == (1, 1)


async def test_s28_a_row_made_again_after_its_end_is_refused_by_the_log(
    store: Store, owner: Store, signer: RunningSigner, clock: FrozenClock
) -> None:
    """Whoever could delete or unmark rows gets no second signature for one of them."""
    key = signer.of("hc1")
    data = certificate_bytes(key, clock.now())
    issuance, person = await ask(store, key, data, clock.now())
    await signer.sign(issuance, person, key.key_id, "cose", data)
    async with owner.transaction() as tx:
        await tx.execute("UPDATE certificate_issuance SET signed_at = NULL WHERE issuance_id = $1", issuance)
    assert await reason_of(signer, issuance, person, key, "cose", data) == "already-signed"
    assert await rows_of(owner, key) == (1, 1)


async def test_s28_a_row_that_was_given_up_is_not_signed(
    store: Store, owner: Store, signer: RunningSigner, clock: FrozenClock
) -> None:
    for key, shape, make in (
        (signer.of("hc1"), "cose", certificate_bytes),
        (signer.of("shc"), "jws", health_card_bytes),
    ):
        data = make(key, clock.now())
        issuance, person = await ask(store, key, data, clock.now())
        async with store.transaction() as tx:
            await close_issuances(tx, person, [issuance], clock.now())
        assert await reason_of(signer, issuance, person, key, shape, data) == "given-up"  # type: ignore[arg-type]
        assert await rows_of(owner, key) == (0, 0)


async def test_s28_what_was_left_lying_is_not_signed(
    store: Store, signer: RunningSigner, clock: FrozenClock
) -> None:
    made: list[tuple[DocumentSigner, Shape, bytes]] = [
        (signer.of("hc1"), "cose", certificate_bytes(signer.of("hc1"), clock.now())),
        (signer.of("shc"), "jws", health_card_bytes(signer.of("shc"), clock.now())),
    ]
    rows = [await ask(store, key, data, clock.now()) for key, _, data in made]
    clock.advance(seconds=AGE_MAX.total_seconds() + 1)
    for (key, shape, data), (issuance, person) in zip(made, rows, strict=True):
        assert await reason_of(signer, issuance, person, key, shape, data) == "other-shape"


async def test_s28_other_bytes_than_the_rows_are_refused(
    store: Store, signer: RunningSigner, clock: FrozenClock
) -> None:
    key = signer.of("hc1")
    issuance, person = await ask(store, key, certificate_bytes(key, clock.now()), clock.now())
    other = certificate_bytes(key, clock.now())
    assert await reason_of(signer, issuance, person, key, "cose", other) == "other-bytes"


async def test_s28_another_key_or_purpose_than_the_rows_is_refused(
    store: Store, signer: RunningSigner, clock: FrozenClock
) -> None:
    now, key, other, cards = clock.now(), signer.of("hc1"), signer.of("hc1", "PS256"), signer.of("shc")
    for wrong, shape, data in (
        (other, "cose", certificate_bytes(other, now)),
        (cards, "jws", health_card_bytes(cards, now)),
    ):
        issuance, person = await ask(store, key, data, now)
        assert await reason_of(signer, issuance, person, wrong, shape, data) == "other-shape"  # type: ignore[arg-type]


async def test_s28_each_key_signs_only_its_own_form(
    store: Store, owner: Store, signer: RunningSigner, clock: FrozenClock
) -> None:
    """A health card under a certificate's key, and a certificate under a health card's."""
    now, key, cards = clock.now(), signer.of("hc1"), signer.of("shc")
    offered: list[tuple[DocumentSigner, Shape, bytes]] = [
        (key, "jws", health_card_bytes(cards, now)),
        (key, "cose", health_card_bytes(cards, now)),
        (cards, "cose", certificate_bytes(key, now)),
        (cards, "jws", certificate_bytes(key, now)),
        (key, "cose", b"any text that somebody wants signed"),
        (cards, "jws", base64url(b'{"alg":"ES256","typ":"consent+jws"}') + b"." + base64url(b"{}")),
    ]
    for wrong, shape, data in offered:
        issuance, person = await ask(store, wrong, data, now)
        assert await reason_of(signer, issuance, person, wrong, shape, data) == "other-shape"
    assert await rows_of(owner, key) == (0, 0)
    assert await rows_of(owner, cards) == (0, 0)


async def test_s28_a_full_day_signs_no_more_and_the_next_one_does(
    server: Server, database: str, store: Store, owner: Store, clock: FrozenClock
) -> None:
    async with running_signer(server, database, owner, clock, daily_budget=2) as signer:
        key = signer.of("hc1")

        async def one() -> bytes:
            data = certificate_bytes(key, clock.now())
            issuance, person = await ask(store, key, data, clock.now())
            return await signer.sign(issuance, person, key.key_id, "cose", data)

        await one()
        await one()
        with pytest.raises(SignerError, match="over-budget"):
            await one()
        assert await rows_of(owner, key) == (2, 2)
        clock.advance(days=1)
        await one()
        assert await rows_of(owner, key) == (3, 3)


async def test_s28_a_key_signs_within_its_use_alone(
    store: Store, owner: Store, signer: RunningSigner, clock: FrozenClock
) -> None:
    key = signer.of("hc1")

    async def reason() -> str:
        data = certificate_bytes(key, clock.now())
        issuance, person = await ask(store, key, data, clock.now())
        return await reason_of(signer, issuance, person, key, "cose", data)

    start = clock.now()
    clock.set(key.sign_until)
    assert await reason() == "unknown-key"
    clock.set(key.not_before - timedelta(seconds=1))
    assert await reason() == "unknown-key"
    clock.set(start)
    async with owner.transaction() as tx:
        await tx.execute("UPDATE document_signer SET retired_at = $1 WHERE key_id = $2", start, key.key_id)
    assert await reason() == "unknown-key"


async def test_s28_a_key_that_is_not_the_certified_one_signs_nothing_and_spends_nothing(
    store: Store, owner: Store, signer: RunningSigner, clock: FrozenClock
) -> None:
    """Somebody who can write the table of signers names another certificate for a key."""
    key, other = signer.of("hc1"), signer.of("shc")
    async with owner.transaction() as tx:
        await tx.execute(
            "UPDATE document_signer SET certificate = $1 WHERE key_id = $2", other.certificate, key.key_id
        )
    data = certificate_bytes(key, clock.now())
    issuance, person = await ask(store, key, data, clock.now())
    assert await reason_of(signer, issuance, person, key, "cose", data) == "unknown-key"
    assert await rows_of(owner, key) == (0, 0)


async def test_without_a_signer_the_service_is_told_so(signer: RunningSigner, clock: FrozenClock) -> None:
    nobody = uuid7(clock.now())
    away = SocketSigner(signer.directory / "other.sock")
    with pytest.raises(SignerError, match="unreachable"):
        await away.sign(nobody, nobody, "hc1.0001", "cose", b"")


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00\x00\x03abc", b"\xff\xff\xff\xff", b"\x00\x00", b""]
)
async def test_what_speaks_another_language_is_left_alone(signer: RunningSigner, sent: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(signer.directory / "signer.sock")
    writer.write(sent)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()


async def test_the_socket_and_the_keys_are_closed_to_others(signer: RunningSigner) -> None:
    assert (signer.directory / "signer.sock").stat().st_mode & 0o007 == 0
    for path in (signer.directory / "keys").iterdir():
        assert path.stat().st_mode & 0o077 == 0


async def test_a_socket_lies_as_deep_as_it_likes(
    signer: RunningSigner, store: Store, clock: FrozenClock
) -> None:
    deep = signer.directory / ("d" * 60) / ("e" * 60) / "signer.sock"
    await signer.server.close()
    await signer.server.open(deep)
    key = signer.of("hc1")
    data = certificate_bytes(key, clock.now())
    issuance, person = await ask(store, key, data, clock.now())
    assert await SocketSigner(deep).sign(issuance, person, key.key_id, "cose", data)


async def test_the_log_names_the_signature_and_nobody(
    store: Store, owner: Store, signer: RunningSigner, clock: FrozenClock
) -> None:
    key = signer.of("hc1")
    data = certificate_bytes(key, clock.now())
    issuance, person = await ask(store, key, data, clock.now())
    await signer.sign(issuance, person, key.key_id, "cose", data)
    async with owner.transaction() as tx:
        entry = await tx.fetchval("SELECT entry FROM signing_event WHERE issuance_id = $1", issuance)
    assert json.loads(entry).keys() == {"at", "issuance", "key", "sha256"}
    assert str(person) not in entry
    assert not re.search("NGUYEN|Nguy", entry)
