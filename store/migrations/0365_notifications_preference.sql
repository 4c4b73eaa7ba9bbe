-- How a person wants to be told: the zone of their clock, hours without pushes, what rings and what only lies in the inbox.
-- Who has no row has our defaults (notifications/preferences.py). quiet_from, quiet_until: wall times of `zone`, a window
-- over midnight wraps; both NULL: no quiet hours. muted: `<group>:<channel>`.
-- table: notification_preference_set distribute: patient_id with citizen
CREATE TABLE notification_preference_set (
    patient_id uuid NOT NULL,
    zone text NOT NULL DEFAULT 'Asia/Ho_Chi_Minh',
    quiet_from time,
    quiet_until time,
    language text NOT NULL DEFAULT 'vi',
    digest boolean NOT NULL,
    muted text [] NOT NULL,
    version int NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT notification_preference_set_pkey PRIMARY KEY (patient_id),
    CONSTRAINT notification_preference_set_zone CHECK (length(zone) <= 64),
    CONSTRAINT notification_preference_set_quiet CHECK ((quiet_from IS NULL) = (quiet_until IS NULL)),
    CONSTRAINT notification_preference_set_language CHECK (language IN ('vi', 'en')),
    CONSTRAINT notification_preference_set_muted CHECK (cardinality(muted) <= 40)
);
