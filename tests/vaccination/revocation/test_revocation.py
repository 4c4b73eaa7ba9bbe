"""What names a certificate on a list, and the list of a key."""

import json
import zlib
from datetime import timedelta

import cbor2

from qr import base45
from store.database import Store
from tests.support.clock import START, FrozenClock
from tests.support.shared import shared
from vaccination.revocation import queries
from vaccination.revocation.hashes import ES256, card_hashes, hashes_of
from vaccination.revocation.service import PAGE, forget, is_revoked, list_heads, revoke, rids_of

KID = "2Rk3X8HntrI="
OTHER_KID = "AAAAAAAAAAA="
HASHES = hashes_of("VN", "URN:UVCI:01:VN:A#B", ES256, bytes(64))
YEAR = timedelta(days=365)


def test_an_ecdsa_signature_is_named_by_its_first_half_and_an_rsa_one_by_all_of_it() -> None:
    turned = bytes(32) + bytes([1] * 32)
    assert hashes_of("VN", "A", ES256, turned)["signature"] == HASHES["signature"]
    assert hashes_of("VN", "A", -37, turned)["signature"] != hashes_of("VN", "A", -37, bytes(64))["signature"]


async def test_a_certificate_is_found_by_each_of_its_hashes_and_no_other_is(store: Store) -> None:
    for kind, value in HASHES.items():
        kid = f"{kind}+AAAAAAA="
        async with store.transaction() as tx:
            assert not await is_revoked(tx, kid, HASHES)
            assert await revoke(tx, kid, {kind: value}, START + YEAR, START)
            assert await is_revoked(tx, kid, HASHES)
            assert not await is_revoked(tx, OTHER_KID, HASHES), "of another key"
            assert not await is_revoked(tx, kid, hashes_of("VN", "another", ES256, bytes([2] * 64)))
            assert not await is_revoked(tx, kid, {})


async def test_to_revoke_again_changes_no_list(store: Store) -> None:
    async with store.transaction() as tx:
        assert await revoke(tx, KID, HASHES, START + YEAR, START)
        before = await queries.HEAD.one(tx, KID)
        assert not await revoke(tx, KID, HASHES, START + YEAR, START)
        assert await queries.HEAD.one(tx, KID) == before
    assert before is not None
    assert before.changes == 1


async def test_a_card_list_has_every_rid_however_many_pages_they_are(store: Store) -> None:
    kid = "many-cards"
    rids = [f"rid{number:06}" for number in range(PAGE + 2)]
    async with store.transaction() as tx:
        for rid in reversed(rids):
            await revoke(tx, kid, card_hashes(rid), None, START)
        assert await rids_of(tx, kid) == (len(rids), rids)


async def test_entries_end_with_their_certificates_and_the_list_tells_of_it(fresh_store: Store) -> None:
    async with fresh_store.transaction() as tx:
        await revoke(tx, KID, HASHES, START + YEAR, START)
        await revoke(tx, KID, card_hashes("abc"), None, START)
        assert await forget(tx, START + YEAR, 500) == 0, "it ends at that instant, not before it"
        assert await forget(tx, START + YEAR + timedelta(seconds=1), 2) == 2
        assert await forget(tx, START + YEAR + timedelta(seconds=1), 2) == 1
        assert not await is_revoked(tx, KID, HASHES)
        assert await is_revoked(tx, KID, card_hashes("abc"))
        (head,) = await list_heads(tx)
    assert head.changes == 4


async def test_a_health_card_keys_list_counts_its_changes(store: Store, clock: FrozenClock) -> None:
    async with store.transaction() as tx:
        assert await rids_of(tx, "thumbprint") == (0, [])
        for rid in ("zz", "aa"):
            await revoke(tx, "thumbprint", card_hashes(rid), None, clock.now())
        assert await rids_of(tx, "thumbprint") == (2, ["aa", "zz"])


def test_the_hashes_of_the_two_public_vectors() -> None:
    for vector in json.loads(shared("data/dgc/revocation_vectors.json").read_bytes()):
        cose = cbor2.loads(zlib.decompress(base45.decode(vector["barcodeData"].removeprefix("HC1:"))))
        protected, _, payload, signature = cose.value
        claims = cbor2.loads(payload)
        ((entry,),) = (value for key, value in claims[-260][1].items() if key in ("v", "t", "r"))
        algorithm = cbor2.loads(protected)[1]
        assert {
            kind: value.hex()
            for kind, value in hashes_of(claims[1], entry["ci"], algorithm, signature).items()
        } == {
            "uci": vector["expUCI"],
            "country-uci": vector["expCOUNTRYCODEUCI"],
            "signature": vector["expSIGNATURE"],
        }
