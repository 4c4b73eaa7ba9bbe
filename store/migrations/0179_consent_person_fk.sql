ALTER TABLE emergency_card ADD CONSTRAINT fk_emergency_card_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE emergency_contact ADD CONSTRAINT fk_emergency_contact_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE purpose_choice ADD CONSTRAINT fk_purpose_choice_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE purpose_withdrawal ADD CONSTRAINT fk_purpose_withdrawal_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE wish ADD CONSTRAINT fk_wish_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
