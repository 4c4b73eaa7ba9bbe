"""Doing again what the journal says was done. Each act is harmless where it stands already, and where the
person or the thing is not there: the backup may be older than both."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

import msgspec

from audit.protection import service as protection
from consent.apps import service as app_consents
from consent.emergency import personal
from consent.emergency_card import contacts
from consent.grants.queries import end_practitioner_grant
from consent.links import service as links
from consent.purposes import service as purposes
from consent.purposes.catalogue import PurposeKey
from consent.rights.erasing import erase_again
from consent.rights.service import cancel_again, shut
from consent.wishes import service as wishes
from ehr.visibility import hidings
from family import attesting
from healthbook.recovery import queries
from identity.app_clients import service as app_clients
from identity.clients import service as clients
from identity.devices import end_again
from identity.facility_admin import activation
from identity.units import service as units
from store.database import Tx
from store.journal import JournalKind, Line
from visits.safety import service as safety
from visits.safety.models import ItemKind

REASON: Final = "before-restore"
Again: TypeAlias = Callable[[Tx, Line, datetime], Awaitable[None]]


async def revoke(tx: Tx, line: Line, now: datetime) -> None:
    grant_id = UUID(line.ids["grant_id"])
    practitioner_id = await queries.REVOKE.one(tx, line.patient_id, grant_id, now)
    if practitioner_id is not None:
        await end_practitioner_grant(tx, practitioner_id, line.patient_id, grant_id, now)


async def kill_device(tx: Tx, line: Line, now: datetime) -> None:
    await end_again(tx, line.patient_id, UUID(line.ids["device_id"]), REASON, now)


async def kill_link(tx: Tx, line: Line, now: datetime) -> None:
    await queries.END_LINK.run(tx, line.patient_id, UUID(line.ids["link_id"]), now)


async def block(tx: Tx, line: Line, _now: datetime) -> None:
    """The name is that of the register today: the journal holds ids alone."""
    target, kind = UUID(line.ids["target_id"]), line.ids["kind"]
    named = queries.PRACTITIONER_NAME if kind == "practitioner" else queries.FACILITY_NAME
    name = await named.one(tx, target) or ""
    block_id = UUID(line.ids["block_id"])
    await queries.BLOCK.run(tx, line.patient_id, block_id, kind, target, name, line.at)


async def unblock(tx: Tx, line: Line, now: datetime) -> None:
    await queries.UNBLOCK.run(tx, line.patient_id, UUID(line.ids["block_id"]), now)


async def lock_link(tx: Tx, line: Line, now: datetime) -> None:
    await links.lock_again(tx, line.patient_id, UUID(line.ids["link_id"]), now)


async def end_contact(tx: Tx, line: Line, now: datetime) -> None:
    await contacts.end_again(tx, line.patient_id, UUID(line.ids["contact_id"]), now)


async def end_wish(tx: Tx, line: Line, now: datetime) -> None:
    await wishes.end_again(tx, line.patient_id, UUID(line.ids["wish_id"]), now)


async def refuse_purpose(tx: Tx, line: Line, _now: datetime) -> None:
    purpose = msgspec.convert(line.ids["purpose"], PurposeKey)
    await purposes.withdraw_again(tx, line.patient_id, purpose, UUID(line.ids["choice_id"]), line.at)


async def leave_out(tx: Tx, line: Line, now: datetime) -> None:
    await personal.leave_out_again(tx, line.patient_id, line.ids["withheld"].split(","), now)


async def hide(tx: Tx, line: Line, now: datetime) -> None:
    reader = UUID(line.ids["reader"]) if "reader" in line.ids else None
    name = await queries.PRACTITIONER_NAME.one(tx, reader) if reader else None
    entry = line.ids["rtype"], line.ids["id"]
    hiding_id = UUID(line.ids["hiding_id"])
    await hidings.hide_again(tx, line.patient_id, hiding_id, entry, reader, name, now)


async def unhide(tx: Tx, line: Line, now: datetime) -> None:
    await hidings.end_again(tx, line.patient_id, UUID(line.ids["hiding_id"]), now)


async def keep_visit(tx: Tx, line: Line, _now: datetime) -> None:
    kind = msgspec.convert(line.ids["kind"], ItemKind)
    await safety.keep_again(tx, line.patient_id, UUID(line.ids["item_id"]), kind, line.at)


async def show_visit(tx: Tx, line: Line, _now: datetime) -> None:
    await safety.unflag(tx, line.patient_id, UUID(line.ids["item_id"]))


async def bar_guardian(tx: Tx, line: Line, now: datetime) -> None:
    guardian_id, facility_id = UUID(line.ids["guardian_id"]), UUID(line.ids["facility_id"])
    await attesting.bar_again(tx, line.patient_id, guardian_id, facility_id, now)


async def protect(tx: Tx, line: Line, _now: datetime) -> None:
    """The year runs from when it was said."""
    await protection.protect(tx, UUID(line.ids["practitioner_id"]), line.at)


async def suspend_emergency(tx: Tx, line: Line, _now: datetime) -> None:
    await units.suspend_again(tx, UUID(line.ids["practitioner_id"]), line.at)


async def end_client(tx: Tx, line: Line, _now: datetime) -> None:
    await clients.end_again(tx, UUID(line.ids["client_id"]), line.at)


async def end_app_client(tx: Tx, line: Line, _now: datetime) -> None:
    await app_clients.end_again(tx, UUID(line.ids["client_id"]), line.at)


async def end_app_consent(tx: Tx, line: Line, now: datetime) -> None:
    await app_consents.end_again(tx, line.patient_id, UUID(line.ids["consent_id"]), now)


async def renew_client(tx: Tx, line: Line, _now: datetime) -> None:
    """Also where the newer secret is in the backup: the facility makes another."""
    await clients.forget_secret(tx, UUID(line.ids["client_id"]))


async def use_facility_code(tx: Tx, line: Line, _now: datetime) -> None:
    await activation.use_again(tx, UUID(line.ids["facility_id"]), line.at)


async def cancel_erasure(tx: Tx, line: Line, now: datetime) -> None:
    await cancel_again(tx, line.patient_id, UUID(line.ids["request_id"]), now)


async def close(tx: Tx, line: Line, now: datetime) -> None:
    await shut(tx, line.patient_id, "closed", REASON, now)


async def erase(tx: Tx, line: Line, now: datetime) -> None:
    await erase_again(tx, line.patient_id, now)


async def nothing(_tx: Tx, _line: Line, _now: datetime) -> None:
    """Epochs were read before."""


REPLAY: Final[Mapping[JournalKind, Again]] = {
    "revoke": revoke,
    "device-kill": kill_device,
    "link-kill": kill_link,
    "link-lock": lock_link,
    "contact-end": end_contact,
    "wish-end": end_wish,
    "purpose-refuse": refuse_purpose,
    "emergency-leave-out": leave_out,
    "hide": hide,
    "unhide": unhide,
    "visit-keep": keep_visit,
    "visit-show": show_visit,
    "guardian-bar": bar_guardian,
    "protect": protect,
    "emergency-suspend": suspend_emergency,
    "client-end": end_client,
    "app-client-end": end_app_client,
    "app-end": end_app_consent,
    "client-renew": renew_client,
    "facility-code-use": use_facility_code,
    "erase-cancel": cancel_erasure,
    "block": block,
    "unblock": unblock,
    "close": close,
    "erase": erase,
    "epoch": nothing,
}
