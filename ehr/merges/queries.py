"""SQL that moves rows of the record between two persons: copy, then delete, in one transaction.

The shard value of a row cannot change (scale.md), so a row goes over as a copy. Column lists are written out;
tests/ehr/test_merges.py compares them with the schema, so a new column of the record cannot be left behind.
$1 is the person whose rows go, $2 the one who gets them.
"""

from uuid import UUID

from msgspec import Struct

from ehr.costs.queries import MOVED as COSTS
from ehr.referrals.queries import MOVED as LETTERS
from store.statement import Command, Scalar, Statement


class Head(Struct, frozen=True):
    """Where the record stands, where writers are sent, and how old the oldest of its rows may be: by rules of
    the gate (negative: a job for them waits) and by reading views."""

    head_seq: int
    moved_to: UUID | None
    moved_offset: int | None
    gate_rules: int
    item_version: int


LOCK = Statement(
    Head,
    """
    SELECT head_seq, moved_to, moved_offset, gate_rules, item_version FROM ehr_head
    WHERE patient_id = $1 FOR UPDATE
    """,
)
AGE = Command("UPDATE ehr_head SET gate_rules = $2, item_version = $3 WHERE patient_id = $1")
SEND_ON = Command("UPDATE ehr_head SET moved_to = $2, moved_offset = $3 WHERE patient_id = $1")
MOVED_TO = Scalar(UUID, "SELECT moved_to FROM ehr_head WHERE patient_id = $1 AND moved_to IS NOT NULL")
SET_HEAD = Command("UPDATE ehr_head SET head_seq = greatest(head_seq, $2) WHERE patient_id = $1")


class Going(Struct, frozen=True):
    """A row that is about to go, and the rows that it points at."""

    rtype: str
    id: str
    encounter_id: str | None
    main_id: str | None
    refs: str | None


_GOING = "SELECT rtype, id, encounter_id, main_id, refs FROM ehr_resource"
SOME_ROWS = Statement(Going, _GOING + " WHERE patient_id = $1 ORDER BY rtype, id LIMIT $2")
SOME_ROWS_OF = Statement(
    Going,
    _GOING + " WHERE patient_id = $1 AND origin_patient_id = ANY($2::uuid[]) ORDER BY rtype, id LIMIT $3",
)
ROWS_OF_UNIT = Statement(
    Going,
    _GOING + " WHERE patient_id = $1 AND source_id = $2 AND (unit = $3 OR id = ANY($4::text[]))",
)
# Ids that the other person's book uses for a row of somebody else: ids are made per source, and one source
# can have sent the same thing for both.
TAKEN_IDS = Scalar(
    str,
    """
    SELECT DISTINCT id FROM ehr_resource
    WHERE patient_id = $1 AND id = ANY($2::text[])
        AND (origin_patient_id IS NULL OR origin_patient_id <> ALL($3::uuid[]))
    """,
)

REST_OF_RESOURCE = (
    "updated, eff, eff_until, sort_at, active_until, release_at, facility_id, batch, version, labels, flag,"
    " item_version, deleted, negative, rtype, record_type, section, eff_precision, code_system, code,"
    " category, status, state, source_id, unit, credential, method, title, title_folded, content_sha256,"
    " body, doc, restores, hidden_from, hidden_by, fold_key, twin, contested, dispensed"
)
REST_OF_HISTORY = (
    "rtype, version, updated, method, credential, batch, deleted, doc, labels, title, unit, restores"
)
# $5 what is added to seq · $6 ids that get the mark $7
_MARKED = "CASE WHEN r.{0} = ANY($6::text[]) THEN r.{0} || $7::text ELSE r.{0} END"
# $5 what is taken from seq · $6 the mark that goes
_BARE = (
    "CASE WHEN right(r.{0}, length($6::text)) = $6::text THEN left(r.{0}, -length($6::text)) ELSE r.{0} END"
)
# The same for every id that a row refers to, kept with a blank between.
_REFS = (
    "(SELECT string_agg({0}, ' ' ORDER BY t.n) FROM unnest(string_to_array(r.refs, ' '))"
    " WITH ORDINALITY t (id, n))"
)
_MARKED_REFS = _REFS.format(_MARKED.format("id").replace("r.id", "t.id"))
_BARE_REFS = _REFS.format(_BARE.format("id").replace("r.id", "t.id"))
_MARKED_5 = _MARKED.replace("$7", "$6").replace("$6::text[]", "$5::text[]")
_BARE_5 = _BARE.replace("$6", "$5")
_NAMED = """
    JOIN unnest($3::text[], $4::text[]) AS going (rtype, id) ON going.rtype = r.rtype AND going.id = r.id
    WHERE r.patient_id = $1"""


def _copy(table: str, rest: str, ids: str, special: str) -> str:
    """INSERT … SELECT of the named rows; `special` are the columns that change, beside the ids."""
    names = ", ".join(("patient_id", *(part.split(" AS ")[1] for part in special.split(" | "))))
    values = ", ".join(("$2::uuid", *(part.split(" AS ")[0] for part in special.split(" | "))))
    columns = ", ".join(f"r.{name.strip()}" for name in rest.split(","))
    spelled = ", ".join(ids.format(name) for name in ("id", "encounter_id", "main_id"))
    return (
        f"INSERT INTO {table} ({names}, id, encounter_id, main_id, {rest})"  # noqa: S608
        f" SELECT {values}, {spelled}, {columns} FROM {table} r {_NAMED}"
    )


GIVE_RESOURCES = Command(
    _copy(
        "ehr_resource",
        REST_OF_RESOURCE,
        _MARKED,
        "coalesce(r.origin_patient_id, $1::uuid) AS origin_patient_id | r.seq + $5::bigint AS seq"
        " | r.gone_seq + $5::bigint AS gone_seq"
        f" | replace(r.item, r.id, {_MARKED.format('id')}) AS item | {_MARKED_REFS} AS refs",
    )
)
GIVE_HISTORY = Command(_copy("ehr_history", REST_OF_HISTORY, _MARKED, "r.seq + $5::bigint AS seq"))
RETURN_RESOURCES = Command(
    _copy(
        "ehr_resource",
        REST_OF_RESOURCE,
        _BARE,
        "nullif(r.origin_patient_id, $2::uuid) AS origin_patient_id | r.seq - $5::bigint AS seq"
        " | r.gone_seq - $5::bigint AS gone_seq"
        f" | replace(r.item, r.id, {_BARE.format('id')}) AS item | {_BARE_REFS} AS refs",
    )
)
RETURN_HISTORY = Command(_copy("ehr_history", REST_OF_HISTORY, _BARE, "r.seq - $5::bigint AS seq"))

# What a person hides goes with the row that it names: else a write would show it again.
_HIDING = "hiding_id, rtype, reader, reader_name, created_at, ended_at"
_HIDING_VALUES = ", ".join(f"r.{name}" for name in _HIDING.split(", "))
GIVE_HIDINGS = Scalar(
    UUID,
    f"INSERT INTO ehr_hiding (patient_id, id, {_HIDING})"  # noqa: S608
    f" SELECT $2::uuid, {_MARKED_5.format('id')}, {_HIDING_VALUES} FROM ehr_hiding r {_NAMED}"
    " RETURNING hiding_id",
)
RETURN_HIDINGS = Scalar(
    UUID,
    f"INSERT INTO ehr_hiding (patient_id, id, {_HIDING})"  # noqa: S608
    f" SELECT $2::uuid, {_BARE_5.format('id')}, {_HIDING_VALUES} FROM ehr_hiding r {_NAMED}"
    " RETURNING hiding_id",
)
# What a visit cost goes with its Encounter.
_COSTS = ", ".join(f"r.{name.strip()}" for name in COSTS.split(","))
_OF_VISITS = """
    JOIN unnest($3::text[], $4::text[]) AS going (rtype, id)
        ON going.rtype = 'Encounter' AND going.id = r.encounter_id
    WHERE r.patient_id = $1"""
GIVE_COSTS = Command(
    f"INSERT INTO ehr_cost (patient_id, encounter_id, {COSTS})"  # noqa: S608
    f" SELECT $2::uuid, {_MARKED_5.format('encounter_id')}, {_COSTS} FROM ehr_cost r {_OF_VISITS}"
)
RETURN_COSTS = Command(
    f"INSERT INTO ehr_cost (patient_id, encounter_id, {COSTS})"  # noqa: S608
    f" SELECT $2::uuid, {_BARE_5.format('encounter_id')}, {_COSTS} FROM ehr_cost r {_OF_VISITS}"
)
DELETE_COSTS = Command(
    """
    DELETE FROM ehr_cost r USING unnest($2::text[], $3::text[]) AS gone (rtype, id)
    WHERE r.patient_id = $1 AND gone.rtype = 'Encounter' AND r.encounter_id = gone.id
    """
)
# How far a letter is goes with its row.
_LETTERS = ", ".join(f"r.{name.strip()}" for name in LETTERS.split(","))
_OF_REQUESTS = _OF_VISITS.replace("'Encounter'", "'ServiceRequest'").replace("r.encounter_id", "r.record_id")
GIVE_LETTERS = Command(
    f"INSERT INTO referral (patient_id, record_id, {LETTERS})"  # noqa: S608
    f" SELECT $2::uuid, {_MARKED_5.format('record_id')}, {_LETTERS} FROM referral r {_OF_REQUESTS}"
)
RETURN_LETTERS = Command(
    f"INSERT INTO referral (patient_id, record_id, {LETTERS})"  # noqa: S608
    f" SELECT $2::uuid, {_BARE_5.format('record_id')}, {_LETTERS} FROM referral r {_OF_REQUESTS}"
)
DELETE_LETTERS = Command(
    """
    DELETE FROM referral r USING unnest($2::text[], $3::text[]) AS gone (rtype, id)
    WHERE r.patient_id = $1 AND gone.rtype = 'ServiceRequest' AND r.record_id = gone.id
    """
)
DELETE_HIDINGS = Command("DELETE FROM ehr_hiding WHERE patient_id = $1 AND hiding_id = ANY($2::uuid[])")
HAS_MARKS = Command("UPDATE ehr_head SET has_marks = true WHERE patient_id = $1")
MARK_ORIGIN = Command(
    """
    UPDATE ehr_resource r SET origin_patient_id = $4
    FROM unnest($2::text[], $3::text[]) AS n (rtype, id)
    WHERE r.patient_id = $1 AND r.rtype = n.rtype AND r.id = n.id
    """
)
DELETE_RESOURCES = Command(
    """
    DELETE FROM ehr_resource r USING unnest($2::text[], $3::text[]) AS gone (rtype, id)
    WHERE r.patient_id = $1 AND r.rtype = gone.rtype AND r.id = gone.id
    """
)
DELETE_HISTORY = Command(
    """
    DELETE FROM ehr_history r USING unnest($2::text[], $3::text[]) AS gone (rtype, id)
    WHERE r.patient_id = $1 AND r.rtype = gone.rtype AND r.id = gone.id
    """
)
LAST_SEQ = Scalar(
    int,
    "SELECT coalesce(max(seq), 0)::bigint AS seq FROM ehr_resource WHERE patient_id = $1",
)
