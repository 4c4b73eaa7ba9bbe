ALTER TABLE vaccination_reaction ADD CONSTRAINT fk_vaccination_reaction_citizen FOREIGN KEY (patient_id)
REFERENCES citizen (patient_id);

ALTER TABLE vaccination_reaction_step ADD CONSTRAINT fk_vaccination_reaction_step
FOREIGN KEY (patient_id, reaction_id)
REFERENCES vaccination_reaction (patient_id, reaction_id);
