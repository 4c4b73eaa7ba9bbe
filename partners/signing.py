"""What leaves for partners is signed: a compact JWS (RFC 7515) of the key `partner`, told apart by `typ`.

Others check it with /.well-known/partner-keys.json. A signed text is never a token of ours: no audience but
the client takes it, and our own sign-in takes opaque tokens alone.
"""

from functools import lru_cache
from typing import Final, Literal, TypeAlias

from joserfc import jws
from joserfc.jwk import ECKey

from store.keys import KeyRing, PrivateKey

ALG: Final = "ES256"
SignedType: TypeAlias = Literal["ssk-partner-record+jws", "ssk-partner-paper+jws", "secevent+jwt"]


def sign(keys: KeyRing, typ: SignedType, payload: bytes) -> str:
    """The payload with its signature. kid: names the public key."""
    key_id, private = keys.signer("partner")
    return jws.serialize_compact({"alg": ALG, "kid": key_id, "typ": typ}, payload, _key(private), [ALG])


@lru_cache(maxsize=4)
def _key(private: PrivateKey) -> ECKey:
    return ECKey.import_key(private)  # type: ignore[arg-type]
