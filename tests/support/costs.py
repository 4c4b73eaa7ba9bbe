"""SYNTHETIC visits with amounts, sent as a facility sends them."""

from typing import Any
from uuid import UUID

from ehr.intake.models import UnitReport
from identity.models import Facility
from store.database import Store
from tests.ehr.intake.records import OUTPATIENT, send
from tests.support.bundles import rewrite_package, sample_package
from tests.support.clock import FrozenClock
from tests.support.people import Citizen

# The sample's sender.
CODE = "01028"
SUMS = {
    "T_TONGCHI_BV": "500000",
    "T_TONGCHI_BH": "400000",
    "T_BHTT": "320000",
    "T_BNCCT": "80000",
    "T_BNTT": "100000",
    "T_NGUONKHAC": "0",
}


async def visit(
    store: Store,
    clock: FrozenClock,
    facility: Facility,
    person: Citizen,
    credential: str = "his-1",
    **fields: str,
) -> UnitReport:
    """One visit of the person at the facility, in 3176; fields: of XML1, over SUMS."""
    data = rewrite_package(sample_package(OUTPATIENT), person, **(SUMS | fields))
    (report,) = await send(store, clock, facility, data, credential)
    return report


async def kept(owner: Store, patient_id: UUID) -> list[dict[str, Any]]:
    """Every version of every amount, oldest first."""
    async with owner.transaction() as tx:
        rows = await tx.fetch(
            "SELECT * FROM ehr_cost WHERE patient_id = $1 ORDER BY encounter_id, number", patient_id
        )
    return [dict(row) for row in rows]
