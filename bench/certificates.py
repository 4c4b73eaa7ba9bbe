"""certificate.text, certificate.verify, certificate.read: HC1 certificates against the same through `cwt`.

Text: claims → CBOR, signature (ES256), envelope, zlib, base45. Verify: text → signature and claims, which is
what the peer does. Read: the verdict as the service gives it, with schema, value sets, revocation hashes and
every other step besides, of which the peer does none.
The peer uses the `base45` package beside `cwt`, in a process of its own that waits while we are measured.
"""

import base64
import json
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import IO, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from bench.results import Result, compare
from tests.support.peers import peers_python
from vaccination.hc1 import cbor, cose
from vaccination.hc1.claims import COUNTRY, ISSUER, Name, Vaccination, cwt, dcc_map
from vaccination.hc1.names import icao
from vaccination.hc1.uvci import new_uvci
from vaccination.signer.key_files import SignerKeys
from vaccination.trust.models import TrustedKey
from vaccination.verify.judging import Known, judge
from vaccination.verify.signatures import holds
from vaccination.verify.texts import read as read_text

TEXT: Final = "certificate.text"
VERIFY: Final = "certificate.verify"
READ: Final = "certificate.read"
# vaccination.md §9 for the same work. Of the third ours, for more work than theirs: no slower than this.
TARGETS: Final = {TEXT: 1.8, VERIFY: 1.1, READ: 0.8}
ROUNDS: Final = 15
CERTIFICATES: Final = 200
KID: Final = b"8 bytes."
PEER: Final = Path(__file__).parent / "certificate_peer.py"


def measure() -> list[Result]:
    """Certificates per second of processor time, in turns."""
    key = ec.generate_private_key(ec.SECP256R1())
    issued = datetime(2026, 5, 4, tzinfo=UTC)
    said = [_dcc(number) for number in range(CERTIFICATES)]
    signer = SignerKeys({"hc1.0001": key}, demo=True)

    def made() -> list[str]:
        return [_text(signer, dcc, issued) for dcc in said]

    texts = made()
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def verified() -> None:
        for text in texts:
            assert _is_verified(text, spki)

    known = Known(keys=(_trusted(spki),), is_revoked=False)

    def read() -> None:
        for text in texts:
            assert judge(read_text(text), known, issued).status == "VERIFIED"

    ours: dict[str, list[float]] = {TEXT: [], VERIFY: [], READ: []}
    theirs: dict[str, list[float]] = {TEXT: [], VERIFY: [], READ: []}
    with _peer(key, said, int(issued.timestamp())) as peer:
        assert peer.stdin is not None
        assert peer.stdout is not None
        for _ in range(ROUNDS):
            for name, work in ((TEXT, made), (VERIFY, verified), (READ, read)):
                ours[name].append(CERTIFICATES / _seconds(work))
                asked = "make" if name == TEXT else "verify"
                theirs[name].append(CERTIFICATES / _ask(peer.stdin, peer.stdout, asked))
        peer.stdin.close()
    return [
        compare(
            name, ours=ours[name], against="cwt", theirs=theirs[name], target=target, unit="certificates/s"
        )
        for name, target in TARGETS.items()
    ]


def _dcc(number: int) -> dict[str, Any]:
    name = Name(fn="Nguyễn", fnt=icao("Nguyễn"), gn="Bảo Duy", gnt=icao("Bảo Duy"))
    dose = Vaccination(
        vp="1119349007",
        mp="EU/1/20/1528",
        ma="ORG-100030215",
        dn=2,
        sd=2,
        dt=date(2021, 9, 1) + timedelta(days=number),
        co=COUNTRY,
        is_="Bộ Y tế",
        ci=new_uvci(COUNTRY),
    )
    return dcc_map(name, "1984-02-29", dose)


def _text(signer: SignerKeys, dcc: dict[str, Any], issued: datetime) -> str:
    protected = cose.protected_header(cose.ES256, KID)
    payload = cwt(dcc, COUNTRY, issued, issued + timedelta(days=365))
    return cose.pack(protected, payload, signer.sign("hc1.0001", cose.to_be_signed(protected, payload)))


def _is_verified(text: str, spki: bytes) -> bool:
    parsed = cose.unpack(text)
    signed = cose.to_be_signed(parsed.protected, parsed.payload)
    claims = cbor.decode(parsed.payload)
    return claims[ISSUER] == COUNTRY and holds(spki, cose.ES256, parsed.signature, signed)


def _trusted(spki: bytes) -> TrustedKey:
    return TrustedKey(kid=base64.b64encode(KID).decode(), purpose="hc1", spki=spki, country=COUNTRY)


def _peer(
    key: ec.EllipticCurvePrivateKey, said: list[dict[str, Any]], issued: int
) -> "subprocess.Popen[str]":
    peer = subprocess.Popen(
        [str(peers_python()), str(PEER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    given = {"key": private, "public": public, "kid": KID.hex(), "issued": issued, "certificates": said}
    assert peer.stdin is not None
    peer.stdin.write(json.dumps(given) + "\n")
    peer.stdin.flush()
    return peer


def _ask(stdin: IO[str], stdout: IO[str], what: str) -> float:
    stdin.write(what + "\n")
    stdin.flush()
    return float(stdout.readline())


def _seconds(work: Callable[[], object]) -> float:
    begun = process_time()
    work()
    return process_time() - begun
