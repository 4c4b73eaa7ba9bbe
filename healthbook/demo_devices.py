"""The phones of the demo's citizens: keys made here, enrolled by the same service as everybody's."""

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from identity.devices import NewDevice, enrolment_text
from identity.signatures import Jwk
from identity.tokens import from_base64url, to_base64url

_COORDINATE_BYTES = 32


class DemoPhone:
    """A phone with its two device keys (security.md S11)."""

    def __init__(self, refresh_key: str | None = None, step_up_key: str | None = None) -> None:
        """A new phone, or the one of these private JWK texts of the sheet."""
        self._refresh = _from_jwk(refresh_key) if refresh_key else ec.generate_private_key(ec.SECP256R1())
        self._step_up = _from_jwk(step_up_key) if step_up_key else ec.generate_private_key(ec.SECP256R1())

    def enrolment(self, challenge: str) -> NewDevice:
        """What the phone sends to be enrolled; `challenge` is the activation code."""
        refresh, step_up = _public_jwk(self._refresh), _public_jwk(self._step_up)
        text = enrolment_text(challenge, refresh, step_up)
        return NewDevice(
            name="Điện thoại minh họa",
            user_present=True,
            refresh_key=refresh,
            refresh_proof=_sign(self._refresh, text),
            step_up_key=step_up,
            step_up_proof=_sign(self._step_up, text),
        )

    def sign_act(self, text: bytes) -> str:
        """The step-up key's signature over the JCS text of an act."""
        return _sign(self._step_up, text)

    def sign_refresh(self, text: bytes) -> str:
        """The refresh key's signature over the text of a refresh."""
        return _sign(self._refresh, text)

    def private_keys(self) -> tuple[str, str]:
        """Refresh and step-up key as private JWK texts (RFC 7517)."""
        return _private_jwk(self._refresh), _private_jwk(self._step_up)


def _public_jwk(key: ec.EllipticCurvePrivateKey) -> Jwk:
    numbers = key.public_key().public_numbers()
    return Jwk(x=_coordinate(numbers.x), y=_coordinate(numbers.y))


def _private_jwk(key: ec.EllipticCurvePrivateKey) -> str:
    public = msgspec.to_builtins(_public_jwk(key))
    private = _coordinate(key.private_numbers().private_value)
    return msgspec.json.encode({**public, "d": private}).decode()


def _from_jwk(text: str) -> ec.EllipticCurvePrivateKey:
    raw = from_base64url(msgspec.json.decode(text, type=dict[str, str])["d"])
    assert raw is not None
    return ec.derive_private_key(int.from_bytes(raw), ec.SECP256R1())


def _sign(key: ec.EllipticCurvePrivateKey, text: bytes) -> str:
    """r‖s, base64url (RFC 7515)."""
    r, s = decode_dss_signature(key.sign(text, ec.ECDSA(SHA256())))
    return to_base64url(r.to_bytes(_COORDINATE_BYTES) + s.to_bytes(_COORDINATE_BYTES))


def _coordinate(value: int) -> str:
    return to_base64url(value.to_bytes(_COORDINATE_BYTES))
