-- again: ids that a batch brought and that stood already, so that a window which comes after it, and was made before it,
-- leaves them. NULL: none.
ALTER TABLE vital_batch ADD COLUMN again uuid[];
-- deleted_ver: of a window's tomb, up to which version the id was deleted beside that; it stays when the window is lifted.
ALTER TABLE vital_tomb ADD COLUMN deleted_ver bigint;
