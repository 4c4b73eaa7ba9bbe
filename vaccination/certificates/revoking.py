"""Taking a certificate back by an operator's word: by its number or by its text."""

from datetime import datetime

from audit.service import record_act
from identity.merges.aliases import book_to_tell
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit
from vaccination.certificates import queries
from vaccination.certificates.bulk import ACTOR
from vaccination.certificates.ending import dcc_of, number_hash, revoke_row
from vaccination.hc1.cose import PREFIX


async def revoke_number(tx: Tx, keys: KeyRing, said: str, *, request_id: str, now: datetime) -> bool:
    """Revoke the certificate of that number (`URN:UVCI:…`, as written) or text (`HC1:…`). Its dose may get
    another one. False: none of ours, or it holds no longer. UnreadableError: the text is no certificate."""
    number = dcc_of(said)["v"][0]["ci"] if said.startswith(PREFIX) else said
    found = await queries.OF_NUMBER.one(tx, number_hash(number))
    row = None if found is None else await queries.LOCK.one(tx, found.patient_id, found.certificate_id)
    if row is None or row.state not in ("valid", "renewed"):
        return False
    await revoke_row(tx, keys, row, "revoked", "withdrawn", now)
    ref = {"certificate_id": str(row.certificate_id)}
    told = await book_to_tell(tx, row.patient_id, now)
    await emit(tx, told, "vaccination.certificate-corrected", ref, now)
    await record_act(tx, told, ACTOR, "vaccination:certificate:revoke", request_id=request_id, now=now)
    return True
