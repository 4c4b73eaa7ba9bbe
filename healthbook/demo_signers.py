"""The demo's signers: an authority that certifies once and is forgotten, and a key of each kind."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from store.database import Store
from vaccination.hc1.claims import DEMO_COUNTRY
from vaccination.signer.authority import certify, make_authority, make_request
from vaccination.signer.enrolment import enrol
from vaccination.signer.key_files import SignerKeys, make_key
from vaccination.signer.models import Algorithm
from vaccination.signer.ports import SignerPurpose

KINDS: Final[tuple[tuple[SignerPurpose, Algorithm], ...]] = (
    ("hc1", "ES256"),
    ("hc1", "PS256"),
    ("shc", "ES256"),
)
DAILY_BUDGET: Final = 50_000


async def add_signers(owner: Store, directory: Path, now: datetime) -> None:
    """Make the keys in the signer's directory and enrol them. `owner` acts as hb_owner."""
    since = now - timedelta(hours=1)
    authority_key, authority = make_authority("Demo signing authority", since, DEMO_COUNTRY)
    for purpose, alg in KINDS:
        key_id = make_key(directory, purpose, alg, demo=True)
        key = SignerKeys.load(directory).key(key_id)
        request = make_request(key, f"Demo document signer {key_id}", DEMO_COUNTRY)
        certificate = certify(request, purpose, authority, authority_key, since)
        async with owner.transaction() as tx:
            await enrol(tx, key_id, certificate, authority, DAILY_BUDGET, now)
