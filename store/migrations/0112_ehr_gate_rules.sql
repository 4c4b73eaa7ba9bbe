-- By which rules of the gate a book was judged last; 0 in books of before: judged once.
ALTER TABLE ehr_head ADD COLUMN gate_rules int NOT NULL DEFAULT 0;
