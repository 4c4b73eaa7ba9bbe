-- When two operators said that a key is in other hands: nothing that it signed counts any more, whenever it was signed.
-- A retired key signs no more, and what it signed stands.
ALTER TABLE document_signer ADD COLUMN revoked_at timestamptz;
