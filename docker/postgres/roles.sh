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
CREATE ROLE hb_stats NOLOGIN;
CREATE ROLE hb_backup NOLOGIN;
CREATE DATABASE healthbook OWNER hb_owner;
REVOKE CONNECT ON DATABASE healthbook, postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE healthbook
    TO hb_api, hb_delivery, hb_stats, hb_backup;
SQL
