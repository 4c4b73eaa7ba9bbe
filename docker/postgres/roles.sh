#!/bin/sh
# Runs once, when the database is made: the program's roles (none a superuser) and its database.
# The passwords pass through standard input only.
set -eu
secret() {
    cat "/run/secrets/$1"
}
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --quiet <<SQL
CREATE ROLE hb_owner LOGIN PASSWORD '$(secret hb_owner_password)';
CREATE ROLE hb_api LOGIN PASSWORD '$(secret hb_api_password)';
CREATE ROLE hb_delivery LOGIN PASSWORD '$(secret hb_delivery_password)';
CREATE ROLE hb_signer LOGIN PASSWORD '$(secret hb_signer_password)';
CREATE ROLE hb_backup LOGIN REPLICATION PASSWORD '$(secret hb_backup_password)';
CREATE ROLE hb_stats NOLOGIN;
CREATE DATABASE healthbook OWNER hb_owner;
REVOKE CONNECT ON DATABASE healthbook, postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE healthbook
    TO hb_api, hb_delivery, hb_signer, hb_stats, hb_backup;
-- Which statements are slow, without their values (store/postgres.py makes the same of its own server).
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
GRANT CONNECT ON DATABASE postgres TO hb_owner;
GRANT pg_read_all_stats TO hb_owner;
SQL
# The image admits everybody to databases alone; a copy of the whole server is another thing.
echo 'host replication hb_backup all scram-sha-256' >>"$PGDATA/pg_hba.conf"
