ALTER TABLE notification ADD CONSTRAINT fk_notification_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);

ALTER TABLE notification_receipt ADD CONSTRAINT fk_notification_receipt_notification FOREIGN KEY (patient_id, notification_id) REFERENCES notification (patient_id, notification_id);

ALTER TABLE push_target ADD CONSTRAINT fk_push_target_citizen FOREIGN KEY (patient_id) REFERENCES citizen (patient_id);
