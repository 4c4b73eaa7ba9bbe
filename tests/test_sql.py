"""Every SQL constant against the migrated schema: it prepares, its columns are its Struct, its plan
stays on one shard, and it names no table of a higher floor or a sibling."""

import ast
import re
import typing
from collections.abc import AsyncIterator

import asyncpg
import pytest

from store.database import Connection
from store.postgres import Server
from store.statement import Command, Scalar, Statement
from tests.support.sql import (
    FLOORS,
    ROOT,
    Named,
    constants,
    nullable_outputs,
    plan_of,
    shard_columns,
    shard_values,
    table_owners,
    tables_named,
    type_fault,
    unbound_scans,
    without_none,
)

CONSTANTS = constants()
every_constant = pytest.mark.parametrize("named", CONSTANTS, ids=[named.name for named in CONSTANTS])

# The few statements that may touch every shard; their reasons stand beside the SQL (`fan_out=`).
FAN_OUTS = {
    "identity.queries.NAMED_PEOPLE",
    "consent.delegations.queries.HANDED_ON",
    "partners.axis.queries.SENDERS",
    "partners.axis.queries.OPEN",
    "partners.axis.queries.FIND",
    "partners.axis.queries.STOPPED_OF_FACILITY",
    "partners.axis.queries.WAITING",
    "partners.axis.queries.DELIVERED",
    "partners.axis.queries.FORGET_INBOUND",
    "partners.smart.queries.FORGET",
    "partners.smart.queries.FORGET_CODES",
    "visits.declarations.queries.ENDED",
    "visits.booking.queries.DELETE_SCHEDULES",
    "visits.slots.queries.DELETE_EMPTY",
    "visits.exposure.queries.CAME",
    "visits.exposure.queries.DELETE_HOURS",
    "vaccination.signer.queries.SIGNED_BETWEEN",
    "audit.accountability.queries.ALL_LINES",
    "audit.accountability.queries.COUNT",
    "audit.accountability.queries.COUNT_HOURS",
    "audit.accountability.queries.FIRST_AT",
    "audit.accountability.queries.FORGET_HOURS",
    "audit.accountability.queries.PEOPLE_AFTER",
    "audit.answered.queries.BOTH",
    "audit.roots.queries.CHANGED",
    "consent.emergency_reviews.queries.OVERDUE",
    "consent.housekeeping.queries.DELETE_EMERGENCY_MIRRORS",
    "consent.housekeeping.queries.DELETE_GUARDIANSHIP_PROPOSALS",
    "consent.housekeeping.queries.DELETE_LINK_ADDRESSES",
    "consent.housekeeping.queries.DELETE_LINK_TICKETS",
    "consent.housekeeping.queries.DELETE_PRACTITIONER_REQUESTS",
    "consent.housekeeping.queries.DELETE_PROXY_INVITATIONS",
    "consent.housekeeping.queries.DELETE_PROXY_PROPOSALS",
    "consent.housekeeping.queries.DELETE_QUOTAS",
    "consent.housekeeping.queries.DELETE_SHARE_CODES",
    "consent.housekeeping.queries.DELETE_SHARE_CODE_HASHES",
    "consent.housekeeping.queries.EMPTY_INVITED_CONTACTS",
    "consent.housekeeping.queries.ERASE_CODES",
    "consent.links.queries.DEAD_FILES",
    "consent.purposes.queries.OPEN_WITHDRAWALS",
    "consent.reports.queries.ANY_MIRROR",
    "consent.reports.queries.OVERDUE",
    "consent.rights.queries.OVERDUE",
    "consent.rights.queries.RUNNING",
    "ehr.cases.queries.OVERDUE_CASES",
    "ehr.core.queries.LINKED_PAGE",
    "ehr.core.queries.UNCLEAR_LINKS",
    "ehr.housekeeping.queries.DELETE_RECEIPTS",
    "ehr.intake.queries.MOVED_SINCE",
    "ehr.intake.queries.PATIENTS_OF_CREDENTIALS",
    "ehr.intake.trust.queries.FORGET_VERSIONS",
    "ehr.prescriptions.queries.FREE_CODES",
    "ehr.prescriptions.queries.FREE_WAITING",
    "ehr.prescriptions.queries.REOPEN_CODES",
    "ehr.prescriptions.queries.REOPEN_WAITING",
    "ehr.prescriptions.queries.STANDING",
    "family.queries.GUARDIANS_OF_MANY",
    "family.queries.STANDING_PAIRS",
    "ehr.programmes.queries.CHANGED_SINCE",
    "ehr.quarantine.queries.ENDED",
    "ehr.quarantine.queries.RETURNED",
    "ehr.quarantine.queries.WAITING",
    "ehr.quarantine.queries.WAITING_OF_CREDENTIALS",
    "ehr.queries.STALE_PEOPLE",
    "ehr.reads.queries.CODES_IN_USE",
    "ehr.referrals.queries.FORGET_GONE",
    "ehr.rejudge.queries.OLDER",
    "ehr.rejudge.queries.OLDER_WAITING",
    "ehr.rows.queries.FORGET",
    "ehr.statistics.queries.COUNT_SENDERS",
    "ehr.statistics.queries.HEADS",
    "ehr.statistics.queries.PEOPLE",
    "ehr.statistics.queries.SEEN",
    "healthbook.recovery.queries.END_MIRRORED_REQUESTS",
    "healthbook.recovery.queries.END_REQUESTS",
    "healthbook.recovery.queries.HELD_GRANTS",
    "healthbook.recovery.queries.LOGS_AFTER",
    "identity.housekeeping.queries.DELETE_ACTIVATIONS",
    "identity.housekeeping.queries.DELETE_ACTIVATION_CODES",
    "identity.housekeeping.queries.DELETE_APP_SESSIONS",
    "identity.housekeeping.queries.DELETE_BUDGETS",
    "identity.housekeeping.queries.DELETE_CHALLENGES",
    "identity.housekeeping.queries.DELETE_CODE_LOCKS",
    "identity.housekeeping.queries.DELETE_NONCES",
    "identity.housekeeping.queries.DELETE_PHONE_PROOFS",
    "identity.housekeeping.queries.DELETE_SESSIONS",
    "identity.housekeeping.queries.DELETE_TRANSACTIONS",
    "partners.disclosures.queries.FORGET",
    "partners.oauth.queries.DELETE_PROOFS",
    "partners.webhooks.queries.STOPPED",
    "partners.webhooks.queries.FORGET",
    "identity.housekeeping.queries.DELETE_UNDO",
    "identity.population.queries.FORGET_LINES",
    "identity.population.queries.KNOWN",
    "identity.population.queries.LISTINGS",
    "identity.population.queries.OWNERS",
    "identity.register.queries.ANY_CITIZEN",
    "identity.registry.queries.WAITING",
    "identity.rotation.queries.COUNT_PEOPLE",
    "identity.rotation.queries.PEOPLE_AFTER",
    "notifications.queries.ANSWERED",
    "notifications.queries.BUCKETS_TO_DRAIN",
    "notifications.queries.WAYS",
    "notifications.queries.DELETE_DEAD_TARGETS",
    "notifications.queries.MISMATCHED",
    "notifications.queries.DELETE_ENDED",
    "notifications.queries.DELETE_SMS_BUDGETS",
    "notifications.queries.DELETE_STALE_TARGETS",
    "notifications.queries.LATEST",
    "notifications.queries.PREFERENCES_OF",
    "notifications.queries.COUNT_DEAD",
    "notifications.queries.DEAD_LETTERS",
    "notifications.queries.ENDED",
    "notifications.queries.RETRY_DEAD",
    "notifications.queries.WAITING",
    "notifications.queries.WITHDRAW",
    "notifications.queries.WRITE_NOTICES",
    "reminders.queries.COVERS",
    "reminders.queries.DUE",
    "reminders.answers.queries.FORGET",
    "reminders.answers.queries.OPENED",
    "reminders.answers.queries.UNANSWERED",
    "reminders.queries.FORGET",
    "reminders.queries.PASS",
    "store.queries.BUCKETS_WITH_EVENTS",
    "store.queries.DUE_UNTIL",
    "store.queries.FORGET_IDEMPOTENCY",
    "store.queries.FORGET_LEASES",
    "vaccination.first_fill.queries.FORGET_FILES",
    "vaccination.first_fill.queries.FORGET_LINES",
    "vaccination.first_fill.queries.RETURNED",
    "vaccination.reactions.queries.LATE",
    "vaccination.registration.queries.ENDED",
    "vitals.intake.queries.FORGET",
    "visits.booking.queries.ENDED",
    "visits.consultations.queries.ENDED",
    "visits.coverage_check.queries.FORGET",
    "visits.kiosk.queries.FORGET_PAYMENTS",
    "visits.hotline.queries.DELETE_CLOSED",
    "visits.check_ins.queries.DELETE_CHECK_INS",
    "visits.check_ins.queries.DELETE_VISITS",
    "visits.queries.DELETE_NOTED",
    "visits.queries.DELETE_TICKETS",
    "visits.slots.queries.DELETE_ENDED",
    "visits.safety.queries.DELETE_OLD",
    "visits.tickets.queries.DELETE_DAYS",
    "visits.tickets.queries.DELETE_TICKETS",
    "visits.lookup.queries.DELETE_OLD",
    "visits.lookup.queries.OF_ALL",
    "visits.stays.queries.DELETE_OLD",
    "visits.unmet.queries.DELETE_OLD",
    "visits.unmet.queries.OF_ALL",
}


@pytest.fixture(scope="module")
async def catalog(server: Server, database: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(server.dsn("hb_owner", database))
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def parents(catalog: Connection) -> dict[str, str]:
    """Partition → its table."""
    rows = await catalog.fetch(
        "SELECT i.inhrelid::regclass::text, i.inhparent::regclass::text FROM pg_inherits i"
        " JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind IN ('r', 'p')"
    )
    return {row[0]: row[1] for row in rows}


@pytest.fixture(scope="module")
async def nullable(catalog: Connection) -> set[tuple[str, str]]:
    """(table, column) of every column that may be NULL."""
    rows = await catalog.fetch(
        "SELECT table_name::text, column_name::text FROM information_schema.columns"
        " WHERE table_schema = 'public' AND is_nullable = 'YES'"
    )
    return {(row[0], row[1]) for row in rows}


@every_constant
async def test_result_columns_are_the_fields_of_the_struct(
    catalog: Connection, parents: dict[str, str], nullable: set[tuple[str, str]], named: Named
) -> None:
    prepared = await catalog.prepare(named.constant.sql)
    columns = [(a.name, a.type.name) for a in prepared.get_attributes()]
    if isinstance(named.constant, Command):
        return
    if isinstance(named.constant, Scalar):
        assert len(columns) == 1
        assert type_fault(columns[0][1], named.constant.type_) is None
        return
    hints = typing.get_type_hints(named.constant.row)
    fields = [(field, hints[field]) for field in named.constant.row.__struct_fields__]
    assert [name for name, _ in columns] == [name for name, _ in fields]
    wrong = {n: type_fault(t, hint) for (n, t), (_, hint) in zip(columns, fields, strict=True)}
    assert {n: fault for n, fault in wrong.items() if fault} == {}
    async with catalog.transaction():
        plan = await plan_of(catalog, named.constant.sql)
    may_be_null = nullable_outputs(plan, nullable, parents)
    surprised = [
        name
        for (name, hint), null in zip(fields, may_be_null, strict=False)
        if null
        and not without_none(hint)[1]
        and not re.search(rf"\b{name} (IS NOT NULL|= \$\d)", named.constant.sql)
    ]
    assert surprised == [], "these columns may be NULL, their fields do not allow None"


@every_constant
async def test_hot_statements_stay_on_one_shard(
    catalog: Connection, parents: dict[str, str], named: Named
) -> None:
    if named.constant.fan_out or named.constant.sql.startswith("CREATE "):
        return
    async with catalog.transaction():
        plan = await plan_of(catalog, named.constant.sql)
    assert unbound_scans(plan, shard_columns(), parents) == []
    assert len(shard_values(plan, shard_columns(), parents)) <= 1, "two shard values in one statement"


async def test_a_join_of_two_shards_is_noticed(catalog: Connection, parents: dict[str, str]) -> None:
    """Each scan is bound, and Citus refuses it: "complex joins are only supported when ... joined on their
    distribution columns"."""
    sql = (
        "SELECT r.rtype FROM ehr_case_row c JOIN ehr_resource r ON r.rtype = c.rtype AND r.id = c.id"
        " WHERE c.patient_id = $1 AND r.patient_id = $2"
    )
    async with catalog.transaction():
        plan = await plan_of(catalog, sql)
    assert unbound_scans(plan, shard_columns(), parents) == []
    assert shard_values(plan, shard_columns(), parents) == {"$1", "$2"}


@every_constant
def test_nothing_is_locked_over_all_shards(named: Named) -> None:
    """Citus: could not run distributed query with FOR UPDATE/SHARE commands (scale.md, rule 5)."""
    locks = re.search(r"\bFOR (NO KEY )?(UPDATE|SHARE)|\bFOR KEY SHARE", named.constant.sql)
    assert not (named.constant.fan_out and locks)


def test_fan_outs_are_the_listed_few() -> None:
    assert {named.name for named in CONSTANTS if named.constant.fan_out} == FAN_OUTS


@every_constant
def test_a_package_names_only_tables_of_its_own_or_a_lower_floor(named: Named) -> None:
    owners = table_owners()
    foreign = {
        table: owners[table]
        for table in tables_named(named.constant.sql, set(owners))
        if owners[table] != named.package and FLOORS[owners[table]] >= FLOORS[named.package]
    }
    assert foreign == {}


def test_sql_constants_stand_in_queries_files_only() -> None:
    makers = {Statement.__name__, Command.__name__, Scalar.__name__}
    files = [p for package in FLOORS for p in (ROOT / package).rglob("*.py") if p.name != "queries.py"]
    strays = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in makers
    ]
    assert strays == []
