"""Every SQL constant against the migrated schema: it prepares, its columns are its Struct, its plan
stays on one shard, and it names no table of a higher floor or a sibling."""

import ast
import re
import typing
from collections.abc import AsyncIterator

import asyncpg
import pytest

from store.database import Connection
from store.migration_files import read_migrations, shard_columns, standing_tables
from store.postgres import Server
from store.statement import Command, Scalar, Statement
from tests.support.citus import Catalog, faults, read_catalog
from tests.support.query_tree import listen, tree_of
from tests.support.sql import (
    FLOORS,
    ROOT,
    Named,
    constants,
    groups_named,
    groups_of_tables,
    nullable_outputs,
    plan_of,
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
    "healthbook.doctor.queries.CHORES",
    "healthbook.doctor.queries.SET_ASIDE",
    "healthbook.handover.queries.CITIZENS_AMONG",
    "healthbook.metrics.queries.OUTBOX",
    "consent.links.queries.UNDER_PEPPER",
    "identity.rotation.queries.UNDER_LOOKUP",
    "identity.rotation.queries.UNDER_PEPPER",
    "healthbook.recovery.queries.END_MIRRORED_REQUESTS",
    "healthbook.recovery.queries.END_REQUESTS",
    "healthbook.recovery.queries.HELD_GRANTS",
    "healthbook.recovery.queries.LOGS_AFTER",
    "healthbook.recovery.queries.SIGNED_IN_SINCE",
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
    "identity.rotation.queries.OTHERS_IN_SAMPLE",
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
    assert len(groups_named(plan, groups_of_tables(), parents)) <= 1, "two groups in one statement"


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


async def test_a_part_that_another_column_binds_is_noticed(
    catalog: Connection, parents: dict[str, str]
) -> None:
    sql = (
        "SELECT (SELECT count(*) FROM phone p WHERE p.patient_id = c.patient_id) FROM citizen c"
        " WHERE c.patient_id = $1"
    )
    async with catalog.transaction():
        plan = await plan_of(catalog, sql)
    assert len(unbound_scans(plan, shard_columns(), parents)) == 1


class Judge:
    """What Citus would say of a statement on the migrated schema."""

    def __init__(self, connection: Connection, told: list[str], known: Catalog) -> None:
        self._connection, self._told, self._known = connection, told, known

    async def __call__(self, sql: str, *, fan_out: bool = False) -> list[str]:
        tree = await tree_of(self._connection, self._told, sql)
        return faults(tree, self._known, fan_out=fan_out)


@pytest.fixture(scope="module")
async def judge(server: Server, database: str) -> AsyncIterator[Judge]:
    connection = await asyncpg.connect(server.dsn("hb_owner", database))
    known = await read_catalog(connection, standing_tables(read_migrations()))
    yield Judge(connection, await listen(connection), known)
    await connection.close()


async def test_citus_refuses_no_statement(judge: Judge) -> None:
    found = {
        named.name: said
        for named in CONSTANTS
        if not named.constant.sql.startswith("CREATE ")
        and (said := await judge(named.constant.sql, fan_out=bool(named.constant.fan_out)))
    }
    assert found == {}


_CLAIM = "SELECT ctid FROM outbox WHERE {} AND available_at <= $2 LIMIT 9 FOR UPDATE SKIP LOCKED"


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (_CLAIM.format("bucket > $1"), "could not run distributed query with FOR UPDATE/SHARE"),
        (_CLAIM.format("bucket = ANY($1)"), "could not run distributed query with FOR UPDATE/SHARE"),
        (
            "DELETE FROM outbox WHERE ctid = ANY(ARRAY("
            "SELECT ctid FROM outbox WHERE available_at <= $1 LIMIT 9))",
            "with ctid on where clause",
        ),
        (
            "INSERT INTO due_queue VALUES ($1, $2, $3, $4) ON CONFLICT (bucket, kind, ref)"
            " DO UPDATE SET due_at = now()",
            "DO UPDATE SET clause of INSERTs must be marked IMMUTABLE",
        ),
        (
            "INSERT INTO due_queue AS d VALUES ($1, $2, $3, $4) ON CONFLICT (bucket, kind, ref)"
            " DO UPDATE SET due_at = EXCLUDED.due_at WHERE d.due_at < now()",
            "WHERE clause of the ON CONFLICT clause",
        ),
        (
            "INSERT INTO due_queue VALUES ($1, $2, $3, $4) ON CONFLICT (bucket, kind, ref)"
            " DO UPDATE SET bucket = 1",
            "modifying the partition value",
        ),
        (
            "UPDATE outbox SET event_id = gen_random_uuid() WHERE bucket = $1",
            "must not be VOLATILE",
        ),
        ("DELETE FROM outbox WHERE bucket = $1 AND random() < 0.5", "must not be VOLATILE"),
        (
            "UPDATE outbox SET available_at = available_at + interval '1 day' WHERE bucket = $1",
            "STABLE functions used in UPDATE queries",
        ),
        (
            "UPDATE outbox SET available_at = coalesce($2, now()) WHERE bucket = $1",
            "not allowed in CASE or COALESCE",
        ),
        ("DELETE FROM outbox WHERE bucket = $1 RETURNING now()", "not allowed in the RETURNING clause"),
        ("UPDATE outbox SET bucket = 2 WHERE bucket = $1", "modifying the partition value"),
        (
            "MERGE INTO due_queue d USING (SELECT $1::int AS bucket) s ON d.bucket = s.bucket"
            " WHEN MATCHED THEN DELETE",
            "MERGE",
        ),
        (
            "INSERT INTO due_queue VALUES ($1, $2, $3, (SELECT max(created_at) FROM installation))",
            "subqueries are not supported within INSERT",
        ),
        (
            "SELECT state FROM citizen WHERE patient_id = (SELECT patient_id FROM patient_identifier"
            " WHERE id_hash = $1 LIMIT 1)",
            "a sub-select finds the shard",
        ),
        (
            "SELECT seq FROM journal_line j JOIN citizen c ON c.patient_id = $1",
            "lie on one node alone",
        ),
        (
            "UPDATE facility SET closed_at = $2 WHERE facility_id IN"
            " (SELECT facility_id FROM check_in WHERE patient_id = $1)",
            "lies on every node",
        ),
    ],
)
async def test_what_citus_refuses_is_noticed(judge: Judge, sql: str, said: str) -> None:
    assert any(said in fault for fault in await judge(sql)), await judge(sql)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "SELECT 1 FROM patient_identifier i JOIN citizen c ON c.patient_id = i.patient_id",
            "requires repartitioning",
        ),
        (
            "SELECT 1 FROM guardianship g JOIN citizen c ON c.patient_id = g.guardian_id",
            "only supported on their distribution columns",
        ),
        (
            "SELECT 1 FROM citizen c"
            " WHERE EXISTS (SELECT FROM guardianship g WHERE g.guardian_id = c.patient_id)",
            "correlated, not by the shard column",
        ),
        (
            "SELECT l.state FROM unnest($1::uuid[]) AS u (id) CROSS JOIN LATERAL"
            " (SELECT state FROM citizen c WHERE c.patient_id = u.id LIMIT 1) AS l",
            "limits or groups in a lateral one",
        ),
        (
            "WITH RECURSIVE r AS (SELECT patient_id FROM citizen UNION SELECT patient_id FROM r)"
            " SELECT 1 FROM r",
            "recursive CTEs",
        ),
    ],
)
async def test_what_citus_refuses_over_all_shards_is_noticed(judge: Judge, sql: str, said: str) -> None:
    assert any(said in fault for fault in await judge(sql, fan_out=True)), await judge(sql, fan_out=True)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 FROM guardianship g JOIN citizen c ON c.patient_id = g.patient_id",
        "SELECT 1 FROM citizen c WHERE EXISTS (SELECT FROM guardianship g WHERE g.patient_id = c.patient_id)",
        "SELECT 1 FROM citizen c WHERE c.patient_id IN (SELECT guardian_id FROM guardianship)",
        "SELECT l.state FROM unnest($1::uuid[]) AS u (id) CROSS JOIN LATERAL"
        " (SELECT state FROM citizen c WHERE c.patient_id = u.id) AS l",
        "UPDATE outbox SET attempts = 0, available_at = now() WHERE available_at < $1",
    ],
)
async def test_what_citus_takes_over_all_shards_is_let_through(judge: Judge, sql: str) -> None:
    assert await judge(sql, fan_out=True) == []


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
