"""Questions that ended go after their time (healthbook/housekeeping.py) at both ends, with their pictures."""

from datetime import datetime

from store.database import Tx
from store.uploads import discard
from visits.consultations import queries


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Remove questions that ended before that time, at most `limit`. Their pictures' files go with the next
    timer, once no row names them."""
    ended = await queries.ENDED.all(tx, before, limit)
    for one in ended:
        known = one.patient_id, one.consultation_id
        for picture in await queries.PICTURES.all(tx, *known):
            await discard(tx, picture.blob_of, picture.blob_id, before)
        await queries.DELETE_PICTURES.run(tx, *known)
        await queries.DELETE.run(tx, *known)
        await queries.DELETE_MIRROR.run(tx, one.facility_id, one.consultation_id)
    return len(ended)
