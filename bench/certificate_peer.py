"""The same work through `cwt`, in its own environment (tests/interop/peers.lock): a round for each line that
comes in, its processor seconds out.

In, once: {key, public (PEM), kid (hex), issued, certificates}. Then `make` or `verify`, a line each.
"""

import json
import sys
import zlib
from time import process_time
from typing import Any

import base45
import cbor2
from cwt import COSE, COSEAlgs, COSEHeaders, COSEKey


def make(dcc: dict[str, Any], issued: int, key: COSEKey, kid: bytes) -> str:
    """Claims → HC1 text, as its documentation makes a EU DCC."""
    payload = cbor2.dumps({1: "VN", 4: issued + 31_536_000, 6: issued, -260: {1: dcc}})
    protected = {COSEHeaders.ALG: COSEAlgs.ES256, COSEHeaders.KID: kid}
    cose = COSE.new().encode_and_sign(payload, key, protected=protected)
    return "HC1:" + base45.b45encode(zlib.compress(cose, 9)).decode()


def verify(text: str, key: COSEKey) -> dict[int, Any]:
    """HC1 text → claims."""
    said: dict[int, Any] = cbor2.loads(COSE.new().decode(zlib.decompress(base45.b45decode(text[4:])), key))
    return said


def main() -> None:
    given = json.loads(sys.stdin.readline())
    kid = bytes.fromhex(given["kid"])
    signing = COSEKey.from_pem(given["key"], alg="ES256", kid=kid)
    verifying = COSEKey.from_pem(given["public"], alg="ES256", kid=kid)
    issued: int = given["issued"]
    texts = [make(dcc, issued, signing, kid) for dcc in given["certificates"]]
    for line in sys.stdin:
        begun = process_time()
        if line.strip() == "make":
            for dcc in given["certificates"]:
                make(dcc, issued, signing, kid)
        else:
            for text in texts:
                assert verify(text, verifying)[1] == "VN"
        print(process_time() - begun, flush=True)


if __name__ == "__main__":
    main()
