"""Reads HC1 certificates with software of others, in its environment: `cwt` or `pycose`, and `base45`.

In: [{text, key (PEM), alg}] as JSON. Out: `valid`, `invalid` or an error for each.
"""

import json
import sys
import zlib

import base45


def by_cwt(raw: bytes, pem: str, alg: str) -> bool:
    import cbor2
    from cwt import COSE, COSEKey, VerifyError

    kid = cbor2.loads(cbor2.loads(raw).value[0])[4]
    key = COSEKey.from_pem(pem, alg=alg, kid=kid)
    try:
        payload = COSE.new().decode(raw, key)
    except VerifyError:
        return False
    return -260 in (payload if isinstance(payload, dict) else cbor2.loads(payload))


def by_pycose(raw: bytes, pem: str, alg: str) -> bool:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from pycose.keys import EC2Key, RSAKey
    from pycose.messages import Sign1Message

    message = Sign1Message.decode(raw)
    numbers = load_pem_public_key(pem.encode()).public_numbers()
    if alg == "ES256":
        x, y = (value.to_bytes(32, "big") for value in (numbers.x, numbers.y))
        message.key = EC2Key(crv="P_256", x=x, y=y)
    else:
        e, n = (value.to_bytes((value.bit_length() + 7) // 8, "big") for value in (numbers.e, numbers.n))
        message.key = RSAKey(n=n, e=e)
    return message.verify_signature()


def main() -> None:
    judge = {"cwt": by_cwt, "pycose": by_pycose}[sys.argv[1]]
    answers = []
    for case in json.load(sys.stdin):
        try:
            raw = zlib.decompress(base45.b45decode(case["text"].removeprefix("HC1:")))
            answers.append("valid" if judge(raw, case["key"], case["alg"]) else "invalid")
        except Exception as error:
            answers.append(f"{type(error).__name__}: {error}")
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
