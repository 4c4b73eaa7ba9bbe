-- How often each version of the apps called, a day in Vietnam a row, and nobody's name. operation: '' for every call;
-- else an operation that is on its way out, so that its owner sees who still uses it.
-- table: app_use distribute: local
CREATE TABLE app_use (
    used_on date NOT NULL,
    platform text NOT NULL,
    version text NOT NULL,
    operation text NOT NULL,
    calls bigint NOT NULL,
    CONSTRAINT app_use_pkey PRIMARY KEY (used_on, platform, version, operation)
);
