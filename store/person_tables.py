"""Every table that holds something of a person, and what becomes of it: what an erasure deletes and what it
keeps, and why; what the person's export of everything shows. tests/store/test_person_tables.py compares
this list with the schema, so that no table is forgotten.

Deleted in this order: what says who the person is goes first, so that nothing new finds the way to a record
that is going; what others point at goes last.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from store import queries
from store.database import Tx
from store.migration_files import shard_columns

BATCH: Final = 500


class PersonTable(Struct, frozen=True, kw_only=True):
    """Rows of one person in one table, found by one column.

    kept: why an erasure leaves them; None: it deletes them. cleared: the rows are another person's and stay;
    an erasure takes the id out of the column. unseen: why an export leaves them out; None: it
    shows them. secret: columns that never leave. sealed: columns that are opened for their person. only: a
    further condition for the export ($2 = now, $3 = merged persons whose rows the person sees). chosen: the
    person let these practitioners in by name, so that a protected one's name stays (security.md S27).
    """

    table: str
    column: str = "patient_id"
    kept: str | None = None
    cleared: bool = False
    unseen: str | None = None
    secret: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()
    only: str | None = None
    chosen: bool = False


_LOOKUP: Final = "a keyed hash that leads from a number or code to the person"
_MIRROR: Final = "the other end of rows that are shown"
_FLEETING: Final = "lives for minutes and says nothing of its own"
_WORK: Final = "how far the program's own work is"
_ACTED: Final = "another person's, in which this one acted"
_OF_BOOK: Final = "{}.owner_role NOT IN ('guardian', 'follower')"
_MEASURED: Final = "in the folder so-do: a file for each kind, and one of its hours"
_PROOF: Final = "proof of who read what, for ten years (consent.md §8); ids only"

TABLES: Final = (
    # Ways to the person.
    PersonTable(table="patient_identifier", unseen=_LOOKUP),
    PersonTable(table="phone_lookup", unseen=_LOOKUP),
    PersonTable(table="sign_in_challenge", unseen=_FLEETING),
    PersonTable(table="phone_proof", unseen=_FLEETING),
    PersonTable(table="activation", unseen=_FLEETING),
    PersonTable(table="activation_code", unseen=_FLEETING),
    PersonTable(table="activation_undo", unseen=_FLEETING),
    PersonTable(
        table="session",
        column="actor_id",
        secret=("access_hash", "refresh_hash", "previous_refresh_hash"),
    ),
    PersonTable(table="idempotency_key", column="actor_id", unseen=_FLEETING),
    PersonTable(table="work_lease", column="actor_id", unseen=_FLEETING),
    PersonTable(table="ehr_viewer_ticket", unseen=_FLEETING),
    PersonTable(table="step_up_use", unseen=_FLEETING),
    PersonTable(table="citizen_pin", secret=("pin_hash",)),
    # Whom the person let in, and at the other end.
    PersonTable(table="share_link_ticket", unseen=_FLEETING),
    PersonTable(table="share_link_address", unseen=_LOOKUP),
    PersonTable(table="share_link_opening", sealed=("recipient_sealed",)),
    PersonTable(table="share_link_file", secret=("blob_id",)),
    PersonTable(
        table="share_link", sealed=("label_sealed",), secret=("key_sealed", "passcode_salt", "passcode_hash")
    ),
    PersonTable(table="share_code_by_hash", unseen=_LOOKUP),
    PersonTable(table="app_authorization", unseen=_FLEETING),
    PersonTable(table="share_code"),
    PersonTable(table="app_consent_by_client", unseen=_MIRROR),
    PersonTable(table="partner_disclosure"),
    PersonTable(table="app_consent"),
    PersonTable(table="emergency_contact_code", unseen=_LOOKUP),
    PersonTable(table="emergency_contact", sealed=("name_sealed", "phone_sealed"), secret=("code_hash",)),
    PersonTable(table="emergency_card", secret=("secret_hash", "secret_sealed")),
    PersonTable(table="emergency_setting", secret=("taken_over",)),
    PersonTable(table="practitioner_emergency", unseen=_MIRROR),
    PersonTable(table="emergency_review", unseen="the reviewers' own list of the accesses that are shown"),
    PersonTable(
        table="emergency_access",
        sealed=("reason_text", "dispute_text"),
        secret=("safety_flag",),
        only="t.told_from <= $2",
    ),
    PersonTable(table="child_assent"),
    PersonTable(table="consent_delegation"),
    PersonTable(table="grant_for_another"),
    PersonTable(table="practitioner_grant", unseen=_MIRROR),
    PersonTable(table="consent_grant", chosen=True),
    PersonTable(table="practitioner_request", unseen=_MIRROR),
    PersonTable(
        table="access_request",
        secret=("code_hash", "code_sealed"),
        only="t.delivery <> 'withheld'",
        chosen=True,
    ),
    PersonTable(table="consent_block", secret=("taken_from",), chosen=True),
    PersonTable(table="consent_guard", unseen=_WORK),
    PersonTable(table="purpose_withdrawal"),
    PersonTable(table="purpose_choice", secret=("text_sha256", "body_sha256")),
    PersonTable(table="wish", sealed=("said_sealed",), secret=("body_sha256",)),
    PersonTable(table="proxy_offer", secret=("for_number",)),
    PersonTable(table="proxy_proposal", column="person_id", secret=("for_number",), unseen=_FLEETING),
    PersonTable(table="proxy_invitation", secret=("code_hash",), unseen="which offer a code is"),
    PersonTable(table="proxy", sealed=("court_document",)),
    PersonTable(table="proxy", column="proxy_id", unseen=_MIRROR),
    PersonTable(table="proxy_by_proxy"),
    PersonTable(table="proxy_by_proxy", column="dependent_id", unseen=_MIRROR),
    PersonTable(table="guardianship"),
    PersonTable(table="guardianship", column="guardian_id", unseen=_MIRROR),
    PersonTable(table="guardianship_by_guardian"),
    PersonTable(table="guardianship_by_guardian", column="dependent_id", unseen=_MIRROR),
    PersonTable(table="guardianship_proposal", column="child_id", secret=("document",), unseen=_FLEETING),
    PersonTable(table="guardianship_proposal", column="guardian_id", secret=("document",), unseen=_FLEETING),
    PersonTable(table="birth_link"),
    PersonTable(table="birth_link", column="mother_id", unseen="another person's birth"),
    PersonTable(table="birth_link_by_mother"),
    PersonTable(table="birth_link_by_mother", column="newborn_id", unseen="another person's child"),
    # Messages.
    PersonTable(table="delivery", unseen="copies of what the inbox shows, on their way"),
    PersonTable(table="delivery", column="dependent_id", unseen="another person's notice"),
    PersonTable(table="push_target", secret=("value_hash", "value_sealed")),
    PersonTable(table="notification_preference_set"),
    PersonTable(table="notification_receipt"),
    PersonTable(table="notification", secret=("dedupe_key",)),
    PersonTable(table="outbox", unseen=_WORK),
    # Cases and the record.
    # What was told of the person to the ministry's axis.
    PersonTable(table="axis_message", secret=("body_sealed", "body_sha256")),
    PersonTable(table="ehr_case_evidence", secret=("source_sha256", "blob_id")),
    PersonTable(table="ehr_case_row"),
    PersonTable(table="ehr_case_step", sealed=("note",)),
    PersonTable(table="ehr_dispute"),
    PersonTable(table="facility_case", unseen=_MIRROR),
    PersonTable(table="facility_access_report", unseen=_MIRROR),
    PersonTable(table="programme_enrolment", secret=("sealed",), unseen=_MIRROR),
    PersonTable(table="access_report"),
    PersonTable(table="ehr_case", sealed=("about", "body")),
    PersonTable(table="prescription_code", unseen=_LOOKUP),
    PersonTable(table="prescription_dispense"),
    PersonTable(table="prescription_line"),
    PersonTable(table="prescription"),
    PersonTable(table="vaccination_certificate_number", unseen=_LOOKUP),
    PersonTable(table="vaccination_certificate", sealed=("content",), secret=("facts_sha256",)),
    PersonTable(table="vaccination_confirmation", secret=("said_sha256",)),
    PersonTable(table="facility_vaccination_confirmation", secret=("said_sha256",), unseen=_MIRROR),
    PersonTable(table="vaccination_passport_name", sealed=("names",)),
    PersonTable(table="health_card", sealed=("content",)),
    PersonTable(table="ehr_hiding"),
    PersonTable(table="ehr_own_document", secret=("blob_id", "sha256")),
    PersonTable(table="consultation_picture", secret=("source_sha256", "blob_id")),
    PersonTable(table="facility_consultation", unseen=_MIRROR),
    PersonTable(table="consultation", sealed=("body", "answer"), secret=("share_code", "share_code_until")),
    PersonTable(table="facility_declaration", unseen=_MIRROR),
    PersonTable(table="declaration", sealed=("answers",)),
    PersonTable(table="declaration", column="declared_by", cleared=True, unseen=_ACTED),
    PersonTable(table="exposure_entry", unseen="check-ins that are shown, on a list that the log names"),
    PersonTable(table="slot_booking", unseen=_MIRROR),
    PersonTable(table="appointment"),
    PersonTable(table="appointment", column="booked_by", cleared=True, unseen=_ACTED),
    PersonTable(table="vaccination_registration", sealed=("answers",)),
    PersonTable(table="vaccination_reaction_step", sealed=("body",)),
    PersonTable(table="facility_vaccination_reaction", unseen=_MIRROR),
    PersonTable(table="vaccination_reaction", sealed=("content",)),
    PersonTable(table="medicine_dismissal", secret=("actor_id",)),
    # What a relative keeps for the own phone is that relative's alone (vitals/telling/queries.py: PAGE).
    PersonTable(
        table="alert_delivery",
        only="EXISTS (SELECT FROM alert a WHERE a.patient_id = t.patient_id AND a.alert_id = t.alert_id"
        f" AND {_OF_BOOK.format('a')})",
    ),
    PersonTable(table="alert_delivery", column="recipient_id", unseen=_MIRROR),
    PersonTable(table="alert", secret=("acked_by",), only=_OF_BOOK.format("t")),
    PersonTable(table="alert", column="owner_id", unseen="an alert in another person's book"),
    PersonTable(table="alert", column="acked_by", cleared=True, unseen=_ACTED),
    PersonTable(table="alert_state", unseen=_WORK),
    PersonTable(table="alert_rule", only=_OF_BOOK.format("t")),
    PersonTable(table="alert_rule", column="owner_id", unseen="a limit in another person's book"),
    PersonTable(table="vital_device", secret=("added_by",)),
    PersonTable(table="vital_device", column="added_by", cleared=True, unseen=_ACTED),
    PersonTable(table="vital_import", secret=("sha256", "blob_id", "added_by")),
    PersonTable(table="vital_import", column="added_by", cleared=True, unseen=_ACTED),
    PersonTable(table="reminder_answer"),
    PersonTable(table="reminder_occurrence"),
    PersonTable(table="reminder_plan_ack"),
    PersonTable(table="reminder_kind_off"),
    PersonTable(table="reminder_setting"),
    PersonTable(table="screening_choice"),
    PersonTable(table="nutrition_choice"),
    PersonTable(table="reminder_own", sealed=("text_sealed",)),
    PersonTable(table="reminder"),
    # Measurements. An export has them in files of their own, opened and in their units (vitals/copies).
    PersonTable(table="vital_batch", unseen=_FLEETING, secret=("sha256", "ids_sha256")),
    PersonTable(table="vital_latest", unseen="the newest of the rows that are shown"),
    PersonTable(table="vital_hour", unseen=_MEASURED),
    PersonTable(table="vital_tomb", unseen="ids that were deleted, so that they stay away"),
    PersonTable(table="vital_sample", unseen=_MEASURED),
    PersonTable(table="vital_series", unseen=_MEASURED),
    PersonTable(table="vital_source"),
    PersonTable(table="vital_head", unseen=_WORK),
    PersonTable(table="ehr_unit", unseen=_LOOKUP),
    PersonTable(table="ehr_core_patient", unseen=_LOOKUP),
    PersonTable(table="ehr_core_part"),
    PersonTable(table="ehr_core_link"),
    PersonTable(table="ehr_history", unseen="older versions; the book shows what stands", secret=()),
    PersonTable(
        table="ehr_resource",
        secret=("fold_key", "content_sha256", "item", "title_folded"),
        # What was taken back may have been another person's all along (security.md S17).
        only="NOT t.deleted AND (t.release_at IS NULL OR t.release_at <= $2)"
        " AND (t.origin_patient_id IS NULL OR t.origin_patient_id = ANY($3::uuid[]))",
    ),
    PersonTable(table="facility_referral", unseen=_MIRROR),
    PersonTable(
        table="referral",
        only="EXISTS (SELECT FROM ehr_resource e WHERE e.patient_id = t.patient_id"
        " AND e.rtype = 'ServiceRequest' AND e.id = t.record_id AND NOT e.deleted"
        " AND (e.origin_patient_id IS NULL OR e.origin_patient_id = ANY($3::uuid[])))",
    ),
    PersonTable(
        table="ehr_cost",
        # What stands of the visits that are shown: the amounts are the person's own to have.
        only="t.taken_back_at IS NULL AND NOT EXISTS (SELECT FROM ehr_cost n"
        " WHERE n.patient_id = t.patient_id AND n.encounter_id = t.encounter_id AND n.number > t.number"
        " AND n.taken_back_at IS NULL)"
        " AND EXISTS (SELECT FROM ehr_resource e WHERE e.patient_id = t.patient_id AND e.rtype = 'Encounter'"
        " AND e.id = t.encounter_id AND NOT e.deleted AND (e.release_at IS NULL OR e.release_at <= $2)"
        " AND (e.origin_patient_id IS NULL OR e.origin_patient_id = ANY($3::uuid[])))",
    ),
    PersonTable(table="ehr_head"),
    PersonTable(table="statistic_seen", unseen=_WORK),
    PersonTable(
        table="stay", secret=("who_sealed",), unseen="a facility's own list for the residence register"
    ),
    PersonTable(table="visit_safety", secret=("reason",)),
    PersonTable(table="check_in"),
    PersonTable(table="visit"),
    # Who the person is.
    PersonTable(table="person_report", sealed=("demographics",)),
    PersonTable(table="person_listing", sealed=("facts",)),
    PersonTable(table="death_report"),
    PersonTable(table="person_hold", unseen=_WORK),
    PersonTable(table="person_origin"),
    PersonTable(table="person_alias"),
    PersonTable(table="patient_identifier_rev", sealed=("value",), secret=("id_hash",)),
    PersonTable(table="phone", sealed=("value",), secret=("phone_hash",)),
    PersonTable(table="device", sealed=("name",), secret=("refresh_key", "step_up_key", "hotp_secret")),
    PersonTable(table="citizen", sealed=("demographics",)),
    # What stays.
    PersonTable(table="access_log", kept=_PROOF),
    PersonTable(table="audit_head", kept=_PROOF),
    PersonTable(table="audit_leaf", kept=_PROOF, unseen="the proofs of a log page carry it"),
    PersonTable(table="actor_unmasking", kept=_PROOF),
    PersonTable(table="answered_read", kept=_PROOF, unseen="counts beside the log"),
    PersonTable(
        table="certificate_issuance",
        kept="so that signatures and requests can be counted (security.md S28); ids and hashes only",
        unseen="the certificates themselves are shown",
    ),
    PersonTable(table="journal_line", kept="on its way to the journal", unseen=_WORK),
    PersonTable(table="rights_request", kept="proof that the law's terms were kept; no text in it"),
    PersonTable(table="erasure", kept="so that a restored backup is erased again; an id and times"),
    PersonTable(
        table="person_merge", column="merged_id", kept="an act of two officers; ids only", unseen=_MIRROR
    ),
    PersonTable(
        table="person_merge", column="survivor_id", kept="an act of two officers; ids only", unseen=_MIRROR
    ),
)


async def delete_some(tx: Tx, one: PersonTable, patient_id: UUID) -> int:
    """Delete one batch of a person's rows, or take the id out of them. Returns how many."""
    assert one.kept is None
    apart = shard_columns().get(one.table) != one.column
    sql = queries.delete_of_person(one.table, one.column, one.cleared, apart)
    rows = await tx.fetch(sql, patient_id, BATCH)
    return len(rows)


async def rows_of(
    tx: Tx, one: PersonTable, patient_id: UUID, now: datetime, origins: frozenset[UUID]
) -> AsyncIterator[dict[str, Any]]:
    """A person's rows as the export shows them, with sealed columns still sealed."""
    sql = queries.rows_of_person(one.table, one.column, one.only)
    async for row in tx.cursor(sql, patient_id, now, sorted(origins), prefetch=BATCH):
        yield {name: value for name, value in row.items() if name not in one.secret}
