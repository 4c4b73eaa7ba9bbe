"""A way to the facility's own viewer: works once, for a minute, and only while the reader may read the study.

The address is the one that an operator set for the facility; nothing of it comes from the record but the
study's number, which is digits and dots (security.md S29). We fetch nothing from there.
"""

import re
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit
from uuid import UUID

import msgspec
from msgspec import Struct

from ehr import fhir
from ehr.imaging import queries
from ehr.imaging.problems import NO_VIEWER, TICKET_ENDED
from ehr.imaging.queries import Ticket
from ehr.reads.queries import STUDY
from ehr.reads.scope import is_id, scope_of
from ehr.views.papers import study_uid
from identity.tokens import digest, new_secret, read_access_token, write_token
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx

LIFE = timedelta(seconds=60)
PLACE = "{study_uid}"
TEMPLATE_MAX = 500

_study = msgspec.json.Decoder(fhir.ImagingStudy)


class ViewerTicket(Struct, frozen=True, kw_only=True):
    """path: opened once in a browser, it leads to the facility's viewer."""

    path: str
    expires_at: datetime


async def ask(tx: Tx, access: Access, study_id: str, now: datetime) -> ViewerTicket | Refused:
    """A ticket for one study that the reader may see and whose facility has a viewer."""
    if access.actor.session_id is None or await _address(tx, access, study_id, now) is None:
        return Refused(problem=NO_VIEWER)
    secret, until = new_secret(), now + LIFE
    actor = access.actor
    await queries.DELETE_OLD_TICKETS.run(tx, actor.actor_id, now - LIFE)
    await queries.INSERT_TICKET.run(
        tx, actor.actor_id, digest(secret), actor.session_id, access.patient_id, study_id, until
    )
    return ViewerTicket(path=f"/v1/viewer/{write_token(actor.actor_id.bytes, secret)}", expires_at=until)


async def take(tx: Tx, text: str, now: datetime) -> Ticket | Refused:
    """Use a ticket up. Unknown, used and old ones are one refusal."""
    presented = read_access_token(text)
    ticket = await queries.TAKE_TICKET.one(tx, *presented, now) if presented else None
    return ticket or Refused(problem=TICKET_ENDED)


async def address(tx: Tx, access: Access, study_id: str, now: datetime) -> str | Refused:
    """Where the study is shown, looked up anew: the reader's sight may have ended since the ticket."""
    return await _address(tx, access, study_id, now) or Refused(problem=TICKET_ENDED)


async def _address(tx: Tx, access: Access, study_id: str, now: datetime) -> str | None:
    study = await STUDY.one(tx, *scope_of(access, now), study_id) if is_id(study_id) else None
    if study is None or study.facility_id is None:
        return None
    uid = study_uid(_study.decode(study.doc))
    template = await queries.VIEWER_OF.one(tx, study.facility_id)
    if uid is None or template is None:
        return None
    return template.replace(PLACE, quote(uid, safe="."))


async def set_viewer(tx: Tx, facility_id: UUID, template: str, now: datetime) -> None:
    """Set a facility's viewer. Raises ValueError for what is no https address with a place for the number."""
    parts = urlsplit(template)
    is_plain = len(template) <= TEMPLATE_MAX and re.fullmatch(r"[!-~]+", template) is not None
    is_https = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    in_path = PLACE not in parts.netloc and template.count(PLACE) == 1
    if not (is_plain and is_https and in_path):
        raise ValueError("an https address with {study_uid} in its path or query")
    await queries.SET_VIEWER.run(tx, facility_id, template, now)
