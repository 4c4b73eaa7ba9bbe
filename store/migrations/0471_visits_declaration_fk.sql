ALTER TABLE declaration_form ADD CONSTRAINT fk_declaration_form_facility FOREIGN KEY (facility_id)
REFERENCES facility (facility_id);

ALTER TABLE declaration ADD CONSTRAINT fk_declaration_citizen FOREIGN KEY (patient_id)
REFERENCES citizen (patient_id);

ALTER TABLE declaration ADD CONSTRAINT fk_declaration_form FOREIGN KEY (form_id)
REFERENCES declaration_form (form_id);

ALTER TABLE declaration ADD CONSTRAINT fk_declaration_facility FOREIGN KEY (facility_id)
REFERENCES facility (facility_id);
