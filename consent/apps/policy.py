"""How long a consent to a client runs, and what the client calls the person: pure."""

import hashlib
import hmac
from datetime import timedelta
from typing import Final
from uuid import UUID

from kernel.ids import uuid8
from store.keys import KeyRing

# The longest that a consent to a client runs (ours, as for an adult's proxy).
LIFE_MAX: Final = timedelta(days=365)
# A use is noted at most so often: most reads then write no row of the consent.
NOTE_EVERY: Final = timedelta(minutes=1)


def pairwise_subject(keys: KeyRing, client_id: UUID, patient_id: UUID) -> str:
    """What one client calls one person: the same each time, another for each client, and no way back
    (OpenID Connect Core section 8.1). It serves as the id of its Patient too."""
    secret = keys.first_secret("alias")
    text = b"subject of a client\0" + client_id.bytes + patient_id.bytes
    return str(uuid8(hmac.digest(secret, text, hashlib.sha256)))
