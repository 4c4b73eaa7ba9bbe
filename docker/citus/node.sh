#!/bin/sh
# Runs once on each server of a cluster: the program's database, the extension in it, and who may copy it whole.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --quiet <<SQL
SELECT 'CREATE DATABASE healthbook'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'healthbook')\gexec
SQL
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname healthbook --quiet <<SQL
CREATE EXTENSION IF NOT EXISTS citus;
SQL
replication='host replication hb_backup all scram-sha-256'
grep -qxF "$replication" "$PGDATA/pg_hba.conf" || echo "$replication" >>"$PGDATA/pg_hba.conf"
