-- Which credential took a code and which one ended its prescription, so that taking a stolen one back undoes both (S3).
ALTER TABLE prescription_code ADD COLUMN sent_by text, ADD COLUMN ended_by text, ADD COLUMN ended_at timestamptz;
