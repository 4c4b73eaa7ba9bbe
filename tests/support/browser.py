"""A browser with a platform authenticator: WebAuthn registration and assertion without a device."""

import hashlib
import json
import secrets
from uuid import UUID

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from identity.devices import NewDevice, enrolment_text
from tests.support.phone import DeviceKey, base64url

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


ORIGIN = "http://localhost:8000"


class Browser:
    """One credential for `rp_id`, used at `origin`; the refresh key is a WebCrypto key."""

    def __init__(self, rp_id: str = "localhost", origin: str = ORIGIN) -> None:
        self.rp_id, self.origin = rp_id, origin
        self.refresh_key = DeviceKey()
        self.credential_id = secrets.token_bytes(16)
        self.sign_count = 1
        self.device_id: UUID | None = None
        self._key = ec.generate_private_key(ec.SECP256R1())

    def new_device(self, challenge: str, *, user_verified: bool = True) -> NewDevice:
        text = enrolment_text(challenge, self.refresh_key.jwk, None)
        return NewDevice(
            kind="browser",
            name="Trình duyệt thử",
            user_present=True,
            refresh_key=self.refresh_key.jwk,
            refresh_proof=self.refresh_key.sign(text),
            step_up_registration=self.register(text, user_verified=user_verified),
        )

    def register(self, text: bytes, *, user_verified: bool = True) -> str:
        """The JSON of navigator.credentials.create()."""
        numbers = self._key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)})
        attested = bytes(16) + len(self.credential_id).to_bytes(2) + self.credential_id + cose
        flags = USER_PRESENT | ATTESTED | (USER_VERIFIED if user_verified else 0)
        data = self._authenticator_data(flags) + attested
        return self._credential(
            {
                "clientDataJSON": base64url(self._client_data("webauthn.create", text)),
                "attestationObject": base64url(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
            }
        )

    def approve(self, text: bytes) -> str:
        """The JSON of navigator.credentials.get() over a step-up text."""
        self.sign_count += 1
        data = self._authenticator_data(USER_PRESENT | USER_VERIFIED)
        client = self._client_data("webauthn.get", text)
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._credential(
            {
                "clientDataJSON": base64url(client),
                "authenticatorData": base64url(data),
                "signature": base64url(signature),
            }
        )

    def _authenticator_data(self, flags: int) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.sign_count.to_bytes(4)

    def _client_data(self, kind: str, text: bytes) -> bytes:
        challenge = base64url(hashlib.sha256(text).digest())
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _credential(self, response: dict[str, str]) -> str:
        known = base64url(self.credential_id)
        return json.dumps({"id": known, "rawId": known, "type": "public-key", "response": response})
