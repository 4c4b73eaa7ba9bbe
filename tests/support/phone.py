"""A citizen's phone: the two device keys, the HOTP secret and the texts they sign."""

import base64
import hashlib
import hmac
import json
import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from identity.devices import Enrolled, NewDevice, enrolment_text
from identity.sessions import Tokens, refresh_text
from identity.signatures import Jwk


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class DeviceKey:
    """An ES256 key as a phone's key store holds it."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @classmethod
    def from_jwk(cls, text: str) -> "DeviceKey":
        """The key of a private JWK, as the demo's sheet carries it."""
        parts = {
            name: base64.urlsafe_b64decode(value + "=")
            for name, value in json.loads(text).items()
            if name in {"x", "y", "d"}
        }
        key = cls.__new__(cls)
        key._key = ec.derive_private_key(int.from_bytes(parts["d"]), ec.SECP256R1())
        return key

    @property
    def jwk(self) -> Jwk:
        numbers = self._key.public_key().public_numbers()
        return Jwk(x=base64url(numbers.x.to_bytes(32)), y=base64url(numbers.y.to_bytes(32)))

    def sign(self, text: bytes) -> str:
        r, s = decode_dss_signature(self._key.sign(text, ec.ECDSA(SHA256())))
        return base64url(r.to_bytes(32) + s.to_bytes(32))


class Phone:
    """The app of one person on one phone. Set up by `enrolled` after the server took the new device."""

    def __init__(self) -> None:
        self.refresh_key = DeviceKey()
        self.step_up_key = DeviceKey()
        self.patient_id: UUID | None = None
        self.device_id: UUID | None = None
        self.hotp_secret = b""

    def new_device(self, challenge: str, name: str = "Máy thử") -> NewDevice:
        """The enrolment request; challenge is the activation code or the sign-in's challenge id."""
        text = enrolment_text(challenge, self.refresh_key.jwk, self.step_up_key.jwk)
        return NewDevice(
            name=name,
            user_present=True,
            refresh_key=self.refresh_key.jwk,
            refresh_proof=self.refresh_key.sign(text),
            step_up_key=self.step_up_key.jwk,
            step_up_proof=self.step_up_key.sign(text),
        )

    def enrolled(self, patient_id: UUID, answer: Enrolled) -> None:
        self.patient_id, self.device_id = patient_id, answer.device_id
        self.hotp_secret = base64.urlsafe_b64decode(answer.hotp_secret + "=" * (-len(answer.hotp_secret) % 4))

    def act(self, typ: str, body: dict[str, Any], now: datetime, /, **changes: Any) -> bytes:
        """The JCS text of a step-up act: the common members, then `body`, then `changes`."""
        instant = int(now.timestamp())
        common = {
            "typ": typ,
            "environment": "test",
            "patient_id": str(self.patient_id),
            "device_id": str(self.device_id),
            "nonce": base64url(secrets.token_bytes(16)),
            "iat": instant,
            "exp": instant + 120,
        }
        return rfc8785.dumps(common | body | changes)

    def sign_step_up(self, typ: str, body: dict[str, Any], now: datetime) -> tuple[bytes, str]:
        """(signed text, signature) of a step-up act."""
        text = self.act(typ, body, now)
        return text, self.step_up_key.sign(text)

    def sign_refresh(self, tokens: Tokens, now: datetime) -> tuple[str, int, str]:
        """(refresh token, iat, signature) for POST /v1/auth/refresh."""
        token, issued_at = tokens.refresh_token or "", int(now.timestamp())
        return token, issued_at, self.refresh_key.sign(refresh_text(token, issued_at))

    def hotp(self, text: bytes, digits: int = 8) -> str:
        """Tier C: HOTP(device secret, first 64 bits of SHA-256 of the request text) (security.md S5)."""
        counter = hashlib.sha256(text).digest()[:8]
        raw = hmac.digest(self.hotp_secret, counter, "sha1")
        offset = raw[-1] & 0xF
        return str((int.from_bytes(raw[offset : offset + 4]) & 0x7FFFFFFF) % 10**digits).zfill(digits)
