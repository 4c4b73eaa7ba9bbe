"""Grants in the list of who can see a person, and their part of ending all of it."""

from datetime import datetime
from uuid import UUID

from audit.log import protected_name
from audit.protection.service import aliases
from consent.delegations.queries import Delegation, live_delegations
from consent.grants import queries
from consent.grants.service import revoke_grant
from consent.holds import held_of
from consent.models import Grant, Standing
from kernel.access import Access
from store.database import Tx
from store.keys import KeyRing


async def standing_of(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> list[Standing]:
    """Grants that have not ended, held ones too (a confirmation brings them back), and what was handed on.

    The person chose the doctor of a grant by name; whom the doctor handed a part on to, nobody asked: a
    protected one stands under the alias (security.md S27).
    """
    live = await queries.live_grants_of_person(tx, patient_id, now)
    held = await held_of(tx, live, now)
    until = {grant.grant_id: grant.ends_at for grant in live}
    handed = [one for one in await live_delegations(tx, patient_id) if one.grant_id in until]
    masks = await aliases(tx, keys, patient_id, {one.practitioner_id for one in handed}, now)
    grants = [_grant(grant, held=grant.grant_id in held) for grant in live]
    return grants + [
        _delegation(one, until[one.grant_id], masks.get(one.practitioner_id), held=one.grant_id in held)
        for one in handed
    ]


async def end_all(tx: Tx, access: Access, *, trace_id: str, now: datetime) -> None:
    """Delegations end with the grants they stand on."""
    for grant in await queries.live_grants_of_person(tx, access.patient_id, now):
        await revoke_grant(tx, access, grant.grant_id, trace_id=trace_id, now=now)


def _grant(grant: Grant, *, held: bool) -> Standing:
    return Standing(
        kind="grant",
        id=grant.grant_id,
        name=grant.practitioner_name,
        facility=grant.facility_name,
        what=list(grant.types),
        since=grant.starts_at,
        until=grant.ends_at,
        ends_with=None,
        held=held,
    )


def _delegation(one: Delegation, until: datetime, alias: str | None, *, held: bool) -> Standing:
    return Standing(
        kind="delegation",
        id=one.delegation_id,
        name=one.practitioner_name if alias is None else protected_name(alias),
        facility=one.facility_name,
        what=list(one.types),
        since=one.created_at,
        until=until,
        ends_with="grant",
        held=held,
    )
