-- Rights of the program's roles, run by hb_owner after every migration (security.md S21).
-- One marked block per package; a table not named here is closed to every role.
-- Audit tables: INSERT and SELECT only. hb_delivery sees no record table.

-- store
GRANT SELECT, INSERT, UPDATE, DELETE ON due_queue, outbox TO hb_api, hb_delivery;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_key, work_lease TO hb_api;
GRANT SELECT, INSERT ON installation TO hb_api;
GRANT SELECT ON installation, schema_migration, security_epoch TO hb_api, hb_delivery;

-- The journal (security.md S12); a recovery is the owner's act.
GRANT SELECT, INSERT, UPDATE ON journal_position TO hb_api;
GRANT SELECT, INSERT, DELETE ON journal_line TO hb_api;
GRANT SELECT ON recovery TO hb_api;

-- identity
GRANT SELECT, INSERT, UPDATE ON facility, facility_code, practitioner, practitioner_role, operator TO hb_api;
GRANT SELECT, INSERT, UPDATE ON facility_client, register_change, account_credential TO hb_api;
GRANT SELECT, INSERT, UPDATE ON citizen, person_report, phone, device, citizen_pin TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON session TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON patient_identifier, patient_identifier_rev, phone_lookup TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON phone_code_lock, step_up_use, attempt_budget, activation_undo TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_challenge, phone_proof, activation, activation_code TO hb_api;
GRANT SELECT, INSERT, UPDATE ON registry_act, person_merge, death_report TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON person_alias, person_origin TO hb_api;
GRANT SELECT, INSERT, DELETE ON person_hold TO hb_api;
GRANT SELECT, INSERT ON birth_link, birth_link_by_mother TO hb_api;
GRANT SELECT, INSERT, UPDATE ON facility_unit, facility_activation TO hb_api;
GRANT SELECT, INSERT, UPDATE ON app_client, app_policy TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON app_use TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON app_session TO hb_api;

-- identity verification: what was proven can neither be changed nor taken away, nor that it was used.
GRANT SELECT, INSERT, UPDATE, DELETE ON identity_transaction TO hb_api;
GRANT SELECT, INSERT ON identity_verification, identity_verification_use TO hb_api;

-- family
GRANT SELECT, INSERT, UPDATE ON guardianship, guardianship_by_guardian, guardianship_proposal TO hb_api;
GRANT SELECT, INSERT, UPDATE ON proxy, proxy_by_proxy, proxy_offer TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON proxy_invitation, proxy_proposal TO hb_api;
GRANT SELECT, INSERT ON grant_for_another, child_assent TO hb_api;

-- audit
GRANT SELECT, INSERT ON access_log, admin_event TO hb_api;
GRANT SELECT, INSERT, UPDATE ON audit_head, admin_head, audit_tree TO hb_api;
GRANT SELECT, INSERT ON audit_leaf, audit_tile, audit_root, audit_cosignature TO hb_api;
GRANT SELECT, INSERT, UPDATE ON protected_practitioner TO hb_api;
GRANT SELECT, INSERT ON actor_unmasking TO hb_api;
GRANT SELECT, INSERT, UPDATE ON answered_read TO hb_api;
GRANT SELECT, INSERT ON accountability_month TO hb_api;
GRANT SELECT, INSERT, UPDATE ON accountability_line TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON accountability_run, accountability_hour TO hb_api;
GRANT SELECT, INSERT, UPDATE ON accountability_threshold TO hb_api;
GRANT SELECT, INSERT, UPDATE ON access_report, facility_access_report TO hb_api;

-- ehr
GRANT SELECT, INSERT, UPDATE ON ehr_resource, ehr_head TO hb_api;
GRANT SELECT, INSERT ON ehr_history TO hb_api;
-- A merge of two persons moves rows by copy and delete (security.md S10); nothing else deletes them.
GRANT DELETE ON ehr_resource, ehr_history, ehr_hiding TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON ehr_unit TO hb_api;
GRANT SELECT, INSERT, UPDATE ON ehr_gate_count, ehr_intake_count TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON ehr_quarantine, ehr_receipt TO hb_api;
GRANT SELECT, INSERT ON quarantine_event TO hb_api;
-- A poisoned batch taken back takes along what it alone reported of persons (security.md S3).
GRANT DELETE ON person_report, phone TO hb_api;
GRANT SELECT, INSERT, UPDATE ON ehr_hiding, ehr_release_policy, ehr_viewer TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON ehr_viewer_ticket TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON ehr_core_link, ehr_core_part TO hb_api;
GRANT SELECT, INSERT ON ehr_core_patient TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON ehr_core_subscription TO hb_api;

-- ehr cases
GRANT SELECT, INSERT, UPDATE ON ehr_case, facility_case, calendar_day, case_term TO hb_api;
GRANT SELECT, INSERT ON ehr_case_step, ehr_case_row TO hb_api;
GRANT SELECT, INSERT, DELETE ON ehr_case_evidence, ehr_dispute TO hb_api;
GRANT SELECT, INSERT, UPDATE ON facility_certificate, ehr_unit_version, ehr_unit_signature, ehr_entry TO hb_api;
GRANT SELECT, INSERT ON ehr_signature_block TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON ehr_row_file, ehr_row_line TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON first_fill_file TO hb_api;
GRANT SELECT, INSERT, DELETE ON first_fill_line TO hb_api;

-- ehr programmes
GRANT SELECT, INSERT, UPDATE, DELETE ON programme_enrolment TO hb_api;

-- visits
GRANT SELECT, INSERT, UPDATE ON check_in TO hb_api;
GRANT SELECT, INSERT, DELETE ON arrival_ticket, desk_arrival TO hb_api;
-- directory
GRANT SELECT, INSERT, UPDATE ON administrative_unit, facility_listing TO hb_api;
GRANT SELECT, INSERT, DELETE ON administrative_successor TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON facility_specialty TO hb_api;
-- counters and the numbers of their lines
GRANT SELECT, INSERT, UPDATE ON counter TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON queue_day, queue_ticket, visit TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON visit_safety, typed_arrival, look_up_count, stay TO hb_api;

-- notifications
GRANT SELECT, INSERT ON notification TO hb_api;
GRANT SELECT, INSERT ON notification_receipt TO hb_api;
GRANT SELECT ON notification_receipt TO hb_delivery;
GRANT SELECT (patient_id, state) ON citizen TO hb_delivery;
GRANT SELECT, INSERT, UPDATE, DELETE ON notification_preference_set TO hb_api;
GRANT SELECT ON notification_preference_set TO hb_delivery;
GRANT SELECT, INSERT, UPDATE, DELETE ON push_target TO hb_api;
GRANT SELECT, DELETE ON push_target TO hb_delivery;
GRANT SELECT, INSERT, DELETE ON delivery TO hb_api;
-- A gateway's report of an SMS comes in over HTTP.
GRANT UPDATE (status, error_code, settled_at, lease_until, address_sealed, text_sealed, reported, reported_at, attempts, next_attempt_at)
    ON delivery TO hb_api;
GRANT SELECT, UPDATE ON delivery TO hb_delivery;
GRANT SELECT, INSERT, UPDATE ON sms_budget TO hb_delivery;
GRANT SELECT, DELETE ON sms_budget TO hb_api;

-- consent
GRANT SELECT, INSERT, UPDATE ON access_request, consent_guard TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON practitioner_request, request_quota TO hb_api;
GRANT SELECT, INSERT, UPDATE ON consent_grant, practitioner_grant, consent_block, consent_delegation TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON share_link, share_link_file, share_code TO hb_api;
GRANT SELECT, INSERT, DELETE ON share_link_address, share_link_opening, share_link_ticket TO hb_api;
GRANT SELECT, INSERT, DELETE ON share_code_by_hash TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON app_consent TO hb_api;
GRANT SELECT, INSERT, DELETE ON app_consent_by_client TO hb_api;

-- partners: clients' proofs
GRANT SELECT, INSERT, DELETE ON oauth_proof_use TO hb_api;
GRANT SELECT, INSERT, UPDATE ON emergency_access, practitioner_emergency, emergency_review, emergency_setting TO hb_api;
GRANT SELECT, INSERT, UPDATE ON emergency_card, emergency_contact TO hb_api;
GRANT SELECT, INSERT, DELETE ON emergency_contact_code TO hb_api;
GRANT SELECT, INSERT ON purpose_choice TO hb_api;
GRANT SELECT, INSERT, UPDATE ON purpose_withdrawal, wish TO hb_api;

-- partners axis
GRANT SELECT, INSERT, UPDATE ON axis_sender TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON axis_message, axis_inbound TO hb_api;

-- ehr statistics (security.md S30): hb_stats reads what is published and nothing it is counted from.
GRANT SELECT, INSERT, UPDATE, DELETE ON statistic_seen, statistic_person, statistic_case TO hb_api;
GRANT SELECT, INSERT ON statistic_key TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON statistic_set, statistic_cell TO hb_api;
GRANT SELECT ON statistic_set, statistic_cell TO hb_stats;

-- ehr medicine_safety
GRANT SELECT, INSERT ON medicine_table, medicine_pair, medicine_name, medicine_dismissal TO hb_api;
GRANT DELETE ON medicine_dismissal TO hb_api;

-- visits coverage_check
GRANT SELECT, INSERT, UPDATE, DELETE ON coverage_check TO hb_api;

-- ehr referrals: a letter moves with its row (a merge), and goes with its person.
GRANT SELECT, INSERT, UPDATE, DELETE ON referral, facility_referral TO hb_api;

-- ehr costs: nobody but the API reads them; a merge moves them by copy and delete, an erasure deletes them.
GRANT SELECT, INSERT, UPDATE, DELETE ON ehr_cost TO hb_api;

-- ehr prescriptions
GRANT SELECT, INSERT, UPDATE, DELETE ON prescription, prescription_line, prescription_dispense, prescription_code TO hb_api;

-- reminders
GRANT SELECT, INSERT, UPDATE, DELETE ON reminder, reminder_own TO hb_api;
GRANT SELECT, INSERT, DELETE ON reminder_occurrence TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON reminder_plan_ack TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON reminder_answer TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON screening_choice, nutrition_choice TO hb_api;
GRANT SELECT, INSERT, DELETE ON reminder_kind_off TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON reminder_setting TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON vital_device, vital_import TO hb_api;

-- vitals: what was measured; a deletion by its person and an erasure delete.
GRANT SELECT, INSERT, UPDATE, DELETE ON vital_head, vital_source, vital_sample, vital_series, vital_tomb TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON vital_hour, vital_latest, vital_batch TO hb_api;

-- ehr knowledge
GRANT SELECT, INSERT, UPDATE ON article_review TO hb_api;

-- written questions
GRANT SELECT, INSERT, UPDATE, DELETE ON consultation, facility_consultation TO hb_api;
GRANT SELECT, INSERT, DELETE ON consultation_picture TO hb_api;

-- reactions after vaccination, at both ends; what was added is never changed
GRANT SELECT, INSERT, UPDATE, DELETE ON vaccination_reaction, facility_vaccination_reaction TO hb_api;
GRANT SELECT, INSERT, DELETE ON vaccination_reaction_step TO hb_api;

-- slots and who has a place; campaigns and who is registered
GRANT SELECT, INSERT, UPDATE ON vaccination_campaign TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON slot, slot_booking, vaccination_registration TO hb_api;

-- visits kiosk
GRANT SELECT, INSERT, UPDATE ON kiosk TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON kiosk_payment TO hb_api;

-- what facilities take appointments for, and the persons' ends of them
GRANT SELECT, INSERT, UPDATE, DELETE ON appointment, appointment_schedule TO hb_api;

-- declarations, and lists of who was at a facility (security.md S30)
GRANT SELECT, INSERT, UPDATE ON declaration_form, exposure_list TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON declaration TO hb_api;
GRANT SELECT, INSERT, DELETE ON facility_declaration, exposure_entry, exposure_hour TO hb_api;

-- hotline
GRANT SELECT, INSERT, UPDATE, DELETE ON hotline_ticket TO hb_api;

-- papers that people add
GRANT SELECT, INSERT, UPDATE, DELETE ON ehr_own_document TO hb_api;

-- certificates that hold no longer, until they would have ended
GRANT SELECT, INSERT, DELETE ON certificate_revocation TO hb_api;
GRANT SELECT, INSERT, UPDATE ON certificate_revocation_list TO hb_api;

-- lists of keys that others publish (security.md S29)
GRANT SELECT, INSERT, UPDATE ON trust_list, trust_key TO hb_api;

-- vaccination certificates: when facilities may vaccinate, late doses that were confirmed, what was issued
GRANT SELECT, INSERT, UPDATE ON vaccination_authority TO hb_api;
GRANT SELECT, INSERT, DELETE ON vaccination_confirmation, vaccination_certificate_number TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON facility_vaccination_confirmation, vaccination_certificate TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON vaccination_passport_name TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON health_card TO hb_api;

-- signatures under certificates: the API asks by a row, closes one that it gives up, and reads the signer's log; only the signer marks rows and
-- writes the log, and only the owner changes keys (security.md S28).
GRANT SELECT ON document_signer TO hb_api, hb_signer;
GRANT SELECT, INSERT (patient_id, issuance_id, purpose, key_id, to_sign_sha256, made_at) ON certificate_issuance TO hb_api;
GRANT UPDATE (closed_at) ON certificate_issuance TO hb_api;
GRANT SELECT, UPDATE (signed_at) ON certificate_issuance TO hb_signer;
GRANT SELECT ON signing_head, signing_event, signing_day TO hb_api;
GRANT SELECT, INSERT ON signing_event TO hb_signer;
GRANT SELECT, INSERT, UPDATE ON signing_head, signing_day TO hb_signer;
GRANT SELECT ON installation TO hb_signer;

-- limits of measurements and who was told
GRANT SELECT, INSERT, UPDATE, DELETE ON alert_rule, alert_delivery TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON alert, alert_state TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON alert_default_confirmed TO hb_api;

-- rights over one's data: an erasure (consent/rights/erasing.py) deletes what store/person_tables.py names.
GRANT SELECT, INSERT, UPDATE ON rights_request, erasure, breach TO hb_api;
GRANT DELETE ON access_report, access_request, activation, activation_code, activation_undo, birth_link TO hb_api;
GRANT DELETE ON birth_link_by_mother, check_in, child_assent, citizen, citizen_pin, consent_block TO hb_api;
GRANT DELETE ON consent_delegation, consent_grant, consent_guard, death_report, delivery, device TO hb_api;
GRANT DELETE ON ehr_case, ehr_case_evidence, ehr_case_row, ehr_case_step, ehr_core_link, ehr_core_part TO hb_api;
GRANT DELETE ON ehr_core_patient, ehr_dispute, ehr_head, ehr_hiding, ehr_history, ehr_resource TO hb_api;
GRANT DELETE ON ehr_unit, ehr_viewer_ticket, emergency_access, emergency_card, emergency_contact, emergency_contact_code TO hb_api;
GRANT DELETE ON emergency_review, emergency_setting, facility_access_report, facility_case, grant_for_another, guardianship TO hb_api;
GRANT DELETE ON guardianship_by_guardian, guardianship_proposal, idempotency_key, notification, notification_receipt, outbox TO hb_api;
GRANT DELETE ON patient_identifier, patient_identifier_rev, person_alias, person_hold, person_origin, person_report TO hb_api;
GRANT DELETE ON phone, phone_lookup, practitioner_emergency, practitioner_grant, practitioner_request, proxy TO hb_api;
GRANT DELETE ON proxy_by_proxy, proxy_invitation, proxy_offer, purpose_choice, purpose_withdrawal, push_target, session TO hb_api;
GRANT DELETE ON share_code, share_code_by_hash, share_link, share_link_address, share_link_file, share_link_opening TO hb_api;
GRANT DELETE ON share_link_ticket, sign_in_challenge, statistic_seen, step_up_use, wish TO hb_api;

-- lists of the population
GRANT SELECT, INSERT, UPDATE, DELETE ON population_load, person_listing TO hb_api;
GRANT SELECT, INSERT, DELETE ON population_line TO hb_api;

-- a client's wish on its way through a browser
GRANT SELECT, INSERT, UPDATE, DELETE ON app_authorization, app_authorization_code TO hb_api;

-- what partners were handed
GRANT SELECT, INSERT, DELETE ON partner_disclosure, partner_message TO hb_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON partner_webhook TO hb_api;
