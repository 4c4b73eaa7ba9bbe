"""The migration runner, and the rules of scale.md against the catalog."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from store import migrate as runner
from store.database import Connection
from store.distribute import citus_plan
from store.migrate import migrate
from store.migration_files import (
    MIGRATIONS,
    MigrationError,
    read_migrations,
    split_statements,
    standing_tables,
)
from store.postgres import Server
from tests.support.clock import START

HEADERS = {header.table: header for header in standing_tables(read_migrations())}
SPREAD = {t: h.distribute for t, h in HEADERS.items() if h.distribute not in {"reference", "local"}}

# Indexes of statements that go to every shard on purpose (their `fan_out` says why), with who asks.
ACROSS = {
    "patient_identifier_by_patient": "erasure of a person: numbers lie by their hash",
    "phone_lookup_by_patient": "erasure of a person: phones lie by their hash",
    "practitioner_request_by_patient": "erasure of a person: the other end of a request",
    "practitioner_grant_by_patient": "erasure of a person: the other end of a grant",
    "app_consent_by_client_of_person": "erasure of a person: what clients know a consent by",
    "oauth_proof_use_age": "the age of used proofs, an hour's job",
    "partner_message_age": "the age of partners' messages, an hour's job",
    "partner_webhook_age": "the age of events for clients, an hour's job",
    "partner_webhook_stopped": "operators' list of what no client was told",
    "app_authorization_age": "the age of clients' wishes, an hour's job",
    "app_authorization_code_age": "the age of a page's signs, an hour's job",
    "access_log_at": "the months that are counted, a night's job",
    "purpose_withdrawal_open": "operators' list of what is owed",
    "due_queue_next": "a round's look at what is due, whatever bucket it lies in",
    "push_target_updated": "targets that no phone confirmed for long, a night's job",
    "delivery_settled": "what ended in the last day, as operators ask",
    "reminder_occurrence_due": "the age of times that passed, a night's job",
    "reminder_answer_due": "the age of answers, a night's job",
    "alert_owner": "erasure of a person: alerts in others' books",
    "alert_acked_by": "erasure of a person: what was seen in others' books",
    "vital_device_added_by": "erasure of a person: phones that send for others",
    "vital_import_added_by": "erasure of a person: files that were sent for others",
    "alert_rule_owner": "erasure of a person: limits in others' books",
    "alert_delivery_recipient": "erasure of a person: notices about others",
    "declaration_declared_by": "erasure of a person: what was declared for others",
    "declaration_visit_on": "the age of declarations, an hour's job",
    "exposure_hour_age": "the age of rounded counts, an hour's job",
    "check_in_of_facility": "a list of one facility's hours, made once (security.md S30)",
    "vital_batch_at": "the age of answers to batches, a night's job",
    "stay_of_person": "erasure of a person: where they stayed",
    "typed_arrival_unmet": "the health department's list of every facility",
    "queue_ticket_age": "the age of numbers, an hour's job",
    "queue_day_age": "the age of numbers, an hour's job",
    "visit_safety_age": "the age of flags, an hour's job",
    "typed_arrival_age": "the age of typed arrivals, an hour's job",
    "phone_proof_age": "the age of letters to phones, an hour's job",
    "app_session_age": "the age of clients' tokens, an hour's job",
    "app_session_ended": "the age of clients' ended tokens, an hour's job",
    "identity_transaction_age": "the age of transactions, an hour's job",
    "look_up_count_age": "the age of counted look-ups, an hour's job",
    "stay_age": "the age of stays, an hour's job",
    "kiosk_payment_age": "the age of payments, an hour's job",
    "slot_age": "the age of slots, an hour's job",
    "appointment_age": "the age of appointments, an hour's job",
    "appointment_schedule_age": "the age of closed schedules, an hour's job",
    "check_in_at": "the age of check-ins, an hour's job",
    "visit_at": "the age of visits, an hour's job",
    "certificate_issuance_signed": "a day's rows against the signer's log, a night's job",
}
# 0200: from a person to rows that lie by somebody else's id or by a hash.
ACROSS |= dict.fromkeys(
    (
        "birth_link_of_mother",
        "birth_link_by_mother_of_newborn",
        "delivery_of_person",
        "delivery_of_dependent",
        "ehr_core_patient_of_person",
        "ehr_unit_of_person",
        "emergency_contact_code_of_person",
        "emergency_review_of_person",
        "facility_access_report_of_person",
        "facility_case_of_person",
        "facility_consultation_of_person",
        "facility_declaration_of_person",
        "exposure_entry_of_person",
        "facility_vaccination_reaction_of_person",
        "facility_referral_of_person",
        "facility_vaccination_confirmation_of_person",
        "vaccination_certificate_number_of_person",
        "programme_enrolment_of_person",
        "slot_booking_of_person",
        "appointment_booked_by",
        "guardianship_of_guardian",
        "guardianship_by_guardian_of_dependent",
        "practitioner_emergency_of_person",
        "proxy_of_proxy",
        "proxy_by_proxy_of_dependent",
        "prescription_code_person",
        "proxy_invitation_of_person",
        "proxy_proposal_of_person",
        "share_link_address_of_person",
    ),
    "erasure of a person, and the archive of everything: the other ends",
)


@pytest.fixture
async def catalog(server: Server, database: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(server.dsn("hb_owner", database))
    yield connection
    await connection.close()


async def test_every_table_has_a_header_and_every_header_a_table(catalog: Connection) -> None:
    rows = await catalog.fetch(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'schema_migration'"
    )
    assert {row[0] for row in rows} == set(HEADERS)


async def test_the_shard_column_is_present_never_null_and_leads_every_key_and_index(
    catalog: Connection,
) -> None:
    faults = []
    for table, column in SPREAD.items():
        first = await catalog.fetch(
            "SELECT i.relname::text, a.attname::text, a.attnotnull FROM pg_index x"
            " JOIN pg_class i ON i.oid = x.indexrelid"
            " LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]"
            " WHERE x.indrelid = $1::text::regclass",
            table,
        )
        assert first, f"{table} has no key"
        faults += [index for index, name, never_null in first if name != column or not never_null]
    across = {index for index in faults if index in ACROSS}
    assert across == set(ACROSS)
    assert [index for index in faults if index not in ACROSS] == []


async def test_every_table_has_a_primary_key(catalog: Connection) -> None:
    without = await catalog.fetch(
        "SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace"
        " AND c.relkind IN ('r', 'p')"
        " AND NOT EXISTS (SELECT 1 FROM pg_index x WHERE x.indrelid = c.oid AND x.indisprimary)"
    )
    assert [row[0] for row in without] == []


async def test_foreign_keys_lead_by_the_shard_column_or_point_to_a_reference_table(
    catalog: Connection,
) -> None:
    rows = await catalog.fetch(
        "SELECT conname::text, f.relname::text, t.relname::text, fa.attname::text, ta.attname::text"
        " FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid"
        " JOIN pg_attribute fa ON fa.attrelid = f.oid AND fa.attnum = k.conkey[1]"
        " JOIN pg_attribute ta ON ta.attrelid = t.oid AND ta.attnum = k.confkey[1]"
        " WHERE k.contype = 'f' AND k.conparentid = 0"
    )
    assert rows
    faults = []
    for name, source, target, source_column, target_column in rows:
        if HEADERS[target].distribute == "reference" and HEADERS[source].distribute != "local":
            continue
        same_group = HEADERS[source].colocate_with == HEADERS[target].colocate_with == "citizen"
        leads = (source_column, target_column) == (SPREAD.get(source), SPREAD.get(target))
        if not (same_group and leads):
            faults.append(name)
    assert faults == []


async def test_nothing_the_cluster_cannot_carry_is_in_the_schema(catalog: Connection) -> None:
    triggers = "SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal"
    enums = "SELECT typname::text FROM pg_type WHERE typtype = 'e'"
    sequences = "SELECT relname::text FROM pg_class WHERE relkind = 'S'"
    rules = "SELECT rulename::text FROM pg_rules WHERE schemaname = 'public'"
    for query in (triggers, enums, sequences, rules):
        assert [row[0] for row in await catalog.fetch(query)] == []


async def test_citizen_tables_carry_a_uuid(catalog: Connection) -> None:
    for table, header in HEADERS.items():
        if header.colocate_with == "citizen":
            kind = await catalog.fetchval(
                "SELECT data_type FROM information_schema.columns WHERE table_name = $1 AND column_name = $2",
                table,
                header.distribute,
            )
            assert kind == "uuid", table


def test_foreign_keys_stand_in_files_of_their_own() -> None:
    for path in MIGRATIONS.glob("*.sql"):
        code = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("--")]
        assert ("REFERENCES" in "\n".join(code)) == path.name.endswith("_fk.sql"), path.name


def test_the_citus_plan_spreads_every_table_and_each_groups_first_one_first() -> None:
    plan = citus_plan(HEADERS.values())
    assert {table for table, _ in plan} == {t for t, h in HEADERS.items() if h.distribute != "local"}
    place = {table: number for number, (table, _) in enumerate(plan)}
    followers = [h for h in HEADERS.values() if h.group not in {None, h.table}]
    assert {h.group for h in followers} >= {"citizen", "due_queue", "population_load"}
    assert all(place[str(h.group)] < place[h.table] for h in followers)
    said = dict(plan)
    assert said["consent_grant"].endswith("'patient_id', colocate_with => 'citizen')")
    assert said["outbox"].endswith("'bucket', colocate_with => 'due_queue')")
    assert said["facility"] == "SELECT create_reference_table('facility')"


def test_statements_end_with_a_line_that_ends_in_a_semicolon() -> None:
    assert split_statements("-- a; b\nSELECT 1;\n\nSELECT\n 2;\n-- end\n") == [
        "-- a; b\nSELECT 1;",
        "SELECT\n 2;",
    ]
    with pytest.raises(MigrationError):
        split_statements("SELECT 1;\nSELECT 2")


@pytest.fixture
async def empty(server: Server, make_empty_database: Callable[[], Awaitable[str]]) -> str:
    return server.dsn("hb_owner", await make_empty_database())


async def test_a_second_run_applies_nothing(empty: str) -> None:
    first = await migrate(empty, START)
    assert first == [m.name for m in read_migrations()]
    assert await migrate(empty, START) == []


async def test_two_runners_at_once_apply_each_file_once(empty: str) -> None:
    one, two = await asyncio.gather(migrate(empty, START), migrate(empty, START))
    assert sorted(one + two) == [m.name for m in read_migrations()]


async def test_a_changed_file_is_refused(empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await migrate(empty, START)
    for path in MIGRATIONS.glob("*.sql"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with (tmp_path / "0001_store_queues.sql").open("a") as file:
        file.write("-- one more word\n")
    monkeypatch.setattr(runner, "read_migrations", lambda: read_migrations(tmp_path))
    with pytest.raises(MigrationError):
        await migrate(empty, START)


async def test_a_failing_file_leaves_nothing_behind(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0001_store_bad.sql").write_text("CREATE TABLE half (n integer);\nSELECT 1 / 0;\n")
    monkeypatch.setattr(runner, "read_migrations", lambda: read_migrations(tmp_path))
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty, START)
    connection = await asyncpg.connect(empty)
    assert await connection.fetchval("SELECT to_regclass('half')") is None
    assert await connection.fetchval("SELECT count(*) FROM schema_migration") == 0
    await connection.close()
