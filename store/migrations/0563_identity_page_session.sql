-- When an identity provider said at the door of a browser's session who the person is; empty where letters and PIN
-- opened it (docs/decisions/0013-page-sessions.md).
ALTER TABLE session ADD COLUMN proven_at timestamptz;
