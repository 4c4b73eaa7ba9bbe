"""The signed artefact of a consent to a client: a compact JWS by the key of purpose `consent-artefact`."""

import hashlib
from typing import Any, Final

import rfc8785
from joserfc import jws
from joserfc.jwk import ECKey

from consent.apps.models import AppConsent
from store.keys import KeyRing

TYP: Final = "ssk-app-consent+jws"
VERSION: Final = "1"


def sign_consent(keys: KeyRing, given: AppConsent, *, choice: bytes | None, signature: str | None) -> str:
    """choice: the bytes that the person's device signed; None where the person signed in on the page."""
    key_id, private = keys.signer("consent-artefact")
    payload: dict[str, Any] = {
        "v": VERSION,
        "id": str(given.consent_id),
        "created": int(given.created_at.timestamp()),
        "patient": str(given.patient_id),
        "client": {
            "id": str(given.client_id),
            "kind": given.kind,
            "name": given.client_name,
            "holder": given.holder,
        },
        "reference": str(given.reference),
        "groups": sorted(given.groups),
        "types": sorted(given.types),
        "scope": given.scope,
        "expires": int(given.ends_at.timestamp()),
        "verification": str(given.verification_id) if given.verification_id else None,
        "choice_sha256": hashlib.sha256(choice).hexdigest() if choice is not None else None,
        "device_signature": signature,
    }
    key = ECKey.import_key(private)  # type: ignore[arg-type]
    header = {"alg": "ES256", "kid": key_id, "typ": TYP}
    return jws.serialize_compact(header, rfc8785.dumps(payload), key)
