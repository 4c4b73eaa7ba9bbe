-- Which versions of people's apps may still call, and what they show: one row a platform, each the whole of what two
-- operators agreed on last. features: a JSON array of {name, from_version}; a feature that is not named is off.
-- table: app_policy distribute: reference
CREATE TABLE app_policy (
    platform text NOT NULL,
    policy_id uuid NOT NULL,
    minimum text NOT NULL,
    recommended text NOT NULL,
    store_url text NOT NULL,
    message_vi text,
    message_en text,
    features text NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT app_policy_pkey PRIMARY KEY (platform),
    CONSTRAINT app_policy_message CHECK ((message_vi IS NULL) = (message_en IS NULL))
);
