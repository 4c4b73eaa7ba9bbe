"""What goes after its time is found by an index: hourly chores read what they remove, never a whole table."""

import pytest

from store.database import Store
from tests.support.sql import Named, constants, nodes, plan_of

# Tables of earlier releases; and what lies by block ranges, which an empty table does not use.
UNINDEXED = frozenset(
    {
        "visits.queries.DELETE_TICKETS",
        "visits.queries.DELETE_NOTED",
        "visits.hotline.queries.DELETE_CLOSED",
        "visits.consultations.queries.ENDED",
        "visits.coverage_check.queries.FORGET",
        "visits.check_ins.queries.DELETE_CHECK_INS",
    }
)
HOURLY = [
    named
    for named in constants()
    if named.package == "visits"
    and str(named.constant.fan_out).startswith("once an hour")
    and named.name not in UNINDEXED
]


@pytest.mark.parametrize("named", HOURLY, ids=[named.name for named in HOURLY])
async def test_s30_a_purge_is_bound_by_an_index(owner: Store, named: Named) -> None:
    """By the first column of it: a condition on a later one reads all of it."""
    async with owner.transaction() as tx:
        plan = await plan_of(tx, named.constant.sql)
        for node in nodes(plan):
            if "Relation Name" not in node or not node["Node Type"].endswith("Scan"):
                continue
            bound = False
            for one in nodes(node):
                index = one.get("Index Name")
                sql = "SELECT pg_get_indexdef($1::text::regclass, 1, true)"
                first = None if index is None else await tx.fetchval(sql, index)
                bound = bound or (first is not None and first in one.get("Index Cond", ""))
            assert bound, f"{node['Node Type']} on {node['Relation Name']}"
