ALTER TABLE axis_message ADD CONSTRAINT fk_axis_message_citizen
FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
