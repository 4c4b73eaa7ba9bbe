"""The text of an identity card's code: it fills in a form and proves nothing, for nobody signed it and a
photograph of the card holds it too (vietnam.md §2)."""

from identity.verification.models import Verified
from kernel.problems import Refused
from qr.cccd import read_cccd


def prefill(text: str) -> Verified | Refused:
    """What the card says, at level 0. Refused as qr.cccd.read_cccd refuses."""
    read = read_cccd(text)
    if isinstance(read, Refused):
        return read
    return Verified(
        level=0, number=read.national_id, name=read.name, birth_date=read.birth_date, sex=read.sex
    )
