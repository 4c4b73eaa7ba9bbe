"""Every column whose cells are sealed under the field key (store/fields.py), and the place each is bound to.

What a new field key seals anew goes through this list (store/resealing.py);
tests/store/test_sealed_columns.py compares it with the schema and opens what a demo holds.
"""

from typing import Final

from msgspec import Struct


class SealedColumn(Struct, frozen=True):
    """owner: the column with the id that the cell's key is derived from. place: table and column that the
    cell was bound to, where it was sealed for the row that it moves to later."""

    table: str
    column: str
    owner: str = "patient_id"
    place: tuple[str, str] | None = None

    @property
    def bound_to(self) -> tuple[str, str]:
        return self.place or (self.table, self.column)


COLUMNS: Final = (
    SealedColumn("citizen", "demographics"),
    SealedColumn("person_report", "demographics"),
    SealedColumn("person_listing", "facts"),
    SealedColumn("patient_identifier_rev", "value"),
    SealedColumn("phone", "value"),
    SealedColumn("device", "name"),
    SealedColumn("device", "hotp_secret"),
    SealedColumn("account_credential", "totp_secret", owner="actor_id"),
    SealedColumn("sign_in_challenge", "code"),
    SealedColumn("activation", "phone"),
    SealedColumn("activation_code", "phone"),
    SealedColumn("phone_proof", "phone"),
    SealedColumn("phone_proof", "code"),
    SealedColumn("identity_transaction", "sealed", owner="transaction_id"),
    SealedColumn("registry_act", "body", owner="act_id"),
    SealedColumn("ehr_quarantine", "body", owner="quarantine_id"),
    SealedColumn("ehr_case", "about"),
    SealedColumn("ehr_case", "body"),
    SealedColumn("ehr_case_step", "note"),
    SealedColumn("programme_enrolment", "sealed", owner="enrolment_id"),
    SealedColumn("push_target", "value_sealed"),
    SealedColumn("delivery", "address_sealed"),
    SealedColumn("delivery", "text_sealed"),
    SealedColumn("access_request", "code_sealed"),
    SealedColumn("share_link", "label_sealed"),
    SealedColumn("share_link", "key_sealed"),
    SealedColumn("share_link_opening", "recipient_sealed"),
    SealedColumn("emergency_access", "reason_text"),
    SealedColumn("emergency_access", "dispute_text"),
    SealedColumn("emergency_review", "note"),
    SealedColumn("emergency_card", "secret_sealed"),
    SealedColumn("emergency_contact", "name_sealed"),
    SealedColumn("emergency_contact", "phone_sealed"),
    SealedColumn("wish", "said_sealed"),
    SealedColumn("proxy_proposal", "for_number", owner="person_id", place=("proxy_offer", "for_number")),
    SealedColumn("proxy_offer", "for_number"),
    SealedColumn("proxy", "court_document"),
    SealedColumn("guardianship_proposal", "document", owner="child_id", place=("proxy", "court_document")),
    SealedColumn("consultation", "body"),
    SealedColumn("consultation", "answer"),
    SealedColumn("consultation", "share_code"),
    SealedColumn("hotline_ticket", "body", owner="ticket_id"),
    SealedColumn("hotline_ticket", "caller_name", owner="ticket_id"),
    SealedColumn("hotline_ticket", "caller_phone", owner="ticket_id"),
    SealedColumn("hotline_ticket", "outcome", owner="ticket_id"),
    SealedColumn("typed_arrival", "number_sealed", owner="arrival_id"),
    SealedColumn("stay", "who_sealed", owner="stay_id"),
    SealedColumn("declaration", "answers"),
    SealedColumn("vaccination_reaction", "content"),
    SealedColumn("vaccination_reaction_step", "body"),
    SealedColumn("vaccination_registration", "answers"),
    SealedColumn("vaccination_certificate", "content"),
    SealedColumn("vaccination_passport_name", "names"),
    SealedColumn("health_card", "content"),
    SealedColumn("reminder_own", "text_sealed"),
    SealedColumn("axis_message", "body_sealed"),
)
