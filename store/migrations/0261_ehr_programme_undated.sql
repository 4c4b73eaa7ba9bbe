-- Whom a facility follows without a day to come next.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX programme_enrolment_undated ON programme_enrolment (facility_id, enrolment_id)
WHERE status = 'active' AND next_visit_on IS NULL;
