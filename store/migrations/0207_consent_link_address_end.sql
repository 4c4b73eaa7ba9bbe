-- The address of a link goes some time after the link, and is found by this alone: it lies by its token.
ALTER TABLE share_link_address ADD COLUMN expires_at timestamptz NOT NULL DEFAULT 'infinity';

UPDATE share_link_address a SET expires_at = l.expires_at
FROM share_link l WHERE l.patient_id = a.patient_id AND l.link_id = a.link_id;
