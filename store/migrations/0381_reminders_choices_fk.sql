ALTER TABLE screening_choice ADD CONSTRAINT fk_screening_choice_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE nutrition_choice ADD CONSTRAINT fk_nutrition_choice_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE reminder_kind_off ADD CONSTRAINT fk_reminder_kind_off_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
